"""The largest share that chance makes is exceeded as rarely as it says, and hardly more rarely where there is much."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from exporter.calibration.chance import largest_share

DRAWS = 100_000


def critical(found: Any, reference: float, live: float) -> NDArray[np.float64]:
    known = np.asarray(found, float)
    return largest_share(known, np.full(known.shape, float(reference)), np.full(known.shape, float(live)))


@pytest.mark.parametrize("share", [0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("m", [500, 5000, 50_000])
@pytest.mark.parametrize("n", [100, 1000, 10_000])
def test_it_is_exceeded_once_in_a_thousand_windows_at_most(n: int, m: int, share: float) -> None:
    draw = np.random.default_rng([n, m, round(share * 10_000)])
    found, live = draw.binomial(m, share, DRAWS), draw.binomial(n, share, DRAWS)
    rate = float((live / n > critical(found, m, n)).mean())
    assert rate <= 0.001 + 4 * math.sqrt(0.001 / DRAWS)
    if min(n, m) * share * (1 - share) >= 50:
        assert rate >= 0.0003


@pytest.mark.parametrize(("found", "m", "n"), [(0, 10_000, 1000), (3, 500, 100), (40, 2000, 10_000), (4900, 5000, 300)])
def test_it_lies_where_fishers_exact_test_does(found: int, m: int, n: int) -> None:
    values = np.arange(n + 1)
    tail = scipy.stats.hypergeom.sf(values - 1, m + n, found + values, n)
    exact = int(np.argmax(tail <= 0.001)) if (tail <= 0.001).any() else n + 1
    ours = math.floor(float(critical(found, m, n)) * n) + 1
    assert abs(ours - exact) <= max(1, 0.01 * exact)


def test_one_value_in_ten_thousand_is_nothing_and_three_in_ten_of_a_hundred_are() -> None:
    assert critical(0, 50_000, 10_000) > 1 / 10_000
    assert critical(0, 500, 100) < 0.3


def test_dependent_values_count_as_the_fewer_that_they_are() -> None:
    draw = np.random.default_rng(1)
    found, groups = draw.binomial(50_000, 0.05, DRAWS), draw.binomial(200, 0.05, DRAWS)
    alone, as_groups = critical(found, 50_000, 1000), critical(found, 50_000, 1000 / 5)
    assert (groups / 200 > alone).mean() > 0.01, "five values each, taken for a thousand"
    assert (groups / 200 > as_groups).mean() <= 0.001 + 4 * math.sqrt(0.001 / DRAWS)


def test_more_of_it_in_the_reference_or_fewer_values_never_lower_it() -> None:
    by_found = critical(np.arange(501), 500, 300)
    assert (np.diff(by_found) >= 0).all()
    by_size = [float(critical(20, 500, n)) for n in (1, 2, 5, 10, 100, 1000, 10**6, 2**31)]
    assert by_size == sorted(by_size, reverse=True)
    assert 0 < by_size[-1] < by_size[0] == 1.0


@pytest.mark.parametrize("live", [0.2, 1.0, 7.0, 2.0**31])
@pytest.mark.parametrize("reference", [1.0, 10.0, 2.0**31])
def test_it_is_a_share_however_few_or_many_there_are(reference: float, live: float) -> None:
    for found in (0.0, reference / 2, reference):
        assert 0 < float(critical(found, reference, live)) <= 1


def test_what_no_values_had_is_not_a_number() -> None:
    assert np.isnan(critical(np.nan, 100, 100))
    assert np.isnan(critical(0, 100, np.nan))
