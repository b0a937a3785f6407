"""Scores against other people's formulas, and their critical values against simulation."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from exporter.drift import kolmogorov_smirnov, mean_shift, psi, total_variation
from exporter.drift.summary import Summary
from exporter.reference import MISSING

DRAWS = 20_000


def summary(counts: Any) -> Summary:
    counts = np.atleast_2d(np.asarray(counts, np.int64))
    ordered = counts[:, :MISSING]
    return Summary(counts, counts.sum(axis=1), ordered, ordered.sum(axis=1), np.zeros(len(counts)))


def draw(random: Any, n: int, m: int, shares: NDArray[np.float64], draws: int = DRAWS) -> tuple[Summary, Summary]:
    """Independent references and windows of the same distribution."""
    return summary(random.multinomial(m, shares, draws)), summary(random.multinomial(n, shares, draws))


def rate(statistic: Any, reference: Summary, current: Summary) -> float:
    return float((statistic.score(reference, current) > statistic.critical(reference, current)).mean())


def allowed(level: float, draws: int = DRAWS) -> float:
    """`level` and four standard errors of the simulation."""
    return level + 4 * math.sqrt(level / draws)


EQUAL = {bins: np.full(bins, 1 / bins) for bins in (2, 5, 12, 16)}
QUANTILE_BINS = np.array([0.01, *[0.1] * 8, 0.09, 0.09, 0.01])
ZIPF = 1 / np.arange(1, 21)
ZIPF = ZIPF / ZIPF.sum()
WITH_EMPTY = np.array([0.0, 0.2, 0.3, 0.0, 0.5, 0.0])
CASES = [
    pytest.param(200, 10_000, EQUAL[2], id="2 equal bins"),
    pytest.param(200, 10_000, EQUAL[5], id="5 equal bins"),
    pytest.param(500, 500, EQUAL[12], id="12 equal bins, small reference"),
    pytest.param(300, 100_000, EQUAL[16], id="16 equal bins, large reference"),
    pytest.param(1000, 5000, QUANTILE_BINS, id="the bins of a numeric column"),
    pytest.param(5000, 5000, ZIPF, id="20 Zipf categories"),
    pytest.param(1000, 10_000, WITH_EMPTY, id="empty bins"),
]


def test_psi_of_a_published_kind_by_hand() -> None:
    reference, current = summary([100, 200, 300, 400, 0]), summary([150, 150, 350, 350, 0])
    r = (np.array([100, 200, 300, 400]) + 0.5) / (1000 + 2)
    p = (np.array([150, 150, 350, 350]) + 0.5) / (1000 + 2)
    assert psi.score(reference, current)[0] == pytest.approx(((p - r) * np.log(p / r)).sum(), rel=1e-12)
    expected = scipy.stats.chi2.ppf(0.999, 3) * (1 / 1000 + 1 / 1000)
    assert psi.critical(reference, current)[0] == pytest.approx(expected, rel=1e-12)


def test_psi_of_one_bin_is_nothing() -> None:
    assert psi.score(summary([0, 50]), summary([0, 70]))[0] == 0
    assert psi.critical(summary([0, 50]), summary([0, 70]))[0] == 0


def test_psi_is_symmetric_for_samples_of_one_size() -> None:
    one, other = summary([[10, 40, 50]]), summary([[30, 30, 40]])
    assert psi.score(one, other) == pytest.approx(psi.score(other, one), rel=1e-12)


def test_a_bin_that_emptied_gives_a_finite_psi() -> None:
    assert 0 < psi.score(summary([500, 500]), summary([1000, 0]))[0] < 10


def test_total_variation_is_the_share_that_moved() -> None:
    assert total_variation.score(summary([500, 500]), summary([300, 700]))[0] == pytest.approx(0.2)
    assert total_variation.score(summary([500, 0]), summary([0, 9]))[0] == pytest.approx(1.0)


def test_ks_is_scipys_on_samples_that_lie_on_the_bins() -> None:
    random = np.random.default_rng(5)
    one, other = random.integers(0, 14, 700), random.integers(2, 14, 900)
    reference, current = (summary(np.bincount(side, minlength=16)) for side in (one, other))
    assert kolmogorov_smirnov.score(reference, current)[0] == pytest.approx(scipy.stats.ks_2samp(one, other).statistic)


def test_ks_does_not_count_what_has_no_order() -> None:
    reference, current = summary([0, 5, 5, *[0] * 13]), summary([0, 50, 50, *[0] * 11, 1000, 300])
    assert kolmogorov_smirnov.score(reference, current)[0] == 0


def test_ks_never_exceeds_that_of_the_raw_data() -> None:
    random = np.random.default_rng(6)
    edges = np.sort(random.normal(size=13))
    for shift in (0.0, 0.1, 1.0):
        one, other = random.normal(size=800), random.normal(shift, size=600)
        counts = [np.bincount(np.searchsorted(edges, side, "right"), minlength=16) for side in (one, other)]
        raw = scipy.stats.ks_2samp(one, other).statistic
        assert kolmogorov_smirnov.score(summary(counts[0]), summary(counts[1]))[0] <= raw + 1e-12


def test_mean_shift_without_drift_is_standard_normal() -> None:
    random = np.random.default_rng(8)
    n, m = 400, 1000
    live = random.normal(size=(5000, n)).sum(axis=1)
    reference_mean = random.normal(size=5000) / math.sqrt(m)
    counts = np.tile(np.bincount([3], minlength=16), (5000, 1))
    reference = summary(counts * m)
    current = summary(counts * n)._replace(deviation=live - n * reference_mean)
    scores = mean_shift.score(reference, current)
    assert scipy.stats.kstest(scores, "norm").pvalue > 1e-3


@pytest.mark.parametrize(("n", "m", "shares"), CASES)
def test_psi_exceeds_its_critical_value_about_once_in_a_thousand(n: int, m: int, shares: NDArray[np.float64]) -> None:
    reference, current = draw(np.random.default_rng(11), n, m, shares)
    found = rate(psi, reference, current)
    # The chi-square is asymptotic: from a third of the nominal rate to three times it, and Monte-Carlo error.
    assert found <= allowed(0.003)
    assert found >= 0.0003 - 4 * math.sqrt(0.0003 / DRAWS)


@pytest.mark.parametrize(("n", "m", "shares"), CASES)
def test_the_same_formula_holds_at_five_percent(n: int, m: int, shares: NDArray[np.float64]) -> None:
    reference, current = draw(np.random.default_rng(12), n, m, shares)
    bins = ((reference.counts + current.counts) > 0).sum(axis=1)
    critical = scipy.stats.chi2.ppf(0.95, bins - 1) * (1 / n + 1 / m)
    found = float((psi.score(reference, current) > critical).mean())
    assert 0.03 <= found <= 0.065


@pytest.mark.parametrize(("n", "m", "shares"), CASES)
@pytest.mark.parametrize("statistic", [total_variation, kolmogorov_smirnov])
def test_total_variation_and_ks_exceed_theirs_at_most_that_often(
    statistic: Any, n: int, m: int, shares: NDArray[np.float64]
) -> None:
    padded = np.pad(shares, (0, max(0, MISSING - shares.size)))
    reference, current = draw(np.random.default_rng(13), n, m, padded)
    assert rate(statistic, reference, current) <= allowed(0.001)


@pytest.mark.parametrize("statistic", [psi, total_variation, kolmogorov_smirnov])
def test_a_shift_of_half_a_standard_deviation_is_found_in_a_thousand_rows(statistic: Any) -> None:
    random = np.random.default_rng(14)
    rows = random.normal(size=10_000)
    edges = np.quantile(rows, [0, 0.01, *np.arange(0.1, 0.95, 0.1), 0.99, 1])
    counts = [np.bincount(np.searchsorted(edges, side, "right"), minlength=16)
              for side in (rows, random.normal(0.5, size=1000))]  # fmt: skip
    reference, current = summary(counts[0]), summary(counts[1])
    assert statistic.score(reference, current)[0] > 1.5 * statistic.critical(reference, current)[0]
