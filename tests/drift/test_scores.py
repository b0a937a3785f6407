"""Scores against other people's formulas, and their critical values against simulation."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
from numpy.typing import NDArray

from exporter.drift import (
    STATISTICS,
    chi_square,
    hellinger,
    jensen_shannon,
    kolmogorov_smirnov,
    kullback_leibler,
    l_infinity,
    mean_shift,
    noncentral_chi_square,
    psi,
    total_variation,
    wasserstein,
)
from exporter.drift.summary import Summary
from exporter.reference import MISSING

DRAWS = 20_000
STEPS = np.array([0.05, 0.2, *[0.3] * 8, 0.4, 1.0, 8.0])
"""A long tail."""


def summary(counts: Any) -> Summary:
    counts = np.atleast_2d(np.asarray(counts, np.int64))
    ordered = counts[:, :MISSING]
    columns = len(counts)
    return Summary(
        counts, counts.sum(axis=1), ordered, ordered.sum(axis=1), np.zeros(columns), np.tile(STEPS, (columns, 1)),
        np.ones(columns), np.full(columns, 4.0),
    )  # fmt: skip


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


TAILS = {
    "normal": lambda draw, shape: draw.normal(size=shape),
    "skewed": lambda draw, shape: draw.exponential(size=shape),
    "lognormal": lambda draw, shape: draw.lognormal(size=shape),
    "one in a hundred": lambda draw, shape: (draw.random(shape) < 0.01) * 1.0,
}


@pytest.mark.parametrize(("n", "m"), [(200, 2000), (1000, 5000), (200, 10_000)])
@pytest.mark.parametrize("tail", TAILS)
def test_the_mean_shifts_beyond_its_critical_value_once_in_a_thousand_windows_at_most(
    tail: str, n: int, m: int
) -> None:
    draw, runs, windows = np.random.default_rng([n, m]), 250, 20
    beyond = without = 0
    for _ in range(runs):
        known, live = TAILS[tail](draw, m), TAILS[tail](draw, (windows, n))
        mean, sd = known.mean(), known.std() or 1.0
        reference, current = (summary(np.tile(np.bincount([3], minlength=16) * size, (windows, 1))) for size in (m, n))
        reference = reference._replace(reach=np.full(windows, np.abs(known - mean).max() / sd))
        scores = np.abs(mean_shift.score(reference, current._replace(deviation=((live - mean) / sd).sum(axis=1))))
        beyond += int((scores > mean_shift.critical(reference, current)).sum())
        without += int((scores > scipy.stats.norm.isf(0.0005)).sum())
    assert beyond / (runs * windows) <= allowed(0.001, runs * windows)
    assert beyond <= without


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
@pytest.mark.parametrize("statistic", [total_variation, kolmogorov_smirnov, l_infinity, wasserstein])
def test_bounds_are_exceeded_at_most_once_in_a_thousand(
    statistic: Any, n: int, m: int, shares: NDArray[np.float64]
) -> None:
    padded = np.pad(shares, (0, max(0, MISSING - shares.size)))
    reference, current = draw(np.random.default_rng(13), n, m, padded)
    assert rate(statistic, reference, current) <= allowed(0.0015)


@pytest.mark.parametrize("name", [name for name, one in STATISTICS.items() if one.critical])
def test_a_shift_of_half_a_standard_deviation_is_found_in_a_thousand_rows(name: str) -> None:
    random = np.random.default_rng(14)
    rows = random.normal(size=10_000)
    edges = np.quantile(rows, [0, 0.01, *np.arange(0.1, 0.95, 0.1), 0.99, 1])
    counts = [np.bincount(np.searchsorted(edges, side, "right"), minlength=16)
              for side in (rows, random.normal(0.5, size=1000))]  # fmt: skip
    reference, current = summary(counts[0]), summary(counts[1])._replace(deviation=np.full(1, 500.0))
    one = STATISTICS[name]
    assert one.critical is not None
    assert one.score(reference, current)[0] > 1.5 * one.critical(reference, current)[0]


# --- against scipy, on the same counts


def pairs(seed: int = 21) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Counts of two sides: some bins empty on one, some on both."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(60):
        share = random.dirichlet(np.full(16, 0.4))
        one, other = (random.multinomial(random.integers(30, 5000), share) for _ in range(2))
        one[3] += 1
        other[3] += 1
        found.append((one, other))
    return found


@pytest.mark.parametrize("at", range(60))
def test_scores_are_scipys_on_the_same_counts(at: int) -> None:
    one, other = pairs()[at]
    reference, current = summary(one), summary(other)
    r, p = one / one.sum(), other / other.sum()
    used = (one + other) > 0
    assert jensen_shannon.score(reference, current)[0] == pytest.approx(
        scipy.spatial.distance.jensenshannon(r, p, base=2), rel=1e-9, abs=1e-9
    )
    assert hellinger.score(reference, current)[0] == pytest.approx(math.sqrt(1 - np.sqrt(r * p).sum()), rel=1e-7)
    assert l_infinity.score(reference, current)[0] == pytest.approx(scipy.spatial.distance.chebyshev(r, p), rel=1e-9)
    smooth_r, smooth_p = ((side[used] + 0.5) / (side.sum() + used.sum() / 2) for side in (one, other))
    assert kullback_leibler.score(reference, current)[0] == pytest.approx(
        scipy.stats.entropy(smooth_p, smooth_r), rel=1e-9
    )
    tested = scipy.stats.chi2_contingency(np.stack((one, other))[:, used], correction=False)
    assert chi_square.statistic(reference, current)[0] == pytest.approx(tested.statistic, rel=1e-9)
    assert chi_square.score(reference, current)[0] == pytest.approx(tested.pvalue, rel=1e-9, abs=1e-15)
    noncentral = 4 * noncentral_chi_square.TOLERANCE**2 / (1 / one.sum() + 1 / other.sum())
    assert noncentral_chi_square.score(reference, current)[0] == pytest.approx(
        scipy.stats.ncx2.sf(tested.statistic, tested.dof, noncentral), rel=1e-6, abs=1e-9
    )
    places = np.concatenate(([0], STEPS.cumsum()))
    assert wasserstein.score(reference, current)[0] == pytest.approx(
        scipy.stats.wasserstein_distance(places, places, one[:14], other[:14]), rel=1e-9
    )


def test_wasserstein_is_that_of_the_raw_data_within_half_a_bin() -> None:
    random = np.random.default_rng(22)
    rows = random.lognormal(size=20_000)
    edges = np.quantile(rows, [0, 0.01, *np.arange(0.1, 0.95, 0.1), 0.99, 1])
    centres = np.array([edges[0], *(edges[1:] + edges[:-1]) / 2, edges[-1]])
    steps = np.diff(centres) / rows.std()
    for live in (random.lognormal(size=5000), random.lognormal(0.3, size=5000), rows[:3000] * 1.5):
        sides = [np.bincount(np.searchsorted(edges, side, "right"), minlength=16) for side in (rows, live)]
        reference, current = (summary(side)._replace(steps=steps[None]) for side in sides)
        inside = np.clip(live, edges[0], edges[-1])  # what lies outside stands at the edge
        raw = scipy.stats.wasserstein_distance(rows, inside) / rows.std()
        share = np.add(*(side[:14] / side[:14].sum() for side in sides))
        widths = np.concatenate(([0], np.diff(edges), [0])) / rows.std()
        assert abs(wasserstein.score(reference, current)[0] - raw) <= (share * widths).sum() / 2


def test_one_bin_in_use_is_no_difference() -> None:
    reference, current = summary([0, 50, *[0] * 14]), summary([0, 70, *[0] * 14])
    for name, one in STATISTICS.items():
        assert one.score(reference, current)[0] == one.alike, name


def test_the_tolerance_makes_small_changes_likely_and_large_ones_not() -> None:
    rows = 1_000_000
    equal = summary(np.full(16, rows))
    shifted = np.full(16, 1.0)
    for moved, likely in ((0.02, True), (0.06, False)):
        live = shifted + np.tile([2 * moved, -2 * moved], 8)
        current = summary((live * rows).astype(int))
        assert total_variation.score(equal, current)[0] == pytest.approx(moved, rel=1e-3)
        assert chi_square.score(equal, current)[0] < 1e-9
        assert (noncentral_chi_square.score(equal, current)[0] > 0.05) == likely


@pytest.mark.parametrize(("n", "m", "shares"), CASES)
@pytest.mark.parametrize("statistic", [jensen_shannon, hellinger, kullback_leibler])
def test_divergences_exceed_their_critical_values_about_once_in_a_thousand(
    statistic: Any, n: int, m: int, shares: NDArray[np.float64]
) -> None:
    reference, current = draw(np.random.default_rng(23), n, m, shares)
    found = rate(statistic, reference, current)
    assert found <= allowed(0.003)


LAYOUTS = {
    "equal": lambda bins: np.full(bins, 1 / bins),
    "skewed": lambda bins: (1 / np.arange(1, bins + 1)) / (1 / np.arange(1, bins + 1)).sum(),
    "with empty bins": lambda bins: (
        np.concatenate((np.full(bins - bins // 3, 1.0), np.zeros(bins // 3))) / (bins - bins // 3)
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bins", [5, 10, 20])
@pytest.mark.parametrize("m", [500, 5000, 50_000])
@pytest.mark.parametrize("n", [100, 1000, 10_000])
def test_psi_at_five_percent_is_calibrated_at_every_size(n: int, m: int, bins: int, layout: str) -> None:
    shares = LAYOUTS[layout](bins)
    reference, current = draw(np.random.default_rng([n, m, bins]), n, m, shares, 10_000)
    used = ((reference.counts + current.counts) > 0).sum(axis=1)
    critical = scipy.stats.chi2.ppf(0.95, used - 1) * (1 / n + 1 / m)
    found = float((psi.score(reference, current) > critical).mean())
    assert found <= 0.065
    if n * shares[shares > 0].min() >= 5:
        assert found >= 0.025
