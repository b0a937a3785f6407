"""How good the model is in each segment of its traffic: exact in any order and through restarts."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange, write_csv
from sklearn import metrics

from exporter.decode import Decoder
from exporter.hindsight import Performance
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.predicting import Hindsight
from exporter.monitor.said import Said
from exporter.performance.extra import Extra, pack
from exporter.performed import SegmentJudged
from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.reference import Profile
from exporter.sections import Segments, Windows
from exporter.segmentations import segmentations
from exporter.truths import Joined, Owner

WINDOWS = Windows(pane=1.0, lengths=(60.0,))
SETTINGS = Performance(windows=(60.0, 3600.0), minimum_samples=100)
BY = ["country", {"name": "age", "edges": [30, 50]}, {"name": "tenant", "header": "X-Tenant"}]
COUNTRIES = ("A", "B", "C")
NUMBERS = count(1)
Row = dict[str, Any]


def table(rows: int, seed: int, bad: str = "") -> list[Row]:
    """The model is wrong in a tenth of the cases; in country C, and in a bad one, in 30 of 100."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(rows):
        country = COUNTRIES[int(random.choice(3, p=[0.6, 0.3, 0.1]))]
        score = round(float(random.random()), 3)
        wrong = random.random() < (0.3 if country in {"C", bad} else 0.1)
        found.append({"country": country, "age": int(random.integers(18, 80)), "p": score,
                      "y": int((score >= 0.5) != wrong)})  # fmt: skip
    return found


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    rows, directory = table(8000, 1), tmp_path_factory.mktemp("judged")
    source = write_csv(directory / "train.csv", {name: [row[name] for row in rows] for name in rows[0]})
    plan = Plan(source, ["p"], target="y", segments={"country": (), "age": (30.0, 50.0)})
    return document.save(build(plan)[0], str(directory / "profile.json"))


def watching(profile: Profile, by: Any = BY, settings: Performance = SETTINGS) -> Monitor:
    said = Said(segments=Segments(by=segmentations(by)))
    return Monitor(profile, WINDOWS, (), said, Watching(hindsight=Hindsight(True, settings)))


def see(monitor: Monitor, rows: Sequence[Row], at: float, tenant: str = "") -> list[Joined]:
    """Rows are asked, and their truth comes half a second later."""
    asked = [{name: row[name] for name in ("country", "age")} for row in rows]
    headers = {"x-request-id": f"r{next(NUMBERS)}"} | ({"x-tenant": tenant} if tenant else {})
    one = exchange(asked, [row["p"] for row in rows], at, request_headers=headers)
    monitor.observe(one, Decoder().decode(one))
    monitor.flush()
    assert monitor.performing
    owner = Owner("m", "1", monitor.performing.task.written)
    return [
        Joined(next(NUMBERS), owner, opened.at_ms, opened.at_ms + 500, opened.content, b"%d" % row["y"], b"")
        for opened, row in zip(monitor.performing.take()[0], rows, strict=True)
    ]


def join(monitor: Monitor, joined: Sequence[Joined], now: float) -> None:
    assert monitor.performing
    monitor.performing.join(joined, now)


def judged(monitor: Monitor, now: float, window: str = "1m") -> dict[tuple[str, str], SegmentJudged]:
    performed = monitor.snapshot(now).performed
    assert performed
    return {(one.segment, one.value): one for one in performed.segments if one.window == window}


def counted(monitor: Monitor, now: float, window: str = "1m") -> dict[tuple[str, str], SegmentJudged]:
    """Without what depends on how truths come together, which is measured in their order."""
    return {key: one._replace(error_critical=0.0) for key, one in judged(monitor, now, window).items()}


def values(one: SegmentJudged) -> dict[str, float]:
    return {measure.name: measure.value for measure in one.measures}


def test_each_segment_has_the_measures_that_scikit_learn_gives_its_raw_rows(profile: Profile) -> None:
    monitor, rows = watching(profile), table(3000, 2)
    for at in range(0, 3000, 50):
        join(monitor, see(monitor, rows[at : at + 50], 10.0 + at / 300), 30.0)
    found = judged(monitor, 30.0)
    assert {key for key in found if key[0] != "tenant"} == {
        *(("country", name) for name in COUNTRIES),
        *(("age", name) for name in ("below 30", "30 to 50", "50 and above")),
    }
    for name in COUNTRIES:
        own = [row for row in rows if row["country"] == name]
        said, true = [int(row["p"] >= 0.5) for row in own], [row["y"] for row in own]
        one = found["country", name]
        assert one.samples == len(own)
        assert one.sufficient == (len(own) >= 100)
        assert values(one) == pytest.approx({
            "accuracy": metrics.accuracy_score(true, said), "precision": metrics.precision_score(true, said),
            "recall": metrics.recall_score(true, said),
            "brier": metrics.brier_score_loss(true, [row["p"] for row in own]),
        }, rel=1e-9)  # fmt: skip
        assert one.error == pytest.approx(1 - metrics.accuracy_score(true, said))
        (accuracy,) = (measure for measure in one.measures if measure.name == "accuracy")
        assert accuracy.lower < accuracy.value < accuracy.upper


def test_order_and_batches_and_a_death_of_the_analyser_make_no_difference(profile: Profile) -> None:
    rows, whole = table(600, 3), watching(profile)
    joined = [one for at in range(0, 600, 20) for one in see(whole, rows[at : at + 20], 5.0 + at / 100)]
    join(whole, joined, 20.0)
    order = np.random.default_rng(4).permutation(600)
    monitor = watching(profile)
    for number, part in enumerate(np.array_split(order, 7)):
        if number == 3:  # somebody else goes on with what was kept
            kept, monitor = monitor.arrays(), watching(profile)
            for name, array in monitor.arrays().items():
                array[...] = kept[name]
        join(monitor, [joined[at] for at in part], 20.0)
    for window in ("1m", "1h"):
        assert counted(monitor, 20.0, window) == counted(whole, 20.0, window)


def test_a_restart_goes_on_with_the_windows_and_what_was_joined_since(profile: Profile) -> None:
    rows, whole = table(400, 5), watching(profile)
    for at in range(0, 400, 40):  # values that came live are in other places afterwards
        tenant = "ab"[at >= 200]
        joined = see(whole, rows[at : at + 40], 5.0 + at / 100, tenant)
        join(whole, joined, 20.0)
        if at == 240:
            held = dict(whole.held(20.0))
            later = list[Joined]()
        elif at > 240:
            later += joined
    again = watching(profile)
    again.put_back(held, 0.0, 20.0)
    assert again.performing
    again.performing.rejoin(later, 20.0)
    again.performing.rejoin(joined[:0], 20.0)
    theirs, ours = counted(whole, 20.0), counted(again, 20.0)
    assert {key: one for key, one in ours.items() if key[0] != "tenant"} == {
        key: one for key, one in theirs.items() if key[0] != "tenant"
    }
    assert len(ours) > len(COUNTRIES)
    assert ours["tenant", "a"] == theirs["tenant", "a"]


def test_what_truths_say_of_segments_counts_before_what_requests_said(profile: Profile) -> None:
    monitor = watching(profile)
    joined = see(monitor, [row | {"country": "A"} for row in table(50, 6)], 5.0)
    join(monitor, [one._replace(extra=pack(Extra(segments=(("country", "B"),)))) for one in joined], 10.0)
    assert [key for key in judged(monitor, 10.0) if key[0] == "country"] == [("country", "B")]


def test_a_segment_that_is_served_worse_than_in_training_is_beyond_its_critical_share(profile: Profile) -> None:
    monitor, rows = watching(profile), table(2500, 7, bad="B")
    for at in range(0, 2500, 100):
        join(monitor, see(monitor, rows[at : at + 100], 5.0 + at / 100), 40.0)
    found = judged(monitor, 40.0, "1h")
    beyond = {key for key, one in found.items() if one.sufficient and one.error > one.error_critical}
    assert beyond == {("country", "B")}
    assert found["country", "C"].error_training == pytest.approx(0.3, abs=0.06)  # as it ever was
    assert found["country", "B"].error_training == pytest.approx(0.1, abs=0.03)
    assert np.isnan(found["tenant", "missing"].error_critical)  # nobody knows how it was in training


def test_where_the_training_data_say_nothing_of_wrong_ones_there_is_no_critical_share(profile: Profile) -> None:
    bare = replace(profile, segments=tuple(one._replace(errors=()) for one in profile.segments))
    for known in (bare, replace(profile, target=None)):
        monitor = watching(known)
        join(monitor, see(monitor, table(300, 8), 5.0), 10.0)
        found = judged(monitor, 10.0)
        assert all(np.isnan(one.error_critical) for one in found.values())
        assert found["country", "A"].error == pytest.approx(1 - values(found["country", "A"])["accuracy"])


def test_without_segments_there_is_nothing_by_segment(profile: Profile) -> None:
    monitor = watching(profile, [])
    join(monitor, see(monitor, table(10, 9), 5.0), 10.0)
    assert judged(monitor, 10.0) == {}
    assert not any(".judged." in name for name in monitor.arrays())


def test_the_memory_is_what_the_docs_say(profile: Profile) -> None:
    by = [{"name": f"h{at}", "header": f"X-{at}", "values": [f"v{one}" for one in range(50)]} for at in range(4)]
    monitor = watching(profile, by, replace(SETTINGS, windows=(3600.0, 86400.0, 604800.0, 2592000.0)))
    size = sum(array.nbytes for name, array in monitor.arrays().items() if ".judged." in name)
    assert 6e6 < size < 8e6
