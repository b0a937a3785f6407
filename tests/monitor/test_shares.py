"""Shares of what is not as it should be: the bins were made of the reference, which is not taken for the truth."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from profile_tables import column_of

from exporter.monitor.shares import Shares, expected
from exporter.profile import categories
from exporter.reference import OUT_OF_RANGE, Column

NONE = np.zeros(0, np.int64)
RUNS = 200


def beyond(rate: float) -> float:
    """`rate` and four standard errors of so many runs."""
    return rate + 4 * math.sqrt(rate / RUNS)


@pytest.mark.parametrize(("m", "n"), [(200, 2000), (2000, 200), (2000, 20_000)])
def test_numbers_beyond_the_extremes_of_a_sample_are_expected(m: int, n: int) -> None:
    draw = np.random.default_rng(m + n)
    found = np.zeros(RUNS)
    for run in range(RUNS):
        known, live = draw.exponential(size=m), draw.exponential(size=n)
        found[run] = ((live < known.min()) | (live > known.max())).mean()
    column = Column("x", "numeric", (0, m, *[0] * 14), (0.0, 1.0), 1.0, 1.0, 0.0, 1.0)
    critical = Shares([column], NONE).critical(np.array([n]))[OUT_OF_RANGE][0]
    assert (found > 0).mean() > 0.1, "most samples are exceeded"
    assert (found > critical).mean() <= beyond(0.001)


def zipf(kinds: int) -> np.ndarray:
    share = 1 / np.arange(1, kinds + 1)
    return np.asarray(share / share.sum())


@pytest.mark.parametrize(
    "shares", [zipf(3000), np.full(500, 1 / 500), np.full(1000, 1 / 1000), zipf(30)],
    ids=["a long tail", "all of them twenty times", "all of them ten times", "few"],
)  # fmt: skip
def test_categories_too_rare_to_be_named_are_expected_as_unseen(shares: np.ndarray) -> None:
    draw, m, n = np.random.default_rng(9), 10_000, 10_000
    exceeded = 0
    for _ in range(RUNS):
        counts = draw.multinomial(m, shares)
        column = categories.column("x", "categorical", Counter({f"{at:04d}": int(one) for at, one in
                                                                enumerate(counts) if one}), 0)  # fmt: skip
        named = {int(name) for name in (*column.categories, *column.others)}
        strange = np.array([at not in named for at in range(shares.size)])
        live = draw.multinomial(n, shares)[strange].sum() / n
        exceeded += live > Shares([column], NONE).critical(np.array([n]))["unseen"][0]
    assert exceeded / RUNS <= beyond(0.001)


def test_a_boolean_has_no_rare_categories() -> None:
    column = categories.column("x", "boolean", Counter({"true": 10, "false": 500}), 3)
    assert expected(column, "unseen") == 0
    assert expected(replace(column, kind="categorical"), "unseen") == 10


def test_what_people_allow_has_no_share_that_the_reference_knows(tmp_path_factory: pytest.TempPathFactory) -> None:
    column = column_of(tmp_path_factory.mktemp("profile") / "t.csv", [float(at) for at in range(1000)])
    judged = Shares([column, column], np.array([1])).critical(np.array([500, 500]))[OUT_OF_RANGE]
    assert 0 < judged[0] < 0.02
    assert np.isnan(judged[1])


def test_rows_that_come_as_one_make_rates_restless() -> None:
    column = Column("x", "numeric", (0, 950, *[0] * 12, 50, 0), (0.0, 1.0), 1.0, 1.0, 0.0, 1.0)
    samples = np.array([1000, 1000])
    alone, grouped = Shares([column, replace(column, dependence=5.0)], NONE).critical(samples)["missing"]
    assert alone < grouped < 0.2
    assert grouped == Shares([column], NONE).critical(np.array([200]))["missing"][0]


def test_empty_windows_have_no_critical_share() -> None:
    column = Column("x", "categorical", (50, 50, 0, 0, 0), categories=("a", "b"))
    found = Shares([column], NONE).critical(np.array([0]))
    assert all(np.isnan(values).all() for values in found.values())
    assert {name for name, values in Shares([column], NONE).critical(np.array([9])).items()
            if not np.isnan(values).any()} == {"missing", "unseen"}  # fmt: skip
