"""What a window's counts say of the columns: which scores apply, how bursts count, and which bins moved."""

import dataclasses

import numpy as np
import pytest

from exporter.drift import STATISTICS
from exporter.monitor.scoring import Scoring
from exporter.reference import NUMERIC_BINS, Column
from exporter.snapshots import IMPACT

EDGES = tuple(float(edge) for edge in range(13))
EVEN = (0, *[1000] * 12, 0, 0, 0)
NUMBER = Column("x", "numeric", EVEN, EDGES, mean=6.0, sd=3.46, minimum=0.0, maximum=12.0)
CONSTANT = Column("c", "numeric", (0, 12_000, *[0] * 14), (5.0, 6.0), mean=5.0, sd=0.0, minimum=5.0, maximum=5.0)
NAMES = Column("n", "categorical", (6000, 6000, 0, 0, 0), categories=("a", "b"))


def scored(column: Column, counts: list[int], optional: tuple[str, ...] = ()):  # type: ignore[no-untyped-def] # noqa: ANN201
    width = len(column.counts)
    return Scoring([column], optional).score(np.array([counts + [0] * (width - len(counts))]), np.zeros(1))


def test_what_does_not_apply_is_not_a_number() -> None:
    for column, without in (
        (NUMBER, set()),
        (CONSTANT, {"wasserstein_ratio", "mean_shift_zscore"}),
        (NAMES, {"ks", "wasserstein_ratio", "mean_shift_zscore"}),
    ):
        found = scored(column, list(column.counts)).values
        assert {name for name, values in found.items() if np.isnan(values[0])} == without | {IMPACT}
        assert all(np.isnan(values[0]) for values in scored(column, []).values.values())


def test_optional_scores_are_there_where_they_are_asked_for() -> None:
    plain = scored(NUMBER, list(EVEN)).values.keys()
    assert plain == {name for name, one in STATISTICS.items() if not one.optional} | {IMPACT}
    more = scored(NUMBER, list(EVEN), ("l_infinity", "chi_square_pvalue"))
    assert more.values.keys() - plain == {"l_infinity", "chi_square_pvalue"}
    assert "l_infinity" in more.critical


def test_rows_that_come_in_bursts_need_more_of_a_difference() -> None:
    counts = [0, *[100] * 11, 160, 0]
    alone, burst = (scored(dataclasses.replace(NUMBER, dependence=phi), counts) for phi in (None, 5.0))
    assert burst.values["psi"][0] == alone.values["psi"][0]
    assert burst.critical["psi"][0] == pytest.approx(alone.critical["psi"][0] * (5 / 1260 + 1 / 12000)
                                                     / (1 / 1260 + 1 / 12000))  # fmt: skip
    assert burst.critical["total_variation"][0] > alone.critical["total_variation"][0]


def test_the_bins_that_moved_most_are_named_with_their_direction() -> None:
    found = scored(NUMBER, [0, *[100] * 10, 0, 700])
    change = np.array([*[0] * 1, *[100] * 10, 0, 700, 0, 0, 0]) / 1700 - np.array(EVEN) / 12_000
    assert [one.bin for one in found.moved] == np.argsort(-np.abs(change), kind="stable")[:3].tolist()
    assert [one.bin for one in found.moved][:2] == [12, 11]
    for one in found.moved:
        assert one.column == 0
        assert one.change == pytest.approx(change[one.bin])
    assert found.moved[0].change > 0 > found.moved[1].change


def test_what_chance_may_have_moved_is_not_named() -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        counts = np.zeros(NUMERIC_BINS, int)
        counts[1:13] = random.multinomial(500, [1 / 12] * 12)
        assert not scored(NUMBER, counts.tolist()).moved


def test_every_column_has_its_own_place() -> None:
    scoring = Scoring([NUMBER, NAMES, NUMBER])
    counts = np.zeros((3, NUMERIC_BINS), np.int64)
    counts[0, 1:13], counts[1, :2], counts[2, 12] = 100, 600, 1200
    found = scoring.score(counts, np.zeros(3))
    assert {one.column for one in found.moved} == {2}
    assert found.moved[0] == (2, 12, pytest.approx(11 / 12))
