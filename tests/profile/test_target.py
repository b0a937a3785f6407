"""The truth of a table in its profile: what is predicted, how wrong it was, and whether scores are probabilities."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from profile_tables import write_csv
from sklearn import metrics
from support import command

from exporter.errors import ConfigError, DataError
from exporter.hindsight import Performance
from exporter.performance.deduced import task_of
from exporter.performance.task import Task
from exporter.privacy import Privacy
from exporter.profile import Plan, build_frame, document, show
from exporter.profile.build import build, build_like, count_like
from exporter.profile.draft import Draft
from exporter.profile.joint import Joint
from exporter.profile.merge import merge
from exporter.profile.score_cells import calibration, cells
from exporter.profile.sources import again
from exporter.profile.veiled import veiled
from exporter.reference import Profile
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.target import Target

ROWS = 6000
RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=ROWS)
P = 1 / (1 + np.exp(-2 * X))
TRUE = RANDOM.random(ROWS) < P
WORDS = np.where(TRUE, "yes", "no").astype(object)
THREE = RANDOM.dirichlet((1, 2, 3), ROWS)
DRAWN = (THREE.cumsum(axis=1) < RANDOM.random((ROWS, 1))).sum(axis=1)
ANIMALS = np.array(["cat", "dog", "emu"], object)[DRAWN]
PRICE = 50 + 10 * X + RANDOM.normal(size=ROWS)


def built(target: Any, predictions: dict[str, Any], **plan: Any) -> Profile:
    frame = {"x": X, **predictions, "y": target}
    profile, notes = build_frame(frame, Plan(predictions=list(predictions), target="y", **plan))
    assert not notes, notes
    return profile


def target_of(target: Any, predictions: dict[str, Any], **plan: Any) -> Target:
    found = built(target, predictions, **plan).target
    assert found
    return found


def note_of(target: Any, predictions: dict[str, Any]) -> str:
    frame = {"x": X, **predictions, "y": target}
    profile, notes = build_frame(frame, Plan(predictions=list(predictions), target="y"))
    assert profile.target is None
    return notes[-1]


# --- what is predicted


def test_a_score_of_two_classes_is_found_whatever_they_are_called() -> None:
    for true, classes in ((WORDS, ("no", "yes")), (TRUE, ("false", "true")), (TRUE.astype(int), ("0", "1"))):
        found = target_of(true, {"score": P})
        assert (found.task, found.label, found.scores, found.classes) == ("binary", "", ("score",), classes)
        assert sum(found.column.counts) == ROWS
        assert found.column.name == "y"
        assert found.column.reference_error


def test_a_class_beside_its_score_is_the_label() -> None:
    found = target_of(TRUE.astype(int), {"said": P > 0.5, "score": P})
    assert (found.label, found.scores, found.classes) == ("said", ("score",), ("0", "1"))
    assert found.errors == (int(((P > 0.5) == TRUE).sum()), int(((P > 0.5) != TRUE).sum()))


def test_an_output_of_other_classes_is_no_label() -> None:
    found = target_of(WORDS, {"said": P > 0.5, "score": P})
    assert (found.label, found.scores, found.classes) == ("", ("score",), ("no", "yes"))


def test_the_positive_class_and_its_threshold_may_be_said() -> None:
    found = target_of(WORDS, {"score": 1 - P}, positive="no", threshold=0.3)
    assert found.classes == ("yes", "no")
    said = 1 - P >= 0.3
    assert found.errors == (int((said == ~TRUE).sum()), int((said != ~TRUE).sum()))


def test_probabilities_of_several_classes_are_matched_with_the_truths() -> None:
    columns = {f"p_{name}": THREE[:, at] for at, name in ((2, "emu"), (0, "cat"), (1, "dog"))}
    found = target_of(ANIMALS, columns)
    assert (found.task, found.label) == ("multiclass", "")
    assert found.scores == ("p_cat", "p_dog", "p_emu")
    assert found.classes == ("cat", "dog", "emu")
    assert found.errors[0] == (THREE.argmax(axis=1) == DRAWN).sum()


def test_whole_numbers_are_classes_where_their_probabilities_are_answered() -> None:
    columns = {f"p[{at}]": THREE[:, at] for at in range(3)}
    found = target_of(DRAWN, columns)
    assert (found.task, found.classes, found.scores) == ("multiclass", ("0", "1", "2"), tuple(columns))
    assert found.column.kind == "categorical"
    assert target_of(DRAWN, {"p": DRAWN + 0.5}).task == "regression"
    assert target_of(DRAWN, {"p": DRAWN}, kinds={"y": "categorical"}).task == "multiclass"


def test_a_number_is_held_against_a_number() -> None:
    found = target_of(PRICE, {"price": 50 + 10 * X})
    assert (found.task, found.label, found.classes, found.scores) == ("regression", "price", (), ())
    sizes = np.abs(50 + 10 * X - PRICE)
    assert sum(found.errors) == ROWS
    assert found.errors == tuple(np.histogram(sizes, (0, *found.edges, np.inf))[0].tolist())
    shares = np.cumsum(found.errors)[:-1] / ROWS
    assert shares.tolist() == pytest.approx([0.5, 0.75, 0.9, 0.95, 0.99], abs=0.005)


def test_the_task_is_that_of_the_target() -> None:
    assert task_of(built(WORDS, {"score": P}), Performance()) == Task("binary", "", ("score",), ("no", "yes"))
    column = target_of(PRICE, {"price": X}).column
    found = task_of(built(PRICE, {"price": X}), Performance())
    assert found
    assert (found.kind, found.label) == ("regression", "price")
    assert abs(found.centre - column.mean) <= 2 * found.unit
    assert 0.7 < found.unit / column.sd < 1.5


@pytest.mark.parametrize(
    ("true", "predictions", "words"),
    [
        ([f"{at} is a sentence" for at in range(ROWS)], {"p": P}, "y: is text"),
        (PRICE, {"p": P, "q": P}, "y: is a number, and 2 of the outputs are"),
        (["one"] * ROWS, {"p": P}, "y: has fewer than two classes"),
        (ANIMALS, {"p": X}, "y: is a class, and no output is one"),
    ],
)
def test_where_nobody_knows_what_is_predicted_a_note_says_so(true: Any, predictions: Any, words: str) -> None:
    assert note_of(true, predictions).startswith(words)


@pytest.mark.parametrize(
    ("true", "plan", "words"),
    [
        (WORDS, {"positive": "yess"}, "--positive yess: 'y' has no such class, did you mean yes?"),
        (ANIMALS, {"positive": "cat"}, "--positive cat: the target 'y' has 3 classes, not two"),
        (PRICE, {"positive": "1"}, "--positive 1: the target 'y' is a number, not one of two classes"),
    ],
)
def test_a_positive_class_that_there_is_not_is_an_error(true: Any, plan: Any, words: str) -> None:
    predictions = {"p": P} if true is not ANIMALS else {"p": ANIMALS}
    with pytest.raises(ConfigError) as caught:
        built(true, predictions, **plan)
    assert str(caught.value) == words


def test_rows_without_a_truth_or_an_answer_are_not_judged() -> None:
    true, score = WORDS.copy(), P.copy()
    true[:100], score[50:200] = None, np.nan
    found = target_of(true, {"score": score})
    known = slice(200, None)
    assert found.errors == (int(((P >= 0.5) == TRUE)[known].sum()), int(((P >= 0.5) != TRUE)[known].sum()))
    assert found.column.counts[-1] == 100


def test_a_rare_class_is_not_written_down() -> None:
    true = ANIMALS.copy()
    true[true == "emu"] = "cat"
    true[:9] = "secret"
    said = np.where(true == "secret", "dog", true).astype(object)
    found = build_frame({"x": X, "said": said, "y": true}, Plan(predictions=["said"], target="y"))[0].target
    assert found
    assert found.classes == ("cat", "dog")
    assert found.errors == (ROWS - 9, 9)


# --- how it went


def test_the_training_performance_is_that_of_the_raw_rows() -> None:
    found = built(WORDS, {"score": P}).performance
    said = P >= 0.5
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(TRUE, said), abs=1e-9)
    assert found["f1_macro"] == pytest.approx(metrics.f1_score(TRUE, said, average="macro"), abs=1e-9)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(TRUE, P), abs=1e-9)
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(TRUE, P), abs=1e-9)
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(TRUE, P), abs=1e-4)
    found = built(PRICE, {"price": 50 + 10 * X}).performance
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(PRICE, 50 + 10 * X), rel=1e-9)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(PRICE, 50 + 10 * X), rel=1e-9)
    assert found["r2"] == pytest.approx(metrics.r2_score(PRICE, 50 + 10 * X), abs=1e-9)


def test_what_people_say_of_the_training_stays() -> None:
    found = built(WORDS, {"score": P}, performance={"accuracy": 0.5, "val_auc": 0.7}).performance
    assert found["accuracy"] == 0.5
    assert found["val_auc"] == 0.7
    assert "f1_macro" in found


# --- whether scores are probabilities


def test_calibrated_scores_are_taken_as_they_are() -> None:
    (line,) = target_of(WORDS, {"score": P}).calibrations
    assert line == ("score", (0.0, 1.0), (0.0, 1.0), ())


@pytest.mark.parametrize("bend", [lambda p: p**2, np.sqrt, lambda p: 0.2 + 0.5 * p, lambda p: p**4])
def test_other_scores_are_read_by_a_line_that_never_falls(bend: Callable[[Any], Any]) -> None:
    random = np.random.default_rng(9)
    p = random.beta(0.7, 0.7, 100_000)
    line = calibration("s", cells(bend(p), random.random(p.size) < p))
    assert line
    assert 2 < len(line.scores) <= 50
    assert (np.diff(line.shares) >= 0).all()
    assert np.abs(np.interp(bend(p), line.scores, line.shares) - p).mean() < 0.01


def test_rare_events_have_points_of_their_own() -> None:
    random = np.random.default_rng(10)
    p = 10 ** random.uniform(-4, -1, 200_000)
    line = calibration("s", cells(p / 3, random.random(p.size) < p))
    assert line
    read = np.interp(p / 3, line.scores, line.shares)
    assert np.mean(read) == pytest.approx(p.mean(), rel=0.02)
    for low, high in ((1e-3, 1e-2), (1e-2, 1e-1)):
        some = (p >= low) & (p < high)
        assert read[some].mean() == pytest.approx(p[some].mean(), rel=0.1)


def test_scores_that_say_nothing_have_no_calibration() -> None:
    assert target_of(WORDS, {"score": 1 - P}).calibrations == ()
    (line,) = target_of(WORDS, {"score": np.random.default_rng(1).random(ROWS)}).calibrations
    assert np.ptp(line.shares) < 0.1


def test_few_rows_are_never_a_point() -> None:
    random = np.random.default_rng(11)
    score = random.random(500)
    line = calibration("s", cells(score, random.random(500) < score**3))
    assert line
    assert len(line.scores) <= 50
    assert min(line.rows) >= 10
    assert sum(line.rows) == 500
    for low, high in zip(line.scores, line.scores[1:], strict=False):
        assert high > low


def test_every_class_has_a_calibration() -> None:
    bent = THREE**2 / (THREE**2).sum(axis=1, keepdims=True)
    found = target_of(ANIMALS, {name: bent[:, at] for at, name in enumerate(("cat", "dog", "emu"))})
    assert [one.output for one in found.calibrations] == ["cat", "dog", "emu"]
    for at, line in enumerate(found.calibrations):
        assert np.interp(bent[:, at], line.scores, line.shares).mean() == pytest.approx((at == DRAWN).mean(), abs=0.02)


# --- however it is read


def frame(order: Any = slice(None)) -> dict[str, Any]:
    said = np.where(P > 0.4, "yes", "no").astype(object)
    return {"x": X[order], "said": said[order], "score": (P**2)[order], "y": WORDS[order]}


def test_order_batches_and_formats_make_no_difference(tmp_path: Path) -> None:
    plan = Plan(predictions=["said", "score"], target="y", source="t.csv")
    whole = build_frame(frame(), plan)[0]
    assert len(whole.target.calibrations[0].scores) > 2 if whole.target else False
    turned = build_frame(frame(np.random.default_rng(1).permutation(ROWS)), plan)[0]
    batches = build_frame([frame(slice(at, at + 999)) for at in range(0, ROWS, 999)], plan)[0]
    assert document.describe(turned) == document.describe(batches) == document.describe(whole)
    columns = {name: values.tolist() for name, values in frame().items()}
    source = write_csv(tmp_path / "t.csv", columns)
    assert again(source)
    read = build(Plan(source, ["said", "score"], "y"))[0]
    assert document.describe(read) == document.describe(whole)


def test_parts_that_are_read_elsewhere_are_added_up() -> None:
    from exporter.profile import frames  # noqa: PLC0415
    from exporter.profile.build import finish  # noqa: PLC0415

    plan, drafts, parts = Plan(predictions=["said", "score"], target="y"), [], []
    slices = [slice(0, 10), slice(10, 3000), slice(3000, ROWS)]
    whole = build_frame(frame(), plan)[0]
    for some in slices:
        draft, names = Draft({}), list[str]()
        draft.read(frames.pieces(frame(some), names, lambda found: [(name,) for name in found], {}), names)
        drafts.append(draft)
    for other in drafts[1:]:
        drafts[0].merge(other)
    bare = finish(plan, drafts[0])[0]
    for some in slices:
        joint = pickle.loads(pickle.dumps(Joint(bare, None)))  # noqa: S301 (our own)
        joint.read(frames.pieces(frame(some), [], joint.arrange, {}))
        parts.append(pickle.loads(pickle.dumps(joint)))  # noqa: S301 (our own)
    for other in parts[1:]:
        parts[0].merge(other)
    done = parts[0].completed()
    assert done.target
    assert whole.target
    assert done.target[1:] == whole.target[1:]
    assert done.performance == whole.performance


def test_a_table_that_is_read_once_has_a_target_that_is_not_judged() -> None:
    profile, notes = build_frame(iter([frame()]), Plan(predictions=["said", "score"], target="y"))
    assert profile.target
    assert profile.target.label == "said"
    assert (profile.target.errors, profile.target.calibrations, dict(profile.performance)) == ((), (), {})
    assert "read only once" in notes[-1]


# --- in the file


def test_it_is_written_and_read(tmp_path: Path) -> None:
    for true, predictions in ((WORDS, {"score": P**2}), (ANIMALS, {"said": ANIMALS}), (PRICE, {"price": X})):
        profile = document.save(built(true, predictions), str(tmp_path / "p.json"))
        assert document.load(str(tmp_path / "p.json")) == profile
        assert profile.target


FAULTS = [
    (("task",), "ranking", "target.task: must be one of binary, multiclass, regression, not 'ranking'"),
    (("scores",), ["x"], "target.scores: no output is called 'x'"),
    (("label",), "x", "target.label: no output is called 'x'"),
    (("classes",), ["no", "no"], "target.classes: must be 2 to 100 different texts"),
    (
        ("classes",),
        ["a", "b", "c"],
        "target.classes: must be 2 where the task is binary, and more where it is multiclass",
    ),
    (("errors",), [1], "target.errors: must be 2 counts of at least one row, or none"),
    (("threshold",), 2, "target.threshold: must be from 0 to 1"),
    (("edges",), [1], "target.edges: unknown key"),
    (("calibrations", 0, "shares"), [0.5, 0.4], "target.calibrations[0].shares: must be one per score"),
    (("calibrations", 0, "scores"), [0.5, 0.4], "target.calibrations[0].scores: must be 2 to 50 ascending numbers"),
    (("calibrations", 0, "rows"), [5], "target.calibrations[0].rows: must be one per score, of at least one row each"),
    (("calibrations", 0, "output"), "p", "target.calibrations: must be one per score, in their order"),
    (("column", "kind"), "numeric", "target.column"),
    (("more",), 1, "target.more: unknown key"),
]


@pytest.mark.parametrize(("path", "value", "words"), FAULTS)
def test_every_fault_is_named_by_its_path(path: tuple[Any, ...], value: Any, words: str) -> None:
    node = document.describe(built(WORDS, {"score": P}))
    place = node["target"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(document.Fault) as caught:
        document.parse(node)
    assert str(caught.value).startswith(words)


def test_a_target_of_numbers_has_nothing_of_classes() -> None:
    node = document.describe(built(PRICE, {"price": X}))
    for word, value, fault in (
        ("classes", ["a", "b"], "target.classes: unknown key"),
        ("edges", [1, 1], "target.edges: must be ascending"),
        ("edges", [0, 1], "target.edges: must be ascending"),
    ):
        with pytest.raises(document.Fault, match=fault):
            document.parse(node | {"target": node["target"] | {word: value}})


# --- other tables in the same bins


def halves(tmp_path: Path) -> tuple[Profile, Profile, Profile]:
    """The first half of a table, the second like it, and all of it like it."""
    columns = {name: values.tolist() for name, values in frame().items()}
    some = [(0, ROWS // 2), (ROWS // 2, ROWS), (0, ROWS)]
    files = [
        write_csv(tmp_path / f"{at}.csv", {name: values[low:high] for name, values in columns.items()})
        for at, (low, high) in enumerate(some)
    ]
    first = build(Plan(files[0], ["said", "score"], "y"))[0]
    return first, *(build_like(Plan(file), first) for file in files[1:])


def test_parts_like_each_other_merge_to_the_whole(tmp_path: Path) -> None:
    first, second, whole = halves(tmp_path)
    merged = merge([("a", first), ("b", second)])
    assert merged.target
    assert whole.target
    assert merged.target == whole.target
    assert first.target
    assert merged.target.calibrations == first.target.calibrations
    assert second.performance["accuracy"] == pytest.approx(
        second.target.errors[0] / (ROWS // 2) if second.target else 0, abs=1e-9
    )
    assert second.performance["accuracy"] != first.performance["accuracy"]


def test_newer_rows_may_have_no_truth_yet(tmp_path: Path) -> None:
    first = halves(tmp_path)[0]
    columns = {name: values.tolist() for name, values in frame().items() if name != "y"}
    without = build_like(Plan(write_csv(tmp_path / "n.csv", columns)), first)
    assert without.target is None
    assert merge([("a", first), ("b", without)]).target is None


def test_other_truths_do_not_merge(tmp_path: Path) -> None:
    first, second, _ = halves(tmp_path)
    assert second.target
    other = second.target._replace(threshold=0.7)
    with pytest.raises(DataError, match="of other truths"):
        merge([("a", first), ("b", second.__class__(**{**_fields(second), "target": other}))])


def _fields(profile: Profile) -> dict[str, Any]:
    return {name: getattr(profile, name) for name in Profile.__slots__}


# --- what nobody may see

SALT = Salt(b"a secret of more than sixteen bytes")
HIDDEN = Private(Privacy(hash=("y", "said", "score")), SALT)


def test_hashed_classes_are_hashed_everywhere() -> None:
    columns = {"x": X, "said": WORDS, "y": WORDS}
    plan = Plan(predictions=["said"], target="y", hashed=["said", "y"], salt=SALT, positive="no")
    found = build_frame(columns, plan)[0].target
    assert found
    assert found.classes == (SALT.name("yes"), SALT.name("no"))
    assert found.errors == (ROWS, 0)
    assert found.column.salt == SALT.fingerprint
    with pytest.raises(ConfigError, match="hash both or neither"):
        build_frame(columns, Plan(predictions=["said"], target="y", hashed=["said"], salt=SALT))


def test_a_denied_truth_is_gone_and_a_hidden_one_has_other_names() -> None:
    profile = built(WORDS, {"said": WORDS, "score": P})
    assert veiled(profile, Private(Privacy(deny=("y",)), None)).target is None
    assert veiled(profile, Private(Privacy(deny=("score",)), None)).target is None
    hidden = veiled(profile, HIDDEN).target
    assert hidden
    assert profile.target
    assert hidden.classes == (SALT.name("no"), SALT.name("yes"))
    assert "yes" not in repr(hidden)
    assert hidden.errors == profile.target.errors
    assert {hidden.label, *hidden.scores} == {one.name for one in veiled(profile, HIDDEN).outputs}


# --- for people


def test_the_page_says_what_is_predicted_and_how_wrong_it_was() -> None:
    text = show.summary(built(WORDS, {"said": WORDS, "score": P}))
    assert "y, of no, yes, predicted by said and score, 0.00% wrong, scores are probabilities" in text
    assert "a number, predicted by price, half of the errors below" in show.summary(built(PRICE, {"price": X}))


def test_the_truth_has_a_page_of_its_bins_and_is_no_stranger_in_a_sample(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "t.csv", {name: values.tolist() for name, values in frame().items()})
    profile = build(Plan(source, ["said", "score"], "y"))[0]
    assert "y (categorical)" in show.page(profile, ["y"])
    assert count_like(Plan(source), profile).strangers == ()


def test_the_command_takes_what_the_truth_is(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "t.csv", {name: values.tolist()[:500] for name, values in frame().items()})
    output = str(tmp_path / "p.json")
    base = ("profile", "build", source, "--prediction", "said", "--prediction", "score", "--output", output)
    result = command(*base, "--target", "y", "--positive", "no", "--threshold", "0.3")
    assert result.returncode == 0, result.stderr
    found = document.load(output).target
    assert found
    assert (found.classes, found.threshold) == (("yes", "no"), 0.3)
    result = command(*base, "--positive", "no")
    assert result.returncode == 64
    assert "--positive: of which truth? say --target COLUMN, too" in result.stderr
    result = command(*base, "--target", "y", "--threshold", "2")
    assert result.returncode == 64


def test_check_says_what_is_predicted_or_why_nobody_knows(tmp_path: Path) -> None:
    def checked(profile: Profile, *more: str) -> Any:
        path = str(tmp_path / "p.json")
        document.save(profile, path)
        return command("check", "--upstream", "http://127.0.0.1:9", "--profile", path, *more)

    known, unknown = built(WORDS, {"score": P}), build_frame({"x": X, "a": X, "b": P}, Plan(predictions=["a", "b"]))[0]
    told = "performance: profile: binary of no, yes, predicted by score"
    assert told in checked(known, "--feedback.enable", "true").stdout.splitlines()
    assert "performance:" not in checked(known).stdout
    strange = checked(known, "--feedback.enable", "true", "--segments.search", "contry").stdout
    assert "performance: profile: segments.search: 'contry' is no feature" in strange.splitlines()
    assert "performance: profile: not known: which of 2 numbers" in checked(unknown, "--feedback.enable", "true").stdout
    result = checked(known, "--feedback.enable", "true", "--performance.positive", "yse")
    assert result.returncode == 64
    assert "performance.positive: no class is called 'yse', did you mean yes?" in result.stderr
    costs = '[{"actual": "yes", "predicted": "nay", "cost": 2}]'
    result = checked(known, "--feedback.enable", "true", "--performance.costs", costs)
    assert result.returncode == 64
    assert "performance.costs[0].predicted: there is no class nay" in result.stderr
