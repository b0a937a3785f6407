"""What a model answers waits for its truth elsewhere, and is added up with it, once."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hindsight_scenes import CLASSES, KINDS, Kind, answered, profile_of
from numpy.testing import assert_array_equal

from exporter.decode import Decoder
from exporter.hindsight import Performance
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.opening import Opened
from exporter.monitor.performing import Performing
from exporter.monitor.predicting import Hindsight
from exporter.monitor.said import Said
from exporter.performance.extra import Extra
from exporter.performance.extra import pack as pack_extra
from exporter.performance.measures import measured
from exporter.performance.tally import LAYOUT, Tally
from exporter.performance.task import Rows, canonical, unpack
from exporter.performed import BY, Judged
from exporter.reference import Profile
from exporter.scalars.salted import Salt
from exporter.sections import Windows
from exporter.truths import Joined, Owner, key_of

SETTINGS = Performance(windows=(60.0, 3600.0), minimum_samples=10)
WINDOWS = Windows(pane=1.0, lengths=(60.0,))
DECODER = Decoder()


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Profile]:
    directory = tmp_path_factory.mktemp("profiles")
    return {name: profile_of(kind, directory) for name, kind in KINDS.items()}


def watching(profile: Profile, settings: Performance = SETTINGS, said: Said | None = None) -> Monitor:
    return Monitor(profile, WINDOWS, (), said or Said(), Watching(hindsight=Hindsight(True, settings)))


def performing(monitor: Monitor) -> Performing:
    assert monitor.performing
    return monitor.performing


def see(monitor: Monitor, answers: Sequence[Any], at: float, request_id: str, **changes: Any) -> None:
    one = answered(answers, at, request_id, **changes)
    monitor.observe(one, DECODER.decode(one))


def opened(monitor: Monitor) -> list[Opened]:
    monitor.flush()
    found, dropped = performing(monitor).take()
    assert not dropped
    return found


NUMBERS = count(1)


def joined(monitor: Monitor, one: Opened, truth: Any, told_s: float, extra: bytes = b"") -> Joined:
    owner = Owner("m", "1", performing(monitor).task.written)
    return Joined(
        next(NUMBERS), owner, one.at_ms, round(told_s * 1000), one.content, canonical(truth), extra
    )  # fmt: skip


def judged(monitor: Monitor, now: float) -> dict[tuple[str, str], Judged]:
    performed = monitor.snapshot(now).performed
    assert performed
    return {(one.by, one.window): one for one in performed.judged}


# --- what waits


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_what_was_answered_waits_as_it_was_decoded(kind: Kind, profiles: dict[str, Profile]) -> None:
    random = np.random.default_rng(1)
    monitor, sent = watching(profiles[kind.name]), {}
    for at in range(40):
        answers = kind.answers(random, int(random.integers(1, 6)))
        sent |= {key_of(f"r{at}", row): (said, at) for row, said in enumerate(answers)}
        see(monitor, answers, at + 0.25, f"r{at}")
    found = {one.key: one for one in opened(monitor)}
    assert found.keys() == sent.keys()
    task = performing(monitor).task
    for key, (said, at) in sent.items():
        assert found[key].at_ms == at * 1000 + 250
        label, *scores = unpack([found[key].content], task.width)[0].tolist()
        if kind.name == "multiclass":
            assert scores == [*said.values()]
            assert task.classes == CLASSES
        elif kind.name == "labels":
            assert task.classes[int(label)] == said
        else:
            assert [label if kind.name == "regression" else scores[0]] == [said]
    assert monitor.snapshot(40.0).performed.counted.opened == len(sent)


def test_a_row_has_its_own_id_where_it_has_one_and_without_any_it_does_not_wait(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"])
    one = answered([0.1, 0.2, 0.3], 1.0, "r")
    seen = DECODER.decode(one)
    seen.row_ids = ("a", "", "c")
    monitor.observe(one, seen)
    nameless = answered([0.4, 0.5], 1.0, "")
    seen = DECODER.decode(nameless)
    seen.row_ids = ("d", "")
    monitor.observe(nameless, seen)
    see(monitor, [0.6], 1.0, "")
    assert [one.key for one in opened(monitor)] == [key_of("a"), key_of("r", 1), key_of("c"), key_of("d")]
    assert monitor.snapshot(1.0).rows.predictions_without_id == 2


def test_a_failed_answer_does_not_wait(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"])
    see(monitor, [0.5], 1.0, "r", status=500)
    assert opened(monitor) == []


def test_who_does_not_want_feedback_pays_nothing(profiles: dict[str, Profile]) -> None:
    monitor = Monitor(profiles["binary"], WINDOWS, ())
    see(monitor, [0.5], 1.0, "r")
    assert monitor.performing is None
    assert monitor.snapshot(1.0).performed is None
    assert not [name for name in monitor.arrays() if "performance" in name]


# --- what was joined


def truthful(kind: Kind, monitor: Monitor, seed: int = 2) -> list[tuple[Joined, Any]]:
    """Joined predictions of 30 minutes, and the truth of each."""
    random = np.random.default_rng(seed)
    found = []
    for at in range(120):
        answers = kind.answers(random, 3)
        see(monitor, answers, at * 15.0, f"{seed}.{at}")
        for one, truth in zip(opened(monitor), kind.truths(random, answers), strict=True):
            weight = pack_extra(Extra(weight=float(random.integers(1, 4))))
            told = one.at_ms / 1e3 + random.exponential(100)
            found.append((joined(monitor, one, truth, min(told, 1799.0), weight), truth))
    return found


def by_hand(monitor: Monitor, rows: list[tuple[Joined, Any]]) -> Any:
    """Measures of raw rows."""
    task = performing(monitor).task
    said = unpack([one.said for one, _ in rows], task.width)
    if not task.label:
        said[:, 0] = task.labels(said[:, 1:])
    true = np.array([task.code(str(truth)) if task.is_classification else truth for _, truth in rows], np.float64)
    weight = np.array([json.loads(one.extra)["w"] / 1e6 if one.extra else 1.0 for one, _ in rows])
    return measured(task, Tally(task).of(Rows(said, true, weight)))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_measures_of_windows_are_those_of_the_raw_rows_in_whatever_order_they_come(
    kind: Kind, profiles: dict[str, Profile]
) -> None:
    monitor = watching(profiles[kind.name])
    rows = truthful(kind, monitor)
    shuffled = [rows[at] for at in np.random.default_rng(3).permutation(len(rows))]
    for start in range(0, len(shuffled), 50):
        performing(monitor).join([one for one, _ in shuffled[start : start + 50]], 1799.0)
    found = judged(monitor, 1799.0)
    for by in BY:
        assert repr(found[by, "1h"].measures) == repr(by_hand(monitor, shuffled))
        assert (found[by, "1h"].samples, found[by, "1h"].predicted, found[by, "1h"].sufficient) == (360, 360, True)
    moment = {"prediction": "at_ms", "arrival": "told_ms"}
    for by in BY:
        last = [(one, true) for one, true in shuffled if getattr(one, moment[by]) // 2000 > 1799 // 2 - 30]
        assert found[by, "1m"].samples == len(last) > 0
        assert repr(found[by, "1m"].measures) == repr(by_hand(monitor, last))
    assert found["prediction", "1m"].predicted == sum(one.at_ms // 2000 > 1799 // 2 - 30 for one, _ in rows)


def test_counts_since_start_say_lag_confusion_and_what_could_not_be_used(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["labels"])
    see(monitor, ["yes", "no", "yes", "no"], 10.0, "r")
    a, b, c, d = opened(monitor)
    told = [(a, "yes", 10.5), (b, "yes", 70.0), (c, "maybe", 10.0), (d, [1, 2], 11.0)]
    performing(monitor).join([joined(monitor, one, true, at) for one, true, at in told], 100.0)
    counted = monitor.snapshot(100.0).performed.counted
    assert (counted.opened, counted.joined, counted.unusable) == (4, 3, 1)
    assert counted.lag[:4] == (2, 0, 1, 0)
    assert counted.lag_total_s == 60.5
    rows = {(true, said): rows for true, said, rows in counted.confusion if rows}
    assert rows == {("yes", "yes"): 1, ("yes", "no"): 1, ("other", "yes"): 1}


def test_what_is_of_another_task_is_not_mixed_with_this_one(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"])
    see(monitor, [0.2, 0.9], 10.0, "r")
    one, other = (joined(monitor, found, 1, 11.0) for found in opened(monitor))
    performing(monitor).join([one, other._replace(owner=Owner("m", "1", "another"))], 12.0)
    assert judged(monitor, 12.0)["arrival", "1m"].samples == 1
    assert monitor.snapshot(12.0).performed.counted.unusable == 1


@pytest.mark.parametrize("content", [b"null", b'"word"', b"1e999", b"[1]", b"[[1]]", b"1" + b"0" * 400, b"{}", b"true"])
def test_no_truth_of_a_number_is_too_odd(content: bytes, profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["regression"])
    see(monitor, [100.0], 10.0, "r")
    (one,) = opened(monitor)
    performing(monitor).join([joined(monitor, one, 1, 11.0)._replace(true=content)], 12.0)
    counted = monitor.snapshot(12.0).performed.counted
    assert (counted.joined, counted.unusable) == (0, 1)


def test_a_truth_of_longer_ago_than_the_window_counts_by_its_arrival_alone(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"])
    see(monitor, [0.2], 10.0, "r")
    (one,) = opened(monitor)
    performing(monitor).join([joined(monitor, one, 1, 8000.0)], 8000.0)
    found = judged(monitor, 8000.0)
    assert [found[by, "1h"].samples for by in BY] == [0, 1]


def test_a_clock_that_was_ahead_for_a_while_leaves_no_gap_behind(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"])
    for at in (50_040.0, 120.0):
        judged(monitor, at)  # as is looked every other second
        for second in range(0, 3600, 120):
            see(monitor, [0.2], at + second, f"r{at}.{second}")
        end = at + 3599
        performing(monitor).join([joined(monitor, one, 1, end) for one in opened(monitor)], end)
    found = judged(monitor, 3719.0)["prediction", "1h"]
    assert (found.samples, found.predicted) == (30, 30)


def test_hashed_classes_meet_truths_that_are_hashed_alike(tmp_path: Path) -> None:
    salt = Salt(b"0123456789abcdef")
    profile = profile_of(KINDS["labels"], tmp_path)
    (column,) = profile.outputs
    hashed = replace(column, salt=salt.fingerprint, categories=tuple(map(salt.name, column.categories)))
    monitor = watching(replace(profile, outputs=(hashed,)), said=Said(salt=salt))
    assert set(performing(monitor).task.classes) == {salt.name("yes"), salt.name("no")}
    see(monitor, ["yes", "no", "no"], 10.0, "r")
    performing(monitor).join([joined(monitor, one, "yes", 11.0) for one in opened(monitor)], 12.0)
    measures = {one.name: one.value for one in judged(monitor, 12.0)["arrival", "1m"].measures}
    assert measures["accuracy"] == pytest.approx(1 / 3)


# --- what is kept


def test_windows_go_on_in_another_run_and_what_they_lack_is_added_from_the_store(profiles: dict[str, Profile]) -> None:
    kind, earlier = KINDS["binary"], watching(profiles["binary"])
    rows = [one for one, _ in truthful(kind, earlier)]
    performing(earlier).join(rows[:200], 1799.0)
    held = {name: array.copy() for name, array in earlier.held(1799.0)}
    performing(earlier).join(rows[200:], 1799.0)
    later = watching(profiles["binary"])
    later.put_back(held, 0.0, 1799.0)
    for start in range(0, len(rows), 70):
        performing(later).rejoin(rows[start : start + 70], 1799.0)
    assert repr(judged(later, 1799.0)) == repr(judged(earlier, 1799.0))
    counted = later.snapshot(1799.0).performed.counted
    assert (counted.opened, counted.joined) == (0, 0)


def test_windows_are_made_of_what_the_store_has_where_nothing_was_held(profiles: dict[str, Profile]) -> None:
    earlier, later = watching(profiles["binary"]), watching(profiles["binary"])
    rows = [one for one, _ in truthful(KINDS["binary"], earlier)]
    performing(earlier).join(rows, 1799.0)
    performing(later).rejoin(rows[:100], 1799.0)
    later.put_back(dict(earlier.held(1799.0)), 0.0, 1799.0)  # too late: they would count twice
    performing(later).rejoin(rows[100:], 1799.0)
    assert [one.samples for one in judged(later, 1799.0).values()] == [
        one.samples for one in judged(earlier, 1799.0).values()
    ]


def test_another_profile_of_the_same_task_goes_on_with_the_same_sums(profiles: dict[str, Profile]) -> None:
    earlier = watching(profiles["binary"])
    performing(earlier).join([one for one, _ in truthful(KINDS["binary"], earlier)], 1799.0)
    kept = {name: array for name, array in earlier.arrays("s").items() if name.startswith("s.performance.")}
    later = watching(profiles["binary"]).arrays("s")
    assert kept
    for name, array in kept.items():
        assert later[name].shape == array.shape
    stricter = watching(profiles["binary"], Performance(windows=SETTINGS.windows, threshold=0.9)).arrays("s")
    assert not kept.keys() & stricter.keys()


def test_sums_that_mean_something_else_are_not_gone_on_with(
    profiles: dict[str, Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name for name in watching(profiles["binary"]).arrays("s") if name.startswith("s.performance.")}
    monkeypatch.setattr("exporter.monitor.performing.LAYOUT", LAYOUT + 1)
    assert before
    assert not before & watching(profiles["binary"]).arrays("s").keys()


def test_predictions_that_wait_are_joined_by_another_threshold(profiles: dict[str, Profile]) -> None:
    earlier, stricter = watching(profiles["binary"]), Performance(windows=SETTINGS.windows, threshold=0.9)
    later = watching(profiles["binary"], stricter)
    rows = [one for one, _ in truthful(KINDS["binary"], earlier)]
    assert len(performing(later).join(rows, 1799.0)) == len(rows)


def test_what_the_training_said_stands_under_its_name_beside_the_measure(profiles: dict[str, Profile]) -> None:
    said = {"val_auc": 0.9, "neg_log_loss": -0.3, "rmse": 3.0, "Test F1-Score": 0.7, "epochs": 12.0}
    performed = watching(replace(profiles["binary"], performance=said)).snapshot(1.0).performed
    assert performed.training == (
        ("f1", "Test F1-Score", 0.7), ("log_loss", "neg_log_loss", 0.3), ("roc_auc", "val_auc", 0.9),
    )  # fmt: skip
    assert_array_equal(performed.counted.lag, 0)
