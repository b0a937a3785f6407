"""Quantiles of live values: of a window, where enough values support them, beside those of the reference."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange
from profile_tables import profile_of

from exporter.decode import Decoder
from exporter.monitor import Monitor
from exporter.monitor.aspects.quantiles import RANKS, REFERENCE, WORD
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.snapshots import Measured

WINDOWS = Windows(pane=1.0, lengths=(10.0, 40.0, 400.0))


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    random = np.random.default_rng(1)
    table = {"x": random.normal(50, 10, 4000).tolist(), "word": ["a", "b"] * 2000, "p": random.random(4000).tolist()}
    made, _ = profile_of(tmp_path_factory.mktemp("profile") / "t.csv", table)
    return made


def observe(monitor: Monitor, values: Sequence[Any], at: float) -> None:
    seen = exchange([{"x": value, "word": "a"} for value in values], [0.5] * len(values), at=at)
    monitor.observe(seen, Decoder().decode(seen))


def told(monitor: Monitor, now: float, word: str = WORD) -> dict[tuple[str, ...], float]:
    monitor.flush()
    block = monitor.snapshot(now).features
    assert block
    found = [one for one in block.aspects if isinstance(one, Measured) and one.word == word]
    assert all(np.isnan(one.values[1:]).all() for one in found), "categories have none"
    window = (one.window for one in found)
    labels = [(*one.labels, *filter(None, [name])) for one, name in zip(found, window, strict=True)]
    values = [float(one.values[0]) for one in found]
    return {of: value for of, value in zip(labels, values, strict=True) if not math.isnan(value)}


def test_live_quantiles_are_those_of_the_rows_in_the_second_shortest_window(profile: Profile) -> None:
    monitor, values = Monitor(profile, WINDOWS, ()), np.random.default_rng(2).normal(500, 100, 2000).tolist()
    for at in range(20):
        observe(monitor, [*values[at * 100 : at * 100 + 100], None, "text"], 5.0 + at)
    found = told(monitor, 30.0)
    assert list(found) == [(f"{rank:g}", "40s") for rank in RANKS]
    assert list(found.values()) == pytest.approx(np.quantile(values, RANKS).tolist(), rel=0.06)
    assert not told(monitor, 70.0)


def test_a_quantile_is_told_where_ten_values_lie_on_either_side(profile: Profile) -> None:
    for rows, least in ((19, None), (20, "0.5"), (199, "0.1"), (200, "0.05"), (999, "0.05"), (1000, "0.01")):
        monitor = Monitor(profile, WINDOWS, ())
        observe(monitor, np.linspace(0, 100, rows).tolist(), 5.0)
        ranks = [rank for rank, _ in told(monitor, 5.0)]
        assert (ranks[0] if ranks else None) == least


def test_of_the_reference_there_are_the_quantiles_at_its_edges(profile: Profile) -> None:
    found = told(Monitor(profile, WINDOWS, ()), 0.0, REFERENCE)
    assert list(found) == [("0.01",), ("0.1",), ("0.5",), ("0.9",), ("0.99",)]
    assert found["0.5",] in profile.features[0].edges
    assert found["0.99",] == pytest.approx(50 + 10 * 2.326, abs=1.5)


def test_quantiles_go_on_after_a_death_and_after_a_restart(profile: Profile) -> None:
    first = Monitor(profile, WINDOWS, ())
    observe(first, np.linspace(0, 100, 1000).tolist(), 5.0)
    expected = told(first, 6.0)
    after_death, after_restart = Monitor(profile, WINDOWS, ()), Monitor(profile, WINDOWS, ())
    for name, array in after_death.arrays().items():
        array[...] = first.arrays()[name]
    after_restart.put_back(dict(first.held(6.0)), 1000.0, 1006.0)
    assert told(after_death, 6.0) == told(after_restart, 1006.0) == expected


def test_a_profile_of_one_value_has_quantiles_of_whatever_comes(tmp_path: Path) -> None:
    made, _ = profile_of(tmp_path / "t.csv", {"x": [0.0] * 100, "word": ["a", "b"] * 50})
    monitor = Monitor(made, WINDOWS, ())
    observe(monitor, [3.0] * 50, 5.0)
    assert list(told(monitor, 5.0).values()) == pytest.approx([3.0] * 3, abs=(3 + 1) / 8)


def test_rows_of_one_pane_stay_together_however_they_come(profile: Profile) -> None:
    """Quarters of five panes are none that rows could be counted by."""
    together, apart = (Monitor(profile, Windows(pane=1.0, lengths=(5.0,)), ()) for _ in range(2))
    for at in (10.1, 10.9, 11.1, 11.6):
        observe(together, [at] * 10, at)
        observe(apart, [at] * 10, at)
        apart.flush()
    for now in (11.7, 14.5, 15.5, 16.5, 17.5):
        assert told(together, now) == told(apart, now)
    assert told(apart, 14.5)
    assert not told(apart, 18.0)
