"""What every statistic promises, for everything in the table."""

from typing import Any

import numpy as np
import pytest

from exporter import catalogue
from exporter.drift import STATISTICS, Statistic
from exporter.drift.summary import Summary
from exporter.reference import MISSING, NUMERIC_BINS
from exporter.sections import OPTIONAL_SCORES
from exporter.snapshots import IMPACT

SIGNED = {"mean_shift_zscore"}
NAMED = [pytest.param(name, one, id=name) for name, one in STATISTICS.items()]
ALL = [pytest.param(one, id=name) for name, one in STATISTICS.items()]
WITH_CRITICAL = [pytest.param(one, id=name) for name, one in STATISTICS.items() if one.critical]


def summary(counts: Any, deviation: Any = None) -> Summary:
    counts = np.asarray(counts, np.int64)
    ordered = counts[:, :MISSING]
    columns = len(counts)
    found = np.zeros(columns) if deviation is None else deviation
    steps = np.tile(np.linspace(0.1, 2, 13), (columns, 1))
    alone, reach = np.ones(columns), np.full(columns, 3.0)
    return Summary(counts, counts.sum(axis=1), ordered, ordered.sum(axis=1), found, steps, alone, reach)


def random_summaries(columns: int = 200, seed: int = 0, size: tuple[int, int] = (1, 3000)) -> tuple[Summary, Summary]:
    """A reference and a window of numeric columns, some bins empty on one side or on both."""
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.full(NUMERIC_BINS, 0.3), columns)
    sides = []
    for _ in range(2):
        counts = np.array([random.multinomial(random.integers(*size), share) for share in shares])
        counts[counts[:, :MISSING].sum(axis=1) == 0, 3] = 1
        sides.append(summary(counts, random.normal(size=columns)))
    return sides[0]._replace(deviation=np.zeros(columns)), sides[1]


@pytest.mark.parametrize("statistic", ALL)
def test_equal_counts_are_alike(statistic: Statistic) -> None:
    reference, _ = random_summaries()
    assert statistic.score(reference, reference) == pytest.approx(statistic.alike, abs=1e-12)


@pytest.mark.parametrize("statistic", ALL)
def test_equal_shares_of_large_samples_are_next_to_alike(statistic: Statistic) -> None:
    reference, _ = random_summaries(size=(10_000, 10_001))
    tenfold = summary(reference.counts * 10)
    assert statistic.score(reference, tenfold) == pytest.approx(statistic.alike, abs=1e-3)


@pytest.mark.parametrize(("name", "statistic"), NAMED)
def test_scores_are_finite_and_not_negative_unless_signed(name: str, statistic: Statistic) -> None:
    for seed in range(5):
        score = statistic.score(*random_summaries(seed=seed))
        assert score.shape == (200,)
        assert np.isfinite(score).all()
        assert name in SIGNED or (score >= 0).all()


@pytest.mark.parametrize("statistic", ALL)
def test_columns_do_not_know_each_other(statistic: Statistic) -> None:
    reference, current = random_summaries()
    order = np.random.default_rng(1).permutation(200)
    for function in filter(None, (statistic.score, statistic.critical)):
        shuffled = function(*(Summary(*(part[order] for part in side)) for side in (reference, current)))
        assert np.array_equal(shuffled, function(reference, current)[order])
        alone = function(*(Summary(*(part[7:8] for part in side)) for side in (reference, current)))
        assert np.array_equal(alone, function(reference, current)[7:8])


@pytest.mark.parametrize("statistic", ALL)
def test_bins_that_nobody_uses_change_nothing(statistic: Statistic) -> None:
    reference, current = random_summaries()
    wider = [side._replace(counts=np.pad(side.counts, ((0, 0), (0, 9)))) for side in (reference, current)]
    for function in filter(None, (statistic.score, statistic.critical)):
        assert function(*wider) == pytest.approx(function(reference, current), rel=1e-12)


@pytest.mark.parametrize("statistic", WITH_CRITICAL)
def test_critical_values_are_finite_and_positive(statistic: Statistic) -> None:
    critical = statistic.critical(*random_summaries(size=(50, 3000)))
    assert np.isfinite(critical).all()
    assert (critical > 0).all()


@pytest.mark.parametrize("name", ["total_variation", "js_distance", "ks", "hellinger_distance", "l_infinity"])
def test_what_has_nothing_in_common_is_one_apart_and_no_more(name: str) -> None:
    draw = np.random.default_rng(3)
    counts = draw.integers(0, 999, (500, NUMERIC_BINS)) + 1
    low, high = counts.copy(), counts[:, ::-1].copy()
    low[:, 12:], high[:, :12], high[:, MISSING:] = 0, 0, 0
    found = STATISTICS[name].score(summary(low), summary(high))
    assert (found <= 1).all()
    assert name == "l_infinity" or found == pytest.approx(1.0)


@pytest.mark.parametrize("statistic", WITH_CRITICAL)
def test_more_rows_never_raise_the_critical_value(statistic: Statistic) -> None:
    reference, current = random_summaries(size=(50, 3000))
    fewer = statistic.critical(reference, current)
    more = statistic.critical(reference, summary(current.counts * 4))
    assert (more <= fewer).all()


@pytest.mark.parametrize("statistic", WITH_CRITICAL)
def test_dependent_rows_raise_the_critical_value(statistic: Statistic) -> None:
    reference, current = random_summaries(size=(50, 3000))
    burst = current._replace(dependence=np.full(200, 4.0))
    assert (statistic.critical(reference, burst) >= statistic.critical(reference, current)).all()
    assert (statistic.critical(reference, burst) > statistic.critical(reference, current)).mean() > 0.9
    sizes = [np.abs(statistic.score(reference, side)) for side in (burst, current)]
    assert (sizes[0] <= sizes[1]).all()


def test_only_a_score_in_standard_errors_knows_of_dependence() -> None:
    reference, current = random_summaries(size=(50, 3000))
    burst = current._replace(dependence=np.full(200, 4.0))
    knowing = {
        name for name, one in STATISTICS.items()
        if not np.array_equal(one.score(reference, burst), one.score(reference, current))
    }  # fmt: skip
    assert knowing == {"mean_shift_zscore", "chi_square_pvalue", "tolerant_chi_square_pvalue"}


@pytest.mark.parametrize(("name", "statistic"), NAMED)
def test_every_statistic_has_its_families(name: str, statistic: Statistic) -> None:
    for side in (catalogue.FEATURES, catalogue.OUTPUTS):
        assert name in side.statistics
        assert (name in side.critical) == (statistic.critical is not None)
        assert "window" in side.statistics[name].labels


def test_no_family_is_without_its_statistic() -> None:
    for side in (catalogue.FEATURES, catalogue.OUTPUTS):
        assert side.statistics.keys() == STATISTICS.keys() | {IMPACT}


def test_settings_offer_every_optional_statistic() -> None:
    assert sorted(OPTIONAL_SCORES) == sorted(name for name, one in STATISTICS.items() if one.optional)
