"""Failed requests held against successful ones: scores equal the raw rows', are silent by chance, and name the bin."""

import math
from typing import Any

import numpy as np
import pytest
from monitor_scenes import DECODER, FEATURES, answers, bin_of, exchange, live_rows, make_profile, undecoded, watch
from numpy.typing import NDArray

from exporter.drift import total_variation
from exporter.drift.summary import of_bins
from exporter.findings import FailedScores
from exporter.monitor.match import Fit
from exporter.monitor.repeats import Repeats
from exporter.records import Table
from exporter.reference import Profile
from exporter.sections import Windows

SHORT = Windows(pane=1.0, lengths=(20.0, 60.0), minimum_samples=50)
CITY, AMOUNT = FEATURES.index("city"), FEATURES.index("amount")


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def served(rows: Any, at: float) -> Any:
    return exchange(rows, answers(rows, 1), at)


def refused(rows: Any, at: float, status: int = 500) -> Any:
    return exchange(rows, b'{"error": "no"}', at, status=status)


def counts(profile: Profile, rows: Any) -> list[NDArray[np.int64]]:
    """By feature, the rows in each bin, done by hand."""
    return [
        np.bincount([bin_of(column, row.get(column.name)) for row in rows], minlength=len(column.counts))
        for column in profile.features
    ]


def only(monitor: Any, now: float, window: str, code: str = "5xx") -> FailedScores:
    (found,) = [one for one in monitor.snapshot(now).failed.scores if (one.window, one.code) == (window, code)]
    assert isinstance(found, FailedScores)
    return found


# --- equal to the raw rows


def test_scores_equal_those_of_the_raw_rows(profile: Profile) -> None:
    good, bad, refusals = live_rows(400, 1), live_rows(90, 2), live_rows(30, 3)
    bad = [row | {"city": "Atlantis"} for row in bad[:70]] + bad[70:]
    seen = [served(good[:200], 1.0), refused(bad, 2.5), refused(refusals, 2.6, 422), served(good[200:], 3.0)]
    monitor = watch(profile, seen, SHORT)
    for code, failed in (("5xx", bad), ("4xx", refusals)):
        found = only(monitor, 5.0, "20s", code)
        assert found.samples == len(failed)
        for place, (one, other) in enumerate(zip(counts(profile, failed), counts(profile, good), strict=True)):
            n, m = one.sum(), other.sum()
            gap, pooled = one / n - other / m, (one + other) / (n + m)
            assert found.total_variation[place] == pytest.approx(np.abs(gap).sum() / 2, rel=1e-12)
            expected = np.sqrt(2 / math.pi * pooled * (1 - pooled) * (1 / n + 1 / m)).sum() / 2
            strict = math.sqrt(math.log(7 / 0.001) / 2 * (1 / n + 1 / m))
            assert found.critical[place] == pytest.approx(min(expected + strict, 1.0), rel=1e-12)
            assert found.worst_bin[place] == gap.argmax()
            beyond = found.total_variation[place] > found.critical[place]
            assert found.excess[place] == (pytest.approx(gap.max(), rel=1e-12) if beyond else pytest.approx(
                math.nan, nan_ok=True))  # fmt: skip


def test_the_finding_names_the_value_and_no_other_feature(profile: Profile) -> None:
    name = profile.features[CITY].categories[0]
    good, bad = live_rows(2000, 4), [row | {"city": name} for row in live_rows(60, 5)]
    found = only(watch(profile, [served(good, 1.0), refused(bad, 1.0)], SHORT), 1.0, "1m")
    assert np.flatnonzero(~np.isnan(found.excess)).tolist() == [CITY]
    assert profile.features[CITY].bins()[found.worst_bin[CITY]][1] == name


def test_failed_rows_are_in_no_window_of_the_successful_and_change_no_score(profile: Profile) -> None:
    good = [served(live_rows(300, 6), 1.0)]
    alone = watch(profile, good, SHORT).snapshot(1.0)
    beside = watch(profile, [*good, refused(live_rows(500, 7), 1.0), refused(live_rows(9, 7), 1.0, 404)], SHORT)
    snapshot = beside.snapshot(1.0)
    assert (alone.features.totals.bins == snapshot.features.totals.bins).all()
    assert (alone.features.scores[0].values["psi"] == snapshot.features.scores[0].values["psi"]).all()
    assert alone.rows.observed == snapshot.rows.observed == 300
    assert snapshot.rows.failed == {"4xx": 9, "5xx": 500}
    assert {code: totals.sum() for code, totals in snapshot.failed.totals.items()} == {
        "4xx": 9 * len(FEATURES), "5xx": 500 * len(FEATURES),
    }  # fmt: skip
    assert snapshot.outputs.totals.bins.sum() == 300, "an error is no prediction"


@pytest.mark.parametrize("flush_every", [1, 7, 10**9])
def test_batches_flushes_and_panes_change_nothing(profile: Profile, flush_every: int) -> None:
    rows = live_rows(900, 8)
    whole = watch(profile, [refused(rows, 5.5), served(rows, 5.5)], SHORT).snapshot(5.5).failed
    parts = [refused(rows[at : at + 9], 5.0 + at / 900) for at in range(0, 900, 9)] + [served(rows, 5.5)]
    found = watch(profile, parts, SHORT, flush_every).snapshot(5.99).failed
    assert (whole.totals["5xx"] == found.totals["5xx"]).all()
    for one, other in zip(whole.scores, found.scores, strict=True):
        assert (one.total_variation == other.total_variation).all()


# --- windows


def test_windows_forget_failures_to_a_twelfth_of_their_length(profile: Profile) -> None:
    monitor = watch(profile, [served(live_rows(20, 1), at + 0.5) for at in range(0, 100, 5)], SHORT)
    one = refused(live_rows(5, 9), 10.5)
    monitor.observe(one, DECODER.decode(one))
    monitor.flush()
    windows = {now: {score.window for score in monitor.snapshot(now).failed.scores} for now in (11.0, 28.0, 33.0, 76.0)}
    assert windows == {11.0: {"20s", "1m"}, 28.0: {"20s", "1m"}, 33.0: {"1m"}, 76.0: set()}


def test_without_successful_rows_there_is_nothing_to_compare_with_and_it_is_said_so(profile: Profile) -> None:
    found = only(watch(profile, [refused(live_rows(50, 1), 1.0)], SHORT), 1.0, "20s")
    assert found.samples == 50
    assert np.isnan(found.total_variation).all()
    assert np.isnan(found.critical).all()
    assert np.isnan(found.excess).all()


def test_redirections_and_odd_codes_are_no_failures_of_a_value(profile: Profile) -> None:
    seen = [refused(live_rows(5, 1), 1.0, status) for status in (101, 302, 999)]
    monitor = watch(profile, seen, SHORT)
    snapshot = monitor.snapshot(1.0)
    assert snapshot.failed.scores == ()
    assert snapshot.rows.failed == {"4xx": 0, "5xx": 0}
    assert undecoded(monitor)["request", "error_status"] == 3


def test_without_a_profile_failed_rows_are_counted_and_nothing_else() -> None:
    snapshot = watch(None, [refused([[1, 2], [3, 4]], 1.0, 503)]).snapshot(1.0)
    assert snapshot.rows.failed == {"4xx": 0, "5xx": 2}
    assert snapshot.failed is None


def test_a_request_that_is_tried_again_within_a_pane_is_in_the_window_once_and_in_the_totals_each_time(
    profile: Profile,
) -> None:
    (row, other), odd = live_rows(2, 1), {**live_rows(1, 2)[0], "amount": [1]}
    seen = [refused([row], 1.0), refused([row], 1.4), refused([row], 1.9), refused([other], 1.9), refused([row], 2.1),
            refused([odd], 3.0), refused([odd | {"extra": 1}], 3.5), refused([row], 3.5, 422)]  # fmt: skip
    snapshot = watch(profile, seen, SHORT).snapshot(4.0)
    assert {one.code: one.samples for one in snapshot.failed.scores if one.window == "20s"} == {"5xx": 4, "4xx": 1}
    assert {code: totals.sum() / len(FEATURES) for code, totals in snapshot.failed.totals.items()} == {
        "5xx": 7, "4xx": 1,
    }  # fmt: skip


def test_few_requests_that_are_tried_again_and_again_name_nothing(profile: Profile) -> None:
    good, bad = live_rows(2000, 3), live_rows(10, 4)
    tries = [refused([row], 1.0 + attempt / 25) for attempt in range(20) for row in bad]
    found = only(watch(profile, [served(good, 1.0), *tries], SHORT), 2.0, "1m")
    assert found.samples == 10
    assert np.isnan(found.excess).all()


@pytest.mark.parametrize("made", [lambda: ([1, float("nan")], ["x", "y"]), lambda: np.full((2, 3), np.nan)])
def test_a_request_with_nan_that_is_tried_again_is_no_news_either(made: Any) -> None:
    repeats, fit = Repeats(1.0), Fit((0, 1), (), 2)
    assert [repeats.before(fit, Table(2, None, tuple(made())), 0.0) for _ in range(3)] == [False, True, True]


def test_what_is_remembered_of_failures_is_bounded() -> None:
    repeats = Repeats(1.0)
    fit = Fit((0,), (), 1)
    for number in range(10_000):
        assert not repeats.before(fit, Table(1, None, ([number],)), 0.0)
    assert len(repeats._news) == 4096
    assert repeats.before(fit, Table(1, None, ([9_999],)), 0.5)
    assert not repeats.before(fit, Table(1, None, ([0],)), 0.5), "forgotten"


def test_counts_go_on_from_what_was_kept(profile: Profile) -> None:
    before = watch(profile, [served(live_rows(300, 1), 1.0), refused(live_rows(40, 2), 1.0)], SHORT)
    after = watch(profile, [], SHORT)
    for name, array in after.arrays().items():
        array[...] = before.arrays()[name]
    more = refused(live_rows(7, 3), 2.0)
    after.observe(more, DECODER.decode(more))
    after.flush()
    found = only(after, 2.0, "20s")
    assert found.samples == 47, "each row is in the window once"


# --- chance

FAMILY = 20
BINS = 14


def drawn(random: np.random.Generator, shares: NDArray[np.float64], rows: int, windows: int) -> NDArray[np.int64]:
    """Counts of shape (windows, features, bins)."""
    return np.stack([random.multinomial(rows, share, windows) for share in shares], axis=1)


def loudest(good: NDArray[np.int64], bad: NDArray[np.int64]) -> float:
    """How far the loudest of a family is beyond what it may be, in one window."""
    one, other = of_bins(good), of_bins(bad)
    beyond = total_variation.score(one, other) - total_variation.critical_of(len(good), one, other)
    return float(beyond.max())


@pytest.mark.parametrize("failed", [3, 20, 200])
@pytest.mark.parametrize("successful", [20, 5000])
def test_by_chance_no_feature_of_a_family_is_named_more_than_once_in_a_thousand_windows(
    failed: int, successful: int
) -> None:
    """3000 windows of 20 features: 3 would be the level; the bound is strict, so that 0 is what is to be seen."""
    random = np.random.default_rng(failed * successful)
    shares = random.dirichlet(np.full(BINS, 0.4), FAMILY)
    good, bad = (drawn(random, shares, rows, 3000) for rows in (successful, failed))
    named = sum(loudest(*window) > 0 for window in zip(good, bad, strict=True))
    assert named <= 3 + 3 * math.sqrt(3)


@pytest.mark.parametrize(("failed", "share"), [(25, 0.05), (60, 0.3)])
def test_a_value_that_breaks_the_server_is_named_after_a_few_failures(failed: int, share: float) -> None:
    """Some requests fail, all of them with one value that `share` of the successful ones would have had."""
    random = np.random.default_rng(1)
    shares = np.full((FAMILY, BINS), (1 - share) / (BINS - 1))
    shares[:, 0] = share
    broken = shares.copy()
    broken[3] = np.eye(BINS)[0]
    good, bad = drawn(random, shares, 2000, 200), drawn(random, broken, failed, 200)
    good[:, 3, 0] = 0
    named = [loudest(*window) > 0 for window in zip(good, bad, strict=True)]
    assert sum(named) >= 198


def test_days_of_failures_that_have_nothing_to_do_with_values_name_none_at_any_look() -> None:
    """The rule looks every minute, at three windows: 20 days, 500 rows a minute of which one in a hundred fails."""
    random = np.random.default_rng(7)
    shares = random.dirichlet(np.full(BINS, 0.4), FAMILY)
    minutes, loud = 20 * 1440, 0
    good, bad = (drawn(random, shares, rows, minutes // 5).cumsum(axis=0) for rows in (2475, 25))
    looks = 0
    for panes in (1, 12, 288):  # of five minutes
        for end in range(panes, minutes // 5, max(panes // 12, 1)):
            window = [counts[end] - counts[end - panes] for counts in (good, bad)]
            looks += 1
            loud += loudest(*window) > 0
    assert looks > 10_000
    assert loud <= 10
