"""Of which predictions truths come, and what turns out where the model's decision was not followed."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hindsight_scenes import CLASSES, KINDS, Kind, answered, profile_of
from numpy.testing import assert_array_equal

from exporter.decode import Decoder
from exporter.hindsight import Feedback, Performance
from exporter.looped import Gap, Looped
from exporter.loops import Holdout, Loops
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.opening import Opened
from exporter.monitor.performing import Performing
from exporter.monitor.predicting import Hindsight
from exporter.monitor.said import Said
from exporter.performance.extra import Extra
from exporter.performance.extra import pack as pack_extra
from exporter.performance.kinds import kinds_of
from exporter.performance.task import Task, canonical
from exporter.reference import Profile
from exporter.sections import Segments, Windows
from exporter.segmentations import segmentations
from exporter.truths import Joined, Owner

SETTINGS = Performance(windows=(60.0, 3600.0), minimum_samples=100)
WINDOWS = Windows(pane=1.0, lengths=(60.0,))
HELD_OUT = Holdout("holdout", "true")
BY_HEADER = Said(segments=Segments(by=segmentations([{"name": "holdout", "header": "X-Holdout", "values": ["true"]}])))
NUMBERS = count(1)
NOW = 50.0


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Profile]:
    directory = tmp_path_factory.mktemp("profiles")
    return {name: profile_of(kind, directory) for name, kind in KINDS.items()}


def watching(profile: Profile, said: Said | None = None, *, shared: bool = False, **loops: Any) -> Monitor:
    hindsight = Hindsight(True, SETTINGS, loops=Loops(**loops), is_shared=shared)
    return Monitor(profile, WINDOWS, (), said or Said(), Watching(hindsight=hindsight))


def performing(monitor: Monitor) -> Performing:
    assert monitor.performing
    return monitor.performing


def opened(monitor: Monitor, answers: Sequence[Any], at: float = 5.0, headers: dict[str, str] | None = None) -> Any:
    """What waits of answers that come at once, in their order."""
    one = answered(answers, at, f"r{next(NUMBERS)}")
    one = one._replace(request_headers={**one.request_headers, **(headers or {})})
    monitor.observe(one, Decoder().decode(one))
    monitor.flush()
    return performing(monitor).take()[0]


def joined(monitor: Monitor, one: Opened, truth: Any, extra: bytes = b"") -> Joined:
    owner = Owner("m", "1", performing(monitor).task.written)
    return Joined(next(NUMBERS), owner, one.at_ms, 40_000, one.content, canonical(truth), extra)


def tell(monitor: Monitor, waiting: Sequence[Opened], truths: Sequence[Any]) -> list[Joined]:
    found = [joined(monitor, one, truth) for one, truth in zip(waiting, truths, strict=True)]
    performing(monitor).join(found, NOW)
    return found


def looped(monitor: Monitor, now: float = NOW) -> Looped:
    found = monitor.snapshot(now).looped
    assert found
    return found


def covered(monitor: Monitor, now: float = NOW) -> dict[str, tuple[int, int]]:
    return {one.kind: (one.predicted, one.told) for one in looped(monitor, now).covered if one.window == "1m"}


# --- of which predictions truths come


def test_each_bin_of_the_score_says_how_many_of_its_predictions_have_their_truth(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"])
    waiting = opened(monitor, [0.05, 0.1, 0.15, 0.55, 0.95, 0.99, 1.0])
    tell(monitor, [waiting[1], waiting[4], waiting[6]], [0, 1, 1])
    found = covered(monitor)
    assert found["0 to 0.1"] == (1, 0)
    assert found["0.1 to 0.2"] == (2, 1)
    assert found["0.5 to 0.6"] == (1, 0)
    assert found["0.9 to 1"] == (3, 2)
    assert sum(predicted for predicted, _ in found.values()) == 7


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_prediction_of_any_task_is_of_one_kind_with_its_truth_and_without(
    kind: Kind, profiles: dict[str, Profile]
) -> None:
    random, monitor = np.random.default_rng(1), watching(profiles[kind.name])
    answers = kind.answers(random, 300)
    waiting = opened(monitor, answers)
    tell(monitor, waiting[::3], kind.truths(random, answers[::3]))
    before = covered(monitor)
    assert [sum(each) for each in zip(*before.values(), strict=True)] == [300, 100]
    tell(monitor, [one for at, one in enumerate(waiting) if at % 3], kind.truths(random, [
        said for at, said in enumerate(answers) if at % 3
    ]))  # fmt: skip
    assert {name: (predicted, predicted) for name, (predicted, _) in before.items()} == covered(monitor)


def test_kinds_are_bins_classes_or_ranges_and_rankings_have_none(profiles: dict[str, Profile]) -> None:
    of_classes = kinds_of(Task("multiclass", scores=CLASSES, classes=CLASSES), None)
    assert of_classes
    assert of_classes.names == (*CLASSES, "other")
    assert_array_equal(of_classes.of(np.array([[0.0], [2.0], [3.0], [np.nan]])), [0, 2, 3])
    many = kinds_of(Task("multiclass", label="c", classes=tuple(f"c{at}" for at in range(50))), None)
    assert many
    assert_array_equal(many.of(np.array([[0.0], [19.0], [20.0], [49.0], [50.0]])), [0, 19, 20, 20, 20])
    price = profiles["regression"].outputs[0]
    ranges = kinds_of(Task("regression", label="price"), price)
    assert ranges
    assert ranges.names == tuple(text for _, text in price.bins()[:-2])
    assert_array_equal(ranges.of(np.array([[-1e9], [price.edges[0]], [1e9]])), [0, 1, len(ranges.names) - 1])
    assert kinds_of(Task("ranking"), None) is None
    assert kinds_of(Task("regression", label="price"), None) is None


def selected(profile: Profile, seed: int, known: Any) -> Any:
    """Of 2,000 predictions of which truths come as `known` says of random numbers and scores."""
    random, monitor = np.random.default_rng([3, seed]), watching(profile)
    scores = random.random(2000).round(3)
    waiting = opened(monitor, scores.tolist())
    told = np.flatnonzero(known(random.random(2000), scores)).tolist()
    tell(monitor, [waiting[at] for at in told], [int(scores[at] > 0.5) for at in told])
    return next(one for one in looped(monitor).selected if one.window == "1m")


def test_truths_of_those_alone_who_were_accepted_are_told_from_chance(profiles: dict[str, Profile]) -> None:
    found = selected(profiles["binary"], 1, lambda lot, score: (score > 0.3) & (lot < 0.5))
    assert found.sufficient
    assert found.total_variation > 2 * found.critical


def test_truths_that_come_by_lot_are_within_chance(profiles: dict[str, Profile]) -> None:
    found = [selected(profiles["binary"], seed, lambda lot, _: lot < 0.3) for seed in range(20)]
    assert all(one.total_variation < one.critical for one in found)


def of_two_replicas(profile: Profile, seed: int, known: Any) -> list[Any]:
    """The same where each of two predicts half of it, and truths reach either by lot."""
    random, both = np.random.default_rng([4, seed]), [watching(profile, shared=True) for _ in range(2)]
    scores = random.random(4000).round(3)
    waiting = [one for at, each in enumerate(both) for one in opened(each, scores[at::2].tolist())]
    said = np.concatenate([scores[::2], scores[1::2]])
    told, replica = known(random.random(4000), said), random.integers(0, 2, 4000)
    for at, each in enumerate(both):
        here = np.flatnonzero(told & (replica == at)).tolist()
        tell(each, [waiting[place] for place in here], [int(said[place] > 0.5) for place in here])
    return [next(one for one in looped(each).selected if one.window == "1m") for each in both]


@pytest.mark.parametrize("share", [0.3, 0.85, 1.0])
def test_truths_that_reach_any_replica_by_lot_are_within_chance(share: float, profiles: dict[str, Profile]) -> None:
    found = [one for seed in range(5) for one in of_two_replicas(profiles["binary"], seed, lambda lot, _: lot < share)]
    assert not any(one.sufficient and one.total_variation > one.critical for one in found)


def test_truths_of_those_alone_who_were_accepted_are_seen_by_any_replica(profiles: dict[str, Profile]) -> None:
    found = of_two_replicas(profiles["binary"], 1, lambda lot, score: (score > 0.3) & (lot < 0.5))
    assert all(one.sufficient and one.total_variation > 1.5 * one.critical for one in found)
    assert [one.total_variation for one in found] == pytest.approx([0.46, 0.46], abs=0.08)  # 0.3 / 0.65


def test_a_store_of_many_replicas_is_known_by_its_scheme() -> None:
    shared = [store for store in (None, "memory:", "sqlite:/a", "redis://h", "REDISS://h", "postgresql://h/d")
              if Feedback(store=store).is_shared]  # fmt: skip
    assert shared == ["redis://h", "REDISS://h", "postgresql://h/d"]


def test_nothing_is_compared_where_all_truths_or_none_are_known(profiles: dict[str, Profile]) -> None:
    for known in (lambda lot, _: lot < 2, lambda lot, _: lot > 2):
        found = selected(profiles["binary"], 1, known)
        assert not found.sufficient
        assert np.isnan(found.total_variation)


def test_what_has_left_the_window_is_forgotten(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"])
    opened(monitor, [0.5] * 10)
    assert sum(predicted for predicted, _ in covered(monitor, 20.0).values()) == 10
    assert not covered(monitor, 200.0)


def test_a_clock_that_was_days_ahead_stops_no_count(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"], BY_HEADER, holdout=HELD_OUT)
    choosing = performing(monitor).choosing
    choosing.opened(np.array([[0.0, 0.05]]), np.array([90_005.0]))
    exposing = choosing._exposing
    assert exposing
    exposing._windows.add(90_005.0, np.array([[1, 1, 1], [0, 0, 0]]))
    looped(monitor)
    tell(monitor, opened(monitor, [0.05] * 10), [0] * 10)
    assert covered(monitor)["0 to 0.1"] == (10, 10)
    assert [one.truths for one in gap(monitor).groups] == [10, 0]


def test_truths_of_predictions_that_another_replica_has_made_are_of_as_many_predictions(
    profiles: dict[str, Profile],
) -> None:
    theirs, monitor = watching(profiles["binary"]), watching(profiles["binary"])
    tell(monitor, opened(theirs, [0.05] * 10), [0] * 10)
    assert covered(monitor)["0 to 0.1"] == (10, 10)


def test_both_go_on_in_another_run_and_what_they_lack_is_added_from_the_store(profiles: dict[str, Profile]) -> None:
    loops = {"holdout": HELD_OUT}
    earlier, later = (watching(profiles["binary"], BY_HEADER, **loops) for _ in range(2))
    random = np.random.default_rng(4)
    scores = random.random(400).round(3).tolist()
    waiting = opened(earlier, scores[:300], headers={"x-holdout": "true"}) + opened(earlier, scores[300:])
    truths = random.integers(0, 2, 400).tolist()
    some = tell(earlier, waiting[::2], truths[::2])
    held = {name: array.copy() for name, array in earlier.held(NOW)}
    more = tell(earlier, waiting[1:50:2], truths[1:50:2])
    later.put_back(held, 0.0, NOW)
    performing(later).rejoin([*some, *more], NOW)
    assert covered(later) == covered(earlier)
    assert looped(later).gaps == looped(earlier).gaps
    assert looped(later).gaps[0].groups[0].truths


def test_nobody_has_to_look_for_loops(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"], enable=False)
    tell(monitor, opened(monitor, [0.5] * 10), [1] * 10)
    assert monitor.snapshot(NOW).looped is None
    assert not [name for name in monitor.arrays() if "selection" in name]


# --- exposed against holdout


def gap(monitor: Monitor) -> Gap:
    return next(one for one in looped(monitor).gaps if one.window == "1m")


def test_a_header_says_who_is_held_out_and_the_gap_is_that_of_the_shares(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"], BY_HEADER, holdout=HELD_OUT)
    tell(monitor, opened(monitor, [0.5] * 300), [1] * 90 + [0] * 210)
    tell(monitor, opened(monitor, [0.5] * 200, headers={"x-holdout": "true"}), [1] * 20 + [0] * 180)
    found = gap(monitor)
    assert [(one.name, one.truths, one.mean) for one in found.groups] == [("exposed", 300, 0.3), ("holdout", 200, 0.1)]
    assert found.value == pytest.approx(0.2)
    assert (found.lower, found.upper) == pytest.approx((0.1304, 0.2641), abs=1e-4)  # Newcombe's tenth, by hand
    assert found.sufficient


def test_truths_may_say_themselves_who_was_held_out(profiles: dict[str, Profile]) -> None:
    monitor = watching(profiles["binary"], BY_HEADER, holdout=HELD_OUT)
    waiting = opened(monitor, [0.5] * 20)
    extra = pack_extra(Extra(segments=(("holdout", "true"),)))
    found = [joined(monitor, one, 1, extra if at % 4 == 0 else b"") for at, one in enumerate(waiting)]
    performing(monitor).join(found, NOW)
    assert [one.truths for one in gap(monitor).groups] == [15, 5]
    assert not gap(monitor).sufficient


def test_of_numbers_the_gap_is_that_of_the_means(profiles: dict[str, Profile]) -> None:
    random = np.random.default_rng(5)
    monitor = watching(profiles["regression"], BY_HEADER, holdout=HELD_OUT)
    exposed, out = random.normal(100, 30, 400).round(2), random.normal(90, 20, 250).round(2)
    tell(monitor, opened(monitor, [100.0] * 400), exposed.tolist())
    tell(monitor, opened(monitor, [100.0] * 250, headers={"x-holdout": "true"}), out.tolist())
    found = gap(monitor)
    assert [one.mean for one in found.groups] == pytest.approx([exposed.mean(), out.mean()], abs=1e-3)
    half = 1.959964 * np.sqrt(exposed.var(ddof=1) / 400 + out.var(ddof=1) / 250)
    assert (found.lower, found.upper) == pytest.approx((found.value - half, found.value + half), rel=1e-3)


@pytest.mark.parametrize(("exposed", "out"), [(0.02, 0.05), (0.5, 0.5), (0.9, 0.7)])
def test_the_interval_has_the_true_gap_about_95_times_of_100(
    exposed: float, out: float, profiles: dict[str, Profile]
) -> None:
    monitor = watching(profiles["binary"], BY_HEADER, holdout=HELD_OUT)
    exposing = performing(monitor).choosing._exposing
    assert exposing
    random = np.random.default_rng(6)
    hits = []
    for one, other in zip(random.binomial(900, exposed, 2000), random.binomial(100, out, 2000), strict=True):
        found = exposing._gap("1h", np.array([[900, one, one], [100, other, other]]))
        hits.append(found.lower <= exposed - out <= found.upper)
    assert 0.93 <= np.mean(hits) <= 0.985


def test_without_a_holdout_there_is_no_gap(profiles: dict[str, Profile], tmp_path: Path) -> None:
    for monitor in (
        watching(profiles["binary"], BY_HEADER),
        watching(profiles["binary"], holdout=HELD_OUT),
        watching(profile_of(KINDS["multiclass"], tmp_path), BY_HEADER, holdout=HELD_OUT),
    ):
        answers = [{f"proba_{name}": 1 / 3 for name in CLASSES}] if monitor.performing.task.scores[1:] else [0.5]
        tell(monitor, opened(monitor, answers * 5), [1] * 5)
        assert not looped(monitor).gaps
