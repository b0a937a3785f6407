"""Live windows against each other: what has changed since the window before, since a week ago, between versions."""

from dataclasses import replace

import numpy as np
import pytest
from monitor_scenes import exchange
from numpy.typing import NDArray

from exporter import config
from exporter.drift import STATISTICS
from exporter.drift.summary import of_bins
from exporter.monitor.live import Live
from exporter.monitor.models import Models
from exporter.profile.directory import OneProfile
from exporter.records import Failure, Observation, Table
from exporter.reference import Column, Profile, Side
from exporter.sections import Windows
from exporter.sketch.window import Windows as Counts
from exporter.snapshots import Compared

HOUR, DAY = 3600.0, 86_400.0
EDGES = tuple(float(edge) for edge in range(13))
COLUMN = Column("x", "numeric", (0, *[1000] * 12, 0, 0, 0), EDGES, mean=6.0, sd=3.46, minimum=0.0, maximum=12.0)
SIDE = Side((COLUMN, replace(COLUMN, name="y")), ("x", "y"))
ALL = ("previous", "last_week", "versions")
SETTINGS = Windows(compare=ALL)
EVEN = np.full(12, 1 / 12)
TILTED = np.linspace(1, 3, 12) / 24


def beyond(one: Compared, name: str = "total_variation") -> NDArray[np.bool_]:
    return one.values[name] > one.critical[name]


def by_name(found: list[Compared]) -> dict[tuple[str, str], Compared]:
    return {(one.against, one.window): one for one in found}


class Watch:
    """One column of sixteen bins, given as counts."""

    def __init__(self, windows: Windows = SETTINGS, dependence: float | None = None) -> None:
        self.live = Live([replace(COLUMN, dependence=dependence)], windows)
        self.counts = Counts(windows.lengths, windows.pane, (1, 16), np.int32, self.live.pasts)

    def minute(self, at: float, rows: int, shares: NDArray[np.float64], seed: int) -> None:
        counts = np.zeros((1, 16), np.int64)
        counts[0, 1:13] = np.random.default_rng(seed).multinomial(rows, shares)
        self.counts.add(at, counts)

    def compared(self, now: float) -> dict[tuple[str, str], Compared]:
        return by_name(list(self.live.with_past(self.counts, now)))


def test_windows_are_compared_as_the_settings_say() -> None:
    assert set(Watch().compared(0.0)) == {("previous", "5m"), ("previous", "1h"), ("previous", "24h"),
                                          ("last_week", "1h")}  # fmt: skip
    assert not Watch(Windows(compare=())).compared(0.0)
    shown = set(Watch(Windows(lengths=(300.0, 6 * HOUR, DAY), compare=("last_week",))).compared(0.0))
    assert shown == {("last_week", "6h")}, "the one nearest to an hour, of those that are not too short"
    assert not Watch(Windows(lengths=(300.0,), compare=("last_week",))).compared(0.0)


def test_the_scores_are_those_of_the_two_windows_counts() -> None:
    watch = Watch(dependence=4.0)
    for minute in range(10):
        watch.minute(minute * 60.0, 300, EVEN if minute < 5 else TILTED, minute)
    past = next(past for past in watch.live.pasts if past.length == 300.0)
    current, previous = (of_bins(one)._replace(dependence=np.array([4.0])) for one in watch.counts.pair(599.0, past))
    assert current.samples[0] == previous.samples[0] == 1500
    found = watch.compared(599.0)["previous", "5m"]
    for name in ("total_variation", "psi"):
        one = STATISTICS[name]
        assert one.critical
        assert found.values[name] == pytest.approx(one.score(previous, current), abs=1e-12)
        assert found.critical[name] == pytest.approx(one.critical(previous, current), abs=1e-12)
    alone = Watch()
    alone.counts = watch.counts
    assert found.critical["psi"][0] == pytest.approx(4 * alone.compared(599.0)["previous", "5m"].critical["psi"][0])


def test_what_lacks_values_on_either_side_has_no_score() -> None:
    watch = Watch()
    for minute in range(5, 10):
        watch.minute(minute * 60.0, 300, EVEN, minute)
    assert np.isnan(watch.compared(599.0)["previous", "5m"].values["psi"][0])
    watch.minute(0.0, 199, EVEN, 1)
    assert np.isnan(watch.compared(599.0)["previous", "5m"].critical["total_variation"][0])
    watch.minute(0.0, 1, EVEN, 2)
    assert not np.isnan(watch.compared(599.0)["previous", "5m"].values["psi"][0])


def test_a_step_is_seen_against_the_window_before_and_gone_one_window_later() -> None:
    watch, found = Watch(), []
    for minute in range(60):
        watch.minute(minute * 60.0, 400, TILTED if minute >= 30 else EVEN, minute)
        one = watch.compared(minute * 60.0 + 59.0)["previous", "5m"]
        found.append(bool(beyond(one)[0] and beyond(one, "psi")[0]))
    assert found[34], "the whole window is behind the step, the one before is before it"
    assert not any(found[:30])
    assert not any(found[40:])


def test_the_same_hour_of_last_week_is_quiet_where_the_hour_before_is_not() -> None:
    watch = Watch()

    def live_until(hour: int, end: int) -> None:
        for one in range(hour, end):  # every day is like this
            watch.minute(one * HOUR, 2000, TILTED if one % 24 < 12 else EVEN, one)

    noon = 7 * 24 + 12
    live_until(0, noon + 1)
    now = noon * HOUR + HOUR / 2
    found = watch.compared(now)
    assert not beyond(found["last_week", "1h"])[0]
    assert beyond(found["previous", "1h"])[0]
    live_until(noon + 1, noon + 4)
    assert not beyond(watch.compared((noon + 4.2) * HOUR)["last_week", "1h"])[0]
    watch.minute((noon + 4) * HOUR, 2000, TILTED, 1)
    assert beyond(watch.compared((noon + 5.2) * HOUR)["last_week", "1h"])[0], "an afternoon like no other"


@pytest.mark.parametrize("dependence", [None, 3.0])
def test_equal_traffic_stays_quiet(dependence: float | None) -> None:
    """Both critical values are for once in 1000 pairs: of 4000, more than 14 by PSI has a chance of one in 10,000."""
    random = np.random.default_rng(11)
    columns = [replace(COLUMN, dependence=dependence)] * 4000
    live, bursts = Live(columns, SETTINGS), int(dependence or 1)
    counts = Counts((300.0,), 60.0, (4000, 16), np.int64, live.pasts)
    for minute in range(10):
        drawn = np.zeros((4000, 16), np.int64)
        drawn[:, 1:13] = bursts * random.multinomial(240 // bursts, EVEN, 4000)
        counts.add(minute * 60.0, drawn)
    found = by_name(list(live.with_past(counts, 599.0)))["previous", "5m"]
    assert beyond(found, "psi").sum() <= 14
    assert beyond(found).sum() <= 4
    assert (found.values["psi"] > 0).all()
    assert np.isfinite([*found.values.values(), *found.critical.values()]).all()


# --- versions


PROFILE = Profile("churn", "1", None, 12_000, "train.csv", SIDE.columns, (), digest="ab" * 32)


def models(**given: object) -> Models:
    found = config.resolve(("test", {"profile": "profile.json", **given}))
    return Models(found, OneProfile(PROFILE, found.model.name))


def see(watched: Models, version: str, rows: NDArray[np.float64], at: float) -> None:
    table = Table(len(rows), ("x", "y"), tuple(rows.T.tolist()))
    watched.observe(exchange([], [], at), Observation(table, Failure("empty"), model="churn", version=version))


def against(watched: Models, now: float) -> dict[str, dict[str, list[Compared]]]:
    """By version, and by what it is compared with."""
    found: dict[str, dict[str, list[Compared]]] = {}
    for one in watched.shown(now):
        for each in one.snapshot.features.live if one.snapshot.features else ():
            found.setdefault(one.label.version, {}).setdefault(each.against, []).append(each)
    return found


def uniform(rows: int, seed: int, high: float = 12.0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(0, high, (rows, 2))


def test_a_version_that_differs_is_found_though_both_have_left_the_training_data() -> None:
    watched = models()
    for minute in range(5):
        see(watched, "1", uniform(400, minute, 6.0), 600.0 + minute * 60.0)
        see(watched, "2", uniform(400, 50 + minute, 6.0), 610.0 + minute * 60.0)
    equal = against(watched, 899.0)["2"]["version:1"]
    assert [one.window for one in equal] == ["5m", "1h", "24h"]
    assert not any(beyond(one, name).any() for one in equal for name in ("psi", "total_variation"))
    for one in watched.shown(899.0)[:2]:
        assert one.snapshot.features
        assert (one.snapshot.features.scores[0].values["total_variation"] > 0.4).all(), "both drift"
    for minute in range(5, 10):
        see(watched, "1", uniform(400, minute, 6.0), 600.0 + minute * 60.0)
        see(watched, "2", uniform(400, 50 + minute, 6.0) * [1.0, 0.7], 610.0 + minute * 60.0)
    differs = against(watched, 1199.0)["2"]["version:1"][0]
    assert beyond(differs).tolist() == beyond(differs, "psi").tolist() == [False, True]


def test_the_newest_version_is_compared_with_the_last_four_others_and_they_with_none() -> None:
    watched = models()
    for place, version in enumerate("ghbadc"):
        see(watched, version, uniform(300, place), 600.0 + 60.0 * place)
    found = against(watched, 1000.0)
    assert [word for word in found["c"] if word != "previous"] == ["version:d", "version:a", "version:b", "version:h"]
    assert all(set(found[version]) == {"previous"} for version in "ghbad")


def test_a_version_alone_is_compared_with_none_and_nor_is_any_where_it_is_switched_off() -> None:
    watched = models()
    see(watched, "1", uniform(300, 1), 600.0)
    assert set(against(watched, 700.0)["1"]) == {"previous"}
    without = models(**{"windows.compare": "previous"})
    for version in "12":
        see(without, version, uniform(300, 1), 600.0)
    assert all(set(one) == {"previous"} for one in against(without, 700.0).values())


def test_a_version_that_has_gone_is_compared_as_long_as_its_windows_hold_enough() -> None:
    watched = models()
    see(watched, "1", uniform(300, 1), 600.0)
    see(watched, "2", uniform(300, 2), 660.0)
    for minute in range(2, 20):
        see(watched, "2", uniform(300, minute), 600.0 + minute * 60.0)
    known = {
        one.window: bool(np.isfinite(one.values["psi"]).all()) for one in against(watched, 1700.0)["2"]["version:1"]
    }
    assert known == {"5m": False, "1h": True, "24h": True}
