"""What a model predicts, by its outputs, by its profile's target and by the settings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from exporter.errors import ConfigError
from exporter.hindsight import Performance
from exporter.performance.deduced import deduced, of_target, task_of
from exporter.performance.task import Task
from exporter.profile import Plan, build_frame
from exporter.reference import Profile
from exporter.target import Target

ROWS = 400
RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=ROWS)
SHARE = RANDOM.random(ROWS)
THREE = RANDOM.dirichlet((1, 2, 3), ROWS)
WORDS = RANDOM.choice(["cat", "dog", "emu"], ROWS)


def profile_of(**outputs: Any) -> Profile:
    """With such outputs; a double underscore stands for a place of a list."""
    named = {name.replace("__0", "[0]").replace("__1", "[1]"): values for name, values in outputs.items()}
    return build_frame({"x": X, **named}, Plan(predictions=list(named)))[0]


def task(settings: Performance | None = None, **outputs: Any) -> Task | None:
    return task_of(profile_of(**outputs), settings or Performance())


def three(prefix: str = "") -> dict[str, Any]:
    return {f"{prefix}{name}": THREE[:, place] for place, name in enumerate(("cat", "dog", "emu"))}


def reason(settings: Performance | None = None, **outputs: Any) -> str:
    found = deduced(profile_of(**outputs), settings or Performance())
    assert found.task is None
    return found.reason


def test_a_class_alone_says_the_classes() -> None:
    assert task(answer=WORDS) == Task("multiclass", "answer", (), ("cat", "dog", "emu"))
    assert task(answer=WORDS == "cat") == Task("binary", "answer", (), ("false", "true"))


def test_classes_that_are_numbers_are_sorted_as_numbers() -> None:
    found = build_frame({"x": X, "p": RANDOM.choice(["2", "10", "a"], ROWS)}, Plan(predictions=["p"]))[0]
    assert task_of(found, Performance()) == Task("multiclass", "p", (), ("10", "2", "a"))
    plan = Plan(predictions=["p"], kinds={"p": "categorical"})
    found = build_frame({"x": X, "p": RANDOM.integers(2, 12, ROWS)}, plan)[0]
    assert task_of(found, Performance()) == Task("multiclass", "p", (), tuple(map(str, range(2, 12))))


def test_one_number_of_two_values_is_a_class_and_one_between_them_is_a_score() -> None:
    assert task(answer=np.rint(SHARE)) == Task("binary", "answer", (), ("0", "1"))
    assert task(answer=SHARE) == Task("binary", "", ("answer",), ("0", "1"))


def test_the_positive_class_and_the_threshold_of_a_score_may_be_said() -> None:
    found = task(Performance(positive="fraud", threshold=0.3), answer=SHARE)
    assert found == Task("binary", "", ("answer",), ("not fraud", "fraud"), 0.3)
    codes = [found.code(name) for name in ("fraud", "legit", "anything")]
    assert codes == [1, 0, 0]
    assert np.isnan(found.code(None))


def test_truths_are_understood_as_digits_and_as_words() -> None:
    for answer in (SHARE, np.rint(SHARE), SHARE > 0.5):
        found = task(answer=answer)
        assert found
        assert [found.truth(content) for content in (b"1", b"true", b'"True"', b"0", b"false")] == [1, 1, 1, 0, 0]
        assert found.truth(b"7") == 2


def test_any_other_number_is_what_is_predicted_itself() -> None:
    assert task(price=1000 + 3 * X) == Task(
        "regression", "price", centre=1008.0, unit=2.0 if np.std(3 * X) < 2**1.5 else 4.0
    )
    assert task(price=np.full(ROWS, 7.0)) == Task("regression", "price", centre=0.0, unit=8.0)


def test_numbers_that_lie_nearly_as_before_are_the_same_task() -> None:
    price = 1e12 + 1000 * X
    assert task(price=price) == task(price=price + 100) == task(price=price * (1 + 1e-12))
    assert task(price=price) != task(price=price * 10)


def test_a_prediction_is_read_by_a_task_that_counts_otherwise() -> None:
    first, others = task(price=X), [task(price=9 + 9 * X), task(Performance(output="price"), price=X)]
    assert first
    assert {first.written} == {one.written for one in others if one}
    assert first.fingerprint != (others[0] and others[0].fingerprint)
    score, stricter = task(p=SHARE), task(Performance(threshold=0.9), p=SHARE)
    assert score
    assert stricter
    assert (score.written, score.fingerprint != stricter.fingerprint) == (stricter.written, True)
    named = [task(answer=WORDS), task(answer=np.where(WORDS == "emu", "fox", WORDS))]
    assert len({one.written for one in named if one}) == 2, "a class is written as a number"


def test_probabilities_of_all_classes_are_known_by_their_sum() -> None:
    assert task(**three()) == Task("multiclass", "", ("cat", "dog", "emu"), ("cat", "dog", "emu"))
    scores = ("proba_cat", "proba_dog", "proba_emu")
    assert task(**three("proba_")) == Task("multiclass", "", scores, ("cat", "dog", "emu"))


def test_of_two_probabilities_that_of_the_second_class_is_the_score() -> None:
    found = task(p__0=1 - SHARE, p__1=SHARE)
    assert found == Task("binary", "", ("p[1]",), ("0", "1"))
    found = task(Performance(positive="no"), is_yes=1 - SHARE, is_no=SHARE)
    assert found == Task("binary", "", ("is_no",), ("yes", "no"))
    found = task(Performance(positive="yes"), is_yes=1 - SHARE, is_no=SHARE)
    assert found == Task("binary", "", ("is_yes",), ("no", "yes"))


def test_a_class_beside_its_scores_is_both() -> None:
    turned = dict(reversed(three("p.").items()))
    found = task(answer=WORDS, **turned)
    assert found == Task("multiclass", "answer", ("p.cat", "p.dog", "p.emu"), ("cat", "dog", "emu"))
    assert task(flag=SHARE > 0.4, score=SHARE) == Task("binary", "flag", ("score",), ("false", "true"))
    assert task(flag=np.rint(SHARE), score=SHARE) == Task("binary", "flag", ("score",), ("0", "1"))
    found = task(answer=THREE.argmax(axis=1), **three())
    assert found == Task("multiclass", "answer", ("cat", "dog", "emu"), ("0", "1", "2"))


def test_how_sure_the_model_is_of_what_it_says_is_no_score_of_a_class() -> None:
    sure = np.maximum(SHARE, 1 - SHARE)
    assert task(flag=SHARE > 0.5, confidence=sure) == Task("binary", "flag", (), ("false", "true"))


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({"a": WORDS, "b": WORDS}, "several outputs are classes (a, b)"),
        ({"a": X, "b": SHARE}, "which of 2 numbers"),
        ({"a": np.full(ROWS, "cat")}, "fewer than two classes"),
    ],
)
def test_where_nothing_is_sure_the_reason_is_told(outputs: Any, words: str) -> None:
    assert words in reason(None, **outputs)


def test_what_people_say_decides() -> None:
    assert task(Performance(output="a"), a=X, b=SHARE) == task(a=X)
    assert task(Performance(output="b"), a=X, b=SHARE) == Task("binary", "", ("b",), ("0", "1"))
    assert task(Performance(task="regression"), a=SHARE) == Task("regression", "a", centre=0.0, unit=0.25)
    whole = RANDOM.integers(0, 4, ROWS)
    assert task(Performance(task="multiclass"), a=whole) == Task("multiclass", "a", (), ("0", "1", "2", "3"))
    assert task(Performance(task="ranking", ranks=5), a=X) == Task("ranking", ranks=5)


def test_what_people_say_and_what_is_answered_must_go_together() -> None:
    assert "not two" in reason(Performance(task="binary"), a=WORDS)
    assert "not within 0 and 1" in reason(Performance(task="binary"), a=X)
    assert "are not known" in reason(Performance(task="multiclass"), a=X)


def test_unknown_names_are_errors_that_say_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"performance\.output: no output is called 'scroe', did you mean score\?"):
        task(Performance(output="scroe"), score=SHARE)
    with pytest.raises(ConfigError, match=r"performance\.positive: no class is called 'ture', did you mean true\?"):
        task(Performance(positive="ture"), score=SHARE > 0.5)
    assert "did you mean score?" in reason(Performance(output="scroe"), score=SHARE)


def test_what_is_adopted_makes_no_other_task() -> None:
    profile = profile_of(price=X)
    adopted = replace(profile.outputs[0], mean=500.0, sd=70.0)
    found = replace(profile, outputs=(adopted,), replaced=(("outputs", profile.outputs[0]),))
    assert task_of(found, Performance()) == task_of(profile, Performance())


def test_without_a_profile_nothing_is_known() -> None:
    assert task_of(None, Performance()) is None
    assert deduced(None, Performance()).reason == "there is no profile"


def test_the_target_of_the_training_data_is_believed_and_the_settings_more() -> None:
    found = profile_of(said=SHARE > 0.5, score=SHARE)
    target = Target(found.outputs[0], "binary", "said", ("score",), ("false", "true"), 0.4)
    found = replace(found, target=target)
    assert task_of(found, Performance()) == Task("binary", "said", ("score",), ("false", "true"), 0.4)
    assert task_of(found, Performance(output="score")) == Task("binary", "", ("score",), ("false", "true"), 0.4)
    settings = Performance(threshold=0.5, positive="false")
    assert task_of(found, settings) == Task("binary", "said", ("score",), ("true", "false"), 0.5)
    assert task_of(found, Performance(task="regression", output="score")) == Task(
        "regression", "score", centre=0.0, unit=0.25
    )
    number = Target(profile_of(price=X).outputs[0], "regression", "price")
    assert of_target(number, Performance()) == Task("regression", "price", centre=0.0, unit=1.0)
