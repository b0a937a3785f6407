"""Rows that are unusual as a whole: from where on the training data say so, and what share of a window is."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from monitor_scenes import exchange
from profile_tables import profile_of, write_csv

from exporter.adoption import Adoption
from exporter.decode import Decoder
from exporter.monitor import Monitor
from exporter.monitor.aspects.unusual import critical
from exporter.monitor.said import Said
from exporter.override import NO_OVERRIDES, Override, Overrides
from exporter.profile import document
from exporter.profile.build import Plan, build, build_like
from exporter.profile.in_force import in_force
from exporter.profile.merge import merge
from exporter.reference import Column, Profile, Unusual
from exporter.sections import Windows
from exporter.sketch.binning import CategoryBins, NumberBins
from exporter.snapshots import OfSide

WINDOWS = Windows(pane=1.0, lengths=(10.0, 100.0))
NUMBERS = tuple(f"x{place}" for place in range(12))
TOWNS = ("a", "b", "c", "d")
Table = dict[str, list[Any]]


def table(random: Any, rows: int, wide: float = 1.0) -> Table:
    """Twelve numbers that go together a little, and a category; `wide` makes each of them a little more extreme."""
    common = random.normal(size=rows)
    found: Table = {name: ((0.5 * common + random.normal(size=rows)) * wide).tolist() for name in NUMBERS}
    found["x3"][:: max(2, int(50 / wide))] = [None] * len(found["x3"][:: max(2, int(50 / wide))])
    found["town"] = random.choice(TOWNS, rows, p=[0.6, 0.3, 0.07, 0.03]).tolist()
    return found


@pytest.fixture(scope="module")
def training() -> Table:
    return table(np.random.default_rng(1), 12_000)


@pytest.fixture(scope="module")
def profile(training: Table, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return profile_of(tmp_path_factory.mktemp("profile") / "t.csv", training)[0]


def by_hand(columns: tuple[Column, ...], rows: Table) -> Any:
    """Σ -ln r of each row, rounded as the documentation says."""
    total = np.zeros(len(rows["town"]))
    for column in columns:
        if column.ordered:
            values = np.array([math.nan if cell is None else cell for cell in rows[column.name]])[:, None]
            bins = NumberBins([column.edges]).place(values, np.isnan(values))[:, 0]
        else:
            bins = CategoryBins(column.categories, column.others).place(rows[column.name])
        shares = (np.array(column.counts) + 0.5) / (sum(column.counts) + len(column.bins()) / 2)
        total += np.round(-1024 * np.log(shares[bins]))
    return total


def watch(profile: Profile, rows: Table, sizes: int = 500, said: Overrides = NO_OVERRIDES) -> Monitor:
    monitor = Monitor(profile, WINDOWS, (), Said(said))
    listed = [dict(zip(rows, cells, strict=True)) for cells in zip(*rows.values(), strict=True)]
    for start in range(0, len(listed), sizes):
        part = listed[start : start + sizes]
        seen = exchange(part, [0.5] * len(part), at=1.0)
        monitor.observe(seen, Decoder().decode(seen))
    monitor.flush()
    return monitor


def shares(monitor: Monitor, now: float = 1.0) -> dict[tuple[str, str], float]:
    features = monitor.snapshot(now).features
    assert features
    return {(one.word, one.window): one.value for one in features.aspects
            if isinstance(one, OfSide) and one.word.startswith("unusual_rows")}  # fmt: skip


def share(monitor: Monitor, window: str = "10s") -> tuple[float, float]:
    found = shares(monitor)
    return found["unusual_rows_ratio", window], found["unusual_rows_ratio_critical", window]


def test_the_profile_says_where_the_last_hundredth_of_its_rows_begins(profile: Profile, training: Table) -> None:
    found = by_hand(profile.features, training)
    assert profile.unusual
    assert profile.unusual.rows == 12_000
    assert profile.unusual.beyond == (found >= profile.unusual.point).sum()
    assert 100 <= profile.unusual.beyond <= 120


def test_rows_like_those_of_the_training_are_as_unusual_as_those(profile: Profile) -> None:
    rows = table(np.random.default_rng(2), 4000)
    found, beyond = share(watch(profile, rows))
    assert profile.unusual
    assert found == (by_hand(profile.features, rows) >= profile.unusual.point).mean()
    assert 0.005 < found < beyond < 0.02


def test_one_row_in_twenty_that_is_off_a_little_everywhere_is_found(profile: Profile) -> None:
    random = np.random.default_rng(3)
    usual, odd = table(random, 1900), table(random, 100, 2.0)
    found, beyond = share(watch(profile, {name: usual[name] + odd[name] for name in usual}))
    assert found > 1.3 * beyond
    features = watch(profile, odd).snapshot(1.0).features
    assert features
    outside = features.scores[0].ratios["out_of_range"][: len(NUMBERS)]
    assert np.nanmax(outside) < 0.2  # hardly a value is one that the training data did not have


def test_neither_order_nor_batches_change_the_count(profile: Profile) -> None:
    random = np.random.default_rng(4)
    rows = table(random, 700, 1.3)
    expected = watch(profile, rows).arrays()
    order = random.permutation(700)
    shuffled = {name: [cells[at] for at in order] for name, cells in rows.items()}
    for sizes in (1, 13, 700):
        found = watch(profile, shuffled, sizes).arrays()
        assert all((array == found[name]).all() for name, array in expected.items() if ".unusual" in name)


def test_windows_end_and_another_process_goes_on(profile: Profile) -> None:
    before = watch(profile, table(np.random.default_rng(5), 300, 1.5))
    after, later = Monitor(profile, WINDOWS, ()), Monitor(profile, WINDOWS, ())
    for name, array in before.arrays().items():
        after.arrays()[name][...] = array
    assert shares(after) == shares(before)
    assert {window for _, window in shares(before, 50.0)} == {"100s"}
    assert later.put_back(dict(before.held(1.0)), 1000.0, 1001.0)
    assert shares(later, 1001.0) == shares(before)


def test_a_column_that_people_ignore_makes_no_row_unusual(profile: Profile) -> None:
    rows = table(np.random.default_rng(6), 2000) | {"town": ["nowhere"] * 2000}
    alone, beyond = share(watch(profile, rows))
    assert alone > beyond
    found, beyond = share(watch(profile, rows, said=Overrides({"town": Override(ignore=True)})))
    assert found < beyond


def test_what_was_adopted_merged_or_counted_once_knows_no_unusual_rows(
    profile: Profile, training: Table, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "t.csv", training | {"p": [0.5] * 12_000})
    assert build(Plan(path, ["p"]))[0].unusual == profile.unusual
    assert build_like(Plan(path), profile).unusual == profile.unusual
    other = write_csv(tmp_path / "o.csv", {name: cells[1:] for name, cells in training.items()} | {"p": [0.5] * 11_999})
    assert build_like(Plan(other), profile).unusual is None  # its shares are others than those that rows were held to
    assert merge([("a", profile), ("b", profile)]).unusual is None
    town = profile.features[-1]
    taken = Adoption("features", town.name, town.counts, (0.0, 0.0, 0.0, 0.0), "me", "why", 1.0, 9.0, "24h")
    adopted = replace(profile, adoptions=(taken,))
    assert in_force(adopted, 5.0).unusual is None
    assert in_force(adopted, 10.0).unusual == profile.unusual
    assert shares(watch(replace(profile, unusual=None), table(np.random.default_rng(7), 10))) == {}
    few, _ = profile_of(tmp_path / "few.csv", {name: cells[:499] for name, cells in training.items()})
    assert few.unusual is None


def test_the_point_is_part_of_the_document(profile: Profile) -> None:
    assert document.parse(document.describe(profile)) == replace(profile, digest=document.digest(profile))
    without = replace(profile, unusual=None)
    assert "unusual" not in document.describe(without)
    assert document.digest(without) != document.digest(profile)


@pytest.mark.parametrize(("rows", "reference"), [
    (200, Unusual(9, 10_000, 100)), (5000, Unusual(9, 600, 0)), (10**7, Unusual(9, 10**6, 9_999)),
    (1, Unusual(9, 500, 5)),
])  # fmt: skip
def test_the_critical_value_is_a_quantile_of_a_negative_binomial_count(rows: int, reference: Unusual) -> None:
    law = scipy.stats.nbinom(reference.beyond + 0.5, reference.rows / (reference.rows + rows))
    assert critical(rows, reference) == min(1.0, law.ppf(0.999) / rows)
    assert critical(rows, reference) <= critical(rows, reference, 4.0) <= 1


@pytest.mark.parametrize("dependence", [1, 5])
def test_chance_exceeds_the_critical_value_as_often_as_it_says(dependence: int) -> None:
    random = np.random.default_rng(8)
    draws, level, rows, size = 4000, 0.05, 1000, 10_000
    beyond, unusual = random.binomial(size, 0.0095, draws), random.binomial(rows // dependence, 0.0095, draws)
    exceeded = [
        dependence * count / rows > critical(rows, Unusual(1, size, known), dependence, level)
        for count, known in zip(unusual.tolist(), beyond.tolist(), strict=True)
    ]
    assert level / 5 < np.mean(exceeded) <= level + 3 * math.sqrt(level / draws)
