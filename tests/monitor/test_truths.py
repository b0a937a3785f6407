"""Target drift: truths against those of the training data, in windows by when they come."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats

from exporter.hindsight import Performance
from exporter.monitor.truths import Truths, truths_of
from exporter.performance.task import canonical
from exporter.reference import Column
from exporter.scalars.salted import Salt
from exporter.target import Target

HOUR, DAY, PANE_S = 3600.0, 86_400.0, 60.0
SETTINGS = Performance(windows=(HOUR, DAY), minimum_samples=100)
NOW = 10 * DAY
BOUGHT = Column("bought", "boolean", (9000, 1000, 0, 0, 0), categories=("false", "true"))
CITY = Column("city", "categorical", (500, 300, 150, 0, 0, 50), categories=("Berlin", "Paris", "Rome"), others=("Ulm",))
PRICE = Column("price", "numeric", (0, *[100] * 12, 0, 0, 0), tuple(map(float, range(13))))


def watched(column: Column, task: str = "multiclass", **more: Any) -> Truths:
    found = truths_of(Target(column, task), SETTINGS, PANE_S, **more)
    assert found
    return found


def tell(truths: Truths, values: list[Any], at: Any) -> None:
    truths.add([canonical(value) for value in values], np.broadcast_to(np.array(at, float), len(values)))


def test_scores_are_those_done_by_hand() -> None:
    truths = watched(BOUGHT, "binary")
    tell(truths, [False] * 700 + [True] * 300, NOW - 60)
    hour, _ = truths.snapshot(NOW)
    assert (hour.window, hour.samples, hour.sufficient) == ("1h", 1000, True)
    assert hour.total_variation == pytest.approx(0.2, abs=1e-12)
    p, r = np.array([700.5, 300.5]) / 1001, np.array([9000.5, 1000.5]) / 10_001
    assert hour.psi == pytest.approx(((p - r) * np.log(p / r)).sum(), rel=1e-12)
    assert hour.psi_critical == pytest.approx(scipy.stats.chi2.ppf(0.999, 1) * (1 / 1000 + 1 / 10_000), rel=1e-3)
    assert hour.total_variation > hour.total_variation_critical
    assert hour.psi > hour.psi_critical


def test_truths_like_those_of_the_training_are_within_what_chance_does() -> None:
    truths = watched(BOUGHT, "binary")
    tell(truths, (np.random.default_rng(1).random(2000) < 0.1).tolist(), NOW)
    hour, _ = truths.snapshot(NOW)
    assert hour.total_variation < hour.total_variation_critical
    assert hour.psi < hour.psi_critical


@pytest.mark.parametrize(
    ("values", "moved"),
    [
        ([True, "true", 1, "1"], 0.9),
        (["Berlin"], 0.5),
        (["Atlantis"], 1.0),
    ],
)
def test_a_truth_is_the_same_in_each_spelling(values: list[Any], moved: float) -> None:
    truths = watched(BOUGHT if values[0] is True else CITY)
    tell(truths, values, NOW)
    assert truths.snapshot(NOW)[0].total_variation == pytest.approx(moved)


def test_numbers_fall_into_the_bins_of_the_training() -> None:
    truths = watched(PRICE, "regression")
    tell(truths, [0.5, 1.5, 2, 11.99, 12.0, -1, "seven"], NOW)
    hour, _ = truths.snapshot(NOW)
    live = np.array([1, 1, 1, 1, 1, 1, 1]) / 7  # below, 1, 2, 3, 12, above, non-finite
    reference = np.array([0, 1, 1, 1, 1, 0, 0]) / 12
    assert hour.total_variation == pytest.approx((np.abs(live - reference).sum() + 8 / 12) / 2)


def test_hashed_categories_are_compared_by_their_hashes() -> None:
    salt = Salt(b"a secret that is long enough")
    names = tuple(map(salt.name, CITY.categories))
    hashed = Column("city", "categorical", CITY.counts, categories=names, salt=salt.fingerprint)
    plain, hidden = watched(CITY), watched(hashed, salt=salt)
    for truths in (plain, hidden):
        tell(truths, ["Berlin"] * 40 + ["Rome"] * 80 + ["Oslo"] * 7, NOW)
    assert hidden.snapshot(NOW) == plain.snapshot(NOW)


@pytest.mark.parametrize("salt", [None, Salt(b"another one that is long enough")])
def test_nothing_is_counted_of_categories_that_nobody_here_can_hash(salt: Salt | None) -> None:
    truths = watched(Column("city", "categorical", CITY.counts, categories=("a", "b", "c"), salt="0" * 16), salt=salt)
    tell(truths, ["Berlin"] * 400, NOW)
    assert [one.samples for one in truths.snapshot(NOW)] == [0, 0]


def test_windows_go_by_when_truths_came() -> None:
    truths = watched(BOUGHT)
    tell(truths, [True] * 150 + [False] * 30, [NOW - 2 * HOUR] * 150 + [NOW - 30.0] * 30)
    hour, day = truths.snapshot(NOW)
    assert (hour.samples, hour.sufficient, day.samples, day.sufficient) == (30, False, 180, True)
    assert hour.total_variation == pytest.approx(0.1)


def test_an_empty_window_has_no_scores() -> None:
    truths = watched(BOUGHT)
    tell(truths, [], NOW)
    for one in truths.snapshot(NOW):
        assert (one.samples, one.sufficient) == (0, False)
        assert all(map(math.isnan, one[3:]))


def test_order_and_batches_make_no_difference() -> None:
    draw = np.random.default_rng(2)
    values = draw.choice(["Berlin", "Paris", "Ulm", "Oslo"], 1000).tolist()
    at = NOW - draw.uniform(0, DAY, 1000)
    whole, other = watched(CITY), watched(CITY)
    tell(whole, values, at)
    for some in np.array_split(np.argsort(at), 37):  # a pane that has left a ring takes nothing any more
        tell(other, [values[place] for place in some], at[some])
    assert other.snapshot(NOW) == whole.snapshot(NOW)


def test_windows_go_on_after_a_restart_with_another_clock() -> None:
    first, second = watched(BOUGHT), watched(BOUGHT)
    tell(first, [True] * 120, NOW - 600)
    held = {name: array.copy() for name, array in first.held("m", NOW)}
    assert second.put_back(held, "m", -NOW + 5 * DAY, 5 * DAY)
    assert second.snapshot(5 * DAY) == first.snapshot(NOW)


def test_they_go_on_from_arrays_that_were_kept() -> None:
    first, second = watched(BOUGHT), watched(BOUGHT)
    tell(first, [True] * 120, NOW - 600)
    for name, array in second.arrays("m").items():
        array[...] = first.arrays("m")[name]
    assert second.snapshot(NOW) == first.snapshot(NOW)


@pytest.mark.parametrize("target", [None, Target(Column("y", "boolean", (0,) * 5, categories=("a", "b")), "binary")])
def test_without_truths_in_the_training_there_is_nothing_to_compare_with(target: Target | None) -> None:
    assert truths_of(target, SETTINGS, PANE_S) is None
