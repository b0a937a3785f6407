"""Windows of rows of a quiet side: what they hold is what its last rows were, and busy sides have none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from exporter import catalogue, config
from exporter.collect import columns
from exporter.decode.turned import Turned
from exporter.errors import ConfigError
from exporter.monitor.binner import Binner
from exporter.monitor.block import Block
from exporter.override import NOTHING
from exporter.records import Table
from exporter.reference import Column, Side
from exporter.sections import Windows
from exporter.snapshots import Scores

EDGES = tuple(float(edge) for edge in range(13))
COLUMN = Column("x", "numeric", (0, *[1000] * 12, 0, 0, 0), EDGES, mean=6.0, sd=3.46, minimum=0.0, maximum=12.0)
SIDE = Side((COLUMN, replace(COLUMN, name="y")), ("x", "y"))
SETTINGS = Windows(pane=60.0, lengths=(300.0, 3600.0), rows=(40, 200), minimum_samples=100)
Rows = NDArray[np.float64]


def block(windows: Windows = SETTINGS, **said: Any) -> Block:
    return Block(
        SIDE, windows, Binner(SIDE, None), by_name=True, said=(replace(NOTHING, **said), NOTHING) if said else ()
    )


def feed(one: Block, rows: Rows, at: float) -> Block:
    table = Table(len(rows), None, Turned(rows, 2))
    fit = one.fit(table)
    one.add(fit, table, 0, len(rows))
    one.flush(at)
    return one


def normal(rows: int, seed: int = 1) -> Rows:
    return np.random.default_rng(seed).uniform(0, 12, (rows, 2))


def quiet(of: Block | None = None) -> Block:
    """One that is known to be quiet at the moment 360."""
    return feed(feed(of or block(), normal(1), 0.0), normal(1), 1.0)


def scored(of: Block, now: float) -> dict[str, Scores]:
    return {one.window: one for one in of.snapshot(now).scores}


def test_a_quiet_side_has_windows_of_rows_and_a_busy_one_has_not() -> None:
    slow, busy = block(), block()
    for minute in range(30):
        feed(slow, normal(3, minute), minute * 60.0)
        feed(busy, normal(30, minute), minute * 60.0)
    assert list(scored(slow, 1800.0)) == ["5m", "1h", "40rows", "200rows"]
    assert list(scored(busy, 1800.0)) == ["5m", "1h"]


def test_a_window_of_rows_is_scored_as_one_of_time_that_holds_the_same() -> None:
    said = {"range": (1.0, 9.0)}
    rows = normal(105, 7) ** 0.8
    rows[::9, 0] = np.nan
    by_rows = quiet(block(**said))
    for start in range(0, 105, 5):
        feed(by_rows, rows[start : start + 5], 400.0 + 60 * start)
    by_time = feed(block(**said), rows[-41:], 400.0)  # the last pane of two rows has one
    found, expected = scored(by_rows, 400.0 + 60 * 100)["40rows"], scored(by_time, 400.0)["5m"]
    assert np.array_equal(found.counts, expected.counts)
    for one, other in ((found.values, expected.values), (found.critical, expected.critical)):
        for name, values in one.items():
            assert np.array_equal(values, other[name], equal_nan=True), name
    for name, values in found.ratios.items():
        assert np.array_equal(values, expected.ratios[name], equal_nan=True), name
    assert found.ratios["out_of_range"][0] > 0
    assert np.array_equal(found.deviation, expected.deviation)


def test_fifty_rows_never_suffice_and_two_hundred_do() -> None:
    found = quiet()
    feed(found, np.full((50, 2), 99.0), 400.0)
    assert not any(one.sufficient.any() for one in scored(found, 400.0).values())
    feed(found, np.full((150, 2), 99.0), 800.0)
    sufficient = {name: bool(one.sufficient.all()) for name, one in scored(found, 4100.0).items()}
    assert sufficient == {"5m": False, "1h": True, "40rows": False, "200rows": True}


def test_drift_of_a_model_that_is_seldom_asked_shows_in_its_last_rows_long_before_the_hour_knows() -> None:
    found = quiet()
    for minute in range(6, 60):
        feed(found, normal(4, minute) * (0.3 if minute >= 35 else 1.0), minute * 60.0)
    now = scored(found, 59 * 60.0)
    assert now["40rows"].values["total_variation"][0] > 0.5
    assert now["1h"].values["total_variation"][0] < 0.45


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_how_rows_are_batched_changes_no_window(size: int) -> None:
    rows = [normal(60, minute) for minute in range(6, 12)]
    whole, parts = quiet(), quiet()
    for minute, some in enumerate(rows):
        feed(whole, some, 360.0 + minute * 300.0)
        for start in range(0, 60, size):
            feed(parts, some[start : start + size], 360.0 + minute * 300.0 + start / 10)
    for name, array in whole.arrays("x").items():
        assert np.array_equal(array, parts.arrays("x")[name]), name


def test_when_traffic_comes_back_the_windows_begin_anew_with_the_next_lull() -> None:
    found = quiet()
    feed(found, np.full((30, 2), 2.5), 400.0)
    for minute in range(10, 100):
        feed(found, normal(200, minute), minute * 60.0)
    assert list(scored(found, 100 * 60.0)) == ["5m", "1h"]
    feed(found, np.full((3, 2), 2.5), 110 * 60.0)
    feed(found, np.full((3, 2), 3.5), 110 * 60.0)
    assert scored(found, 110 * 60.0)["40rows"].counts[0].nonzero()[0].tolist() == [3, 4]
    assert scored(found, 110 * 60.0)["40rows"].samples.tolist() == [6, 6]


def test_windows_of_rows_leave_when_the_longest_window_of_time_is_empty() -> None:
    found = feed(quiet(), normal(50), 400.0)
    assert "40rows" in scored(found, 400.0 + 3500.0)
    assert "40rows" not in scored(found, 400.0 + 3700.0)


def test_a_window_says_how_long_ago_its_first_row_came() -> None:
    found = quiet()
    for minute in range(6, 66):
        feed(found, normal(1, minute), minute * 60.0 + 10.0)
    assert scored(found, 4000.0)["40rows"].reach_s == 4000.0 - 24 * 60.0, "42 rows are 21 panes"
    assert scored(found, 4000.0)["200rows"].reach_s == 4000.0 - 6 * 60.0


def test_after_a_death_and_after_a_restart_the_same_rows_are_the_last() -> None:
    old, whole = quiet(), quiet()
    for one in (old, whole):
        feed(one, normal(90, 3), 400.0)
    heir, restarted = block(), block()
    for name, array in heir.arrays("x").items():
        array[...] = old.arrays("x")[name]
    restarted.put_back(dict(old.held("x", 500.0)), "x", -10_000.0, -9400.0)
    for one, shift in ((heir, 0.0), (whole, 0.0), (restarted, -10_000.0)):
        feed(one, normal(33, 4), 700.0 + shift)
    now = {one: scored(one, 1100.0 + shift) for one, shift in ((heir, 0.0), (whole, 0.0), (restarted, -10_000.0))}
    for rows in ("40rows", "200rows"):
        expected = now[whole][rows]
        for one in (heir, restarted):
            assert np.array_equal(now[one][rows].counts, expected.counts)
            assert np.array_equal(now[one][rows].deviation, expected.deviation)
            assert now[one][rows].reach_s == expected.reach_s


def test_none_are_kept_where_none_are_asked_for() -> None:
    without = block(replace(SETTINGS, rows=()))
    assert not any("by_rows.counts" in name for name in without.arrays("x"))
    assert list(scored(feed(quiet(without), normal(5), 400.0), 700.0)) == ["5m", "1h"]


def test_memory_does_not_depend_on_traffic() -> None:
    found = quiet()
    before = {name: array.nbytes for name, array in found.arrays("x").items()}
    for minute in range(6, 40):
        feed(found, normal(250, minute), minute * 400.0)
    assert {name: array.nbytes for name, array in found.arrays("x").items()} == before


@pytest.mark.parametrize(("samples", "sufficient", "shortest"), [
    ((3, 90, 45, 90), (False, False, False, False), None),
    ((3, 900, 205, 900), (False, True, True, True), "40rows"),
    ((300, 900, 205, 900), (True, True, True, True), "5m"),
    ((3, 900, 45, 900), (False, True, False, True), "1h"),
])  # fmt: skip
def test_the_shortest_window_that_suffices_is_named(
    samples: tuple[int, ...], sufficient: tuple[bool, ...], shortest: str | None
) -> None:
    one = block(replace(SETTINGS, compare=())).snapshot(0.0)
    scores = tuple(
        one.scores[0]._replace(window=name, samples=np.full(2, count), sufficient=np.full(2, enough))
        for name, count, enough in zip(("5m", "1h", "40rows", "200rows"), samples, sufficient, strict=True)
    )
    found = columns._shortest(catalogue.FEATURES, [("x",), ("y",)], scores)
    assert [labels for labels, _ in found.values] == ([("x", shortest), ("y", shortest)] if shortest else [])


@pytest.mark.parametrize(("given", "rows"), [
    ("[]", ()), ("200", (200,)), ("[1000, 200, 200]", (200, 1000)), ([40], (40,)), ("210", None), ("0", None),
    ("soon", None), (7, None),
])  # fmt: skip
def test_lengths_in_rows_are_multiples_of_twenty(given: Any, rows: tuple[int, ...] | None) -> None:
    if rows is None:
        with pytest.raises(ConfigError, match="rows"):
            config.resolve(("test", {"windows.rows": given}))
    else:
        assert config.resolve(("test", {"windows.rows": given})).windows.rows == rows


def test_a_window_of_rows_that_is_empty_begins_nowhere() -> None:
    found = scored(quiet(), 400.0)["40rows"]
    assert not found.samples.any()
    assert np.isnan(found.reach_s)
