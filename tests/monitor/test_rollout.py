"""A version against the stable one: what differs is told apart from chance, and nothing else is."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from exporter import config
from exporter.monitor import rollout
from exporter.monitor.batch import Batch
from exporter.monitor.models import Models
from exporter.monitor.spreading import Spread, spread_of
from exporter.performed import Counted, Judged, Measure, Performed
from exporter.profile import Plan as BuildPlan
from exporter.profile import build_frame
from exporter.profile.directory import OneProfile
from exporter.records import Body, Capture, Exchange, Observation, Table
from exporter.reference import Column, Profile
from exporter.sketch.spread import moments, words_of
from exporter.snapshots import BlockSnapshot, Scores
from exporter.versioned import Difference, Versioned

RANDOM = np.random.default_rng(3)
SCORE = Column("score", "numeric", (0, *[100] * 12, 0, 0, 0), tuple(map(float, range(13))), mean=0.5, sd=0.15)
CLASS = Column("answer", "categorical", (700, 200, 100, 0, 0, 0), categories=("a", "b", "c"))
ROWS = 500


def said(column: Column, values: NDArray[np.float64] | None, counts: list[int] | None = None) -> rollout.Side:
    """One window of one output."""
    unit = column.sd or abs(column.mean) or 1.0
    words = None if values is None else words_of(values[:, None], np.array([column.mean]), np.array([unit]))
    found = np.array([counts or [0] * len(column.counts)])
    none: dict[str, Any] = {}
    scores = Scores("1h", found.sum(axis=1), found.sum(axis=1) > 0, none, none, none, 0.0, found, found.sum(axis=1), (),
                    words)  # fmt: skip
    block = BlockSnapshot(None, (scores,), None, ())  # type: ignore[arg-type]
    return (column,), block


def mean_difference(one: NDArray[np.float64], other: NDArray[np.float64], **changes: Any) -> Difference:
    own = replace(SCORE, **changes)
    (found,) = rollout.means(said(own, one), said(SCORE, other), 200)
    return found


def is_told(one: Difference) -> bool:
    return abs(one.value) > one.critical


def drawn(mean: float, sd: float, rows: int) -> NDArray[np.float64]:
    """Scores of a gamma law: skewed as scores are, never below 0."""
    shape = (mean / sd) ** 2
    return RANDOM.gamma(shape, mean / shape, rows)


# --- moments


def test_mean_and_variance_are_those_of_the_numbers_whatever_the_unit() -> None:
    values = RANDOM.normal(3e7, 2.0, (1000, 1))
    for origin, unit in ((3e7, 2.0), (2.99e7, 1e3), (3e7 + 5, 0.1)):
        found = moments(words_of(values, np.array([origin]), np.array([unit])).tolist()[0], origin, unit)
        assert found.samples == 1000
        assert found.mean == pytest.approx(values.mean(), rel=1e-12)
        assert found.variance == pytest.approx(values.var(ddof=1), rel=1e-6)


def test_moments_do_not_depend_on_order_or_batches() -> None:
    values = RANDOM.normal(size=(999, 2))
    origin, unit = np.zeros(2), np.ones(2)
    whole = words_of(values, origin, unit)
    parts = sum(words_of(part, origin, unit) for part in np.array_split(values[::-1], 7))
    assert np.array_equal(whole, parts)


def test_what_is_no_number_counts_as_nothing_and_a_wild_one_breaks_nothing() -> None:
    values = np.array([[1.0], [3.0], [np.nan], [np.inf], [-np.inf]])
    assert moments(words_of(values, np.zeros(1), np.ones(1)).tolist()[0], 0.0, 1.0) == (2, 2.0, 2.0)
    wild = moments(words_of(np.array([[1e308], [-1e308]]), np.zeros(1), np.ones(1)).tolist()[0], 0.0, 1.0)
    assert wild == (2, 0.0, 2 * 1024.0**2)
    assert math.isnan(moments([0] * 5, 0.0, 1.0).mean)


@pytest.mark.parametrize("sd", [0.0, 1.4e-17])
def test_an_output_that_was_a_constant_in_training_has_a_mean_of_its_own(sd: float) -> None:
    column, none = replace(SCORE, mean=0.1, sd=sd), np.zeros(1, np.int64)
    values = np.array([[0.7], [0.9]])
    words = Spread([column]).counted(Batch(0.0, np.zeros((2, 1), np.uint8), values, {}, none, none), slice(0, 2))
    ((_, found),) = spread_of([column], words)
    assert (found.samples, found.mean) == (2, pytest.approx(0.8))


# --- means


def test_a_difference_has_the_critical_value_of_welchs_test() -> None:
    one, other = drawn(0.55, 0.2, 400), drawn(0.5, 0.1, 900)
    found = mean_difference(one, other)
    test = scipy.stats.ttest_ind(one, other, equal_var=False)
    assert found.value == pytest.approx(one.mean() - other.mean())
    error = found.value / test.statistic
    assert found.critical == pytest.approx(scipy.stats.t.ppf(0.9995, test.df) * error)


@pytest.mark.parametrize("spread", [0.1, 0.2, 0.3])
def test_a_canary_that_predicts_ten_percent_higher_is_told_within_500_rows_of_each(spread: float) -> None:
    told = [is_told(mean_difference(drawn(0.55, 0.5 * spread, ROWS), drawn(0.5, 0.5 * spread, ROWS)))
            for _ in range(300)]  # fmt: skip
    assert np.mean(told) > 0.95


@pytest.mark.parametrize("rows", [(500, 500), (200, 20_000)])
def test_versions_that_answer_alike_are_told_apart_once_in_a_thousand_windows(rows: tuple[int, int]) -> None:
    tries = 4000 if rows[1] == rows[0] else 1000
    told = sum(is_told(mean_difference(drawn(0.5, 0.15, rows[0]), drawn(0.5, 0.15, rows[1]))) for _ in range(tries))
    assert told <= scipy.stats.poisson.ppf(0.9999, 2 * tries / 1000)


def test_profiles_of_their_own_make_no_difference() -> None:
    one, other = drawn(0.5, 0.15, ROWS), drawn(0.5, 0.15, ROWS)
    alike, apart = mean_difference(one, other), mean_difference(one, other, mean=7.0, sd=3.0)
    assert apart.value == pytest.approx(alike.value, abs=1e-9)
    assert apart.critical == pytest.approx(alike.critical, rel=1e-6)


def test_rows_that_come_together_count_for_less() -> None:
    one, other = drawn(0.5, 0.15, ROWS), drawn(0.5, 0.15, ROWS)
    assert mean_difference(one, other, dependence=4.0).critical == pytest.approx(
        2 * mean_difference(one, other).critical, rel=0.02
    )


def test_too_few_rows_and_windows_that_one_lacks_are_not_compared() -> None:
    one, other = drawn(0.5, 0.15, 100), drawn(0.5, 0.15, ROWS)
    assert not list(rollout.means(said(SCORE, one), said(SCORE, other), 200))
    assert not list(rollout.means(((SCORE,), None), said(SCORE, other), 200))
    assert not list(rollout.means(said(replace(SCORE, name="x"), other), said(SCORE, other), 200))


def test_constants_that_are_alike_do_not_differ_and_others_do() -> None:
    assert mean_difference(np.full(ROWS, 2.0), np.full(ROWS, 2.0)).value == 0.0
    assert is_told(mean_difference(np.full(ROWS, 2.1), np.full(ROWS, 2.0)))


@pytest.mark.parametrize("value", [0.1, 0.7, 1 / 3, 1e-9])
@pytest.mark.parametrize("of_canary", [(7.0, 3.0), (0.1, 0.0), (0.3, 0.1), (1.1, 0.33)])
def test_a_constant_is_the_same_whatever_its_profiles_count_from(value: float, of_canary: tuple[float, float]) -> None:
    mean, sd = of_canary
    assert not is_told(mean_difference(np.full(777, value), np.full(ROWS, value), mean=mean, sd=sd))


# --- shares


def share(one: list[int], other: list[int]) -> Difference:
    (found,) = rollout.shares(said(CLASS, None, [*one, 0, 0, 0]), said(CLASS, None, [*other, 0, 0, 0]), 200)
    return found


def test_the_class_that_differs_most_is_named_with_its_own_critical_value() -> None:
    found = share([300, 150, 50], [350, 100, 50])
    assert (found.name, found.of_class) == ("answer", "b")
    assert found.value == pytest.approx(0.1)
    assert found.critical == pytest.approx(
        scipy.stats.norm.ppf(1 - 0.0005 / 3) * math.sqrt(0.25 * 0.75 * 2 / 500), rel=1e-9
    )


def test_rows_of_classes_that_come_together_count_for_less_whichever_profile_says_it() -> None:
    one, other = [350, 100, 50, 0, 0, 0], [300, 140, 60, 0, 0, 0]
    together = replace(CLASS, dependence=4.0)

    def critical(own: Column, stable: Column) -> float:
        (found,) = rollout.shares(said(own, None, one), said(stable, None, other), 200)
        return found.critical

    assert critical(together, CLASS) == pytest.approx(2 * critical(CLASS, CLASS), rel=0.02)
    assert critical(CLASS, together) == critical(together, CLASS)


def test_a_class_that_comes_more_often_is_told_within_500_rows() -> None:
    told = [is_told(share(*(RANDOM.multinomial(ROWS, of).tolist() for of in ((0.55, 0.35, 0.1), (0.7, 0.2, 0.1)))))
            for _ in range(200)]  # fmt: skip
    assert np.mean(told) > 0.95


@pytest.mark.parametrize("shares", [(0.7, 0.2, 0.1), (0.995, 0.004, 0.001)])
@pytest.mark.parametrize("rows", [(500, 500), (200, 20_000)])
def test_classes_that_come_alike_are_told_apart_once_in_a_thousand_windows(
    shares: tuple[float, ...], rows: tuple[int, int]
) -> None:
    tries = 4000
    counts = (RANDOM.multinomial(n, shares, tries).tolist() for n in rows)
    told = sum(is_told(share(*both)) for both in zip(*counts, strict=True))
    assert told <= scipy.stats.poisson.ppf(0.9999, 2 * tries / 1000)


# --- performance


def performed(value: float, half: float, *, sufficient: bool = True, task: str = "binary") -> Performed:
    measures = (
        Measure("accuracy", value, value - half, value + half),
        Measure("precision", 0.5, 0.4, 0.6, labels=("yes",)), Measure("ece", 0.1),
    )  # fmt: skip
    judged = tuple(Judged(by, "1h", 500, 500, sufficient, measures) for by in ("prediction", "arrival"))
    return Performed(task, Counted(0, 0, 0, (), 0.0), judged)


def test_performance_differs_by_the_intervals_of_independent_samples() -> None:
    (found,) = rollout.performance(performed(0.80, 0.03), performed(0.86, 0.04))
    assert (found.name, found.window) == ("accuracy", "1h")
    assert (found.value, found.lower, found.upper) == pytest.approx((-0.06, -0.11, -0.01))


def test_performance_of_too_few_truths_or_of_another_task_is_not_compared() -> None:
    assert not list(rollout.performance(performed(0.8, 0.1, sufficient=False), performed(0.8, 0.1)))
    assert not list(rollout.performance(performed(0.8, 0.1, task="regression"), performed(0.8, 0.1)))
    assert not list(rollout.performance(None, performed(0.8, 0.1)))


# --- of models that are watched


def profile_of(mean: float, version: str) -> Profile:
    random = np.random.default_rng(5)
    frame = {"x": random.normal(size=1000), "score": random.normal(mean, 0.15, 1000)}
    profile, _ = build_frame(frame, BuildPlan(predictions=["score"]))
    return replace(profile, model="m", version=version, digest="")


class TwoProfiles(OneProfile):
    """Each version has its own."""

    def __init__(self) -> None:
        super().__init__(profile_of(0.5, "1"), None)
        self._other = replace(profile_of(0.9, "2"), digest="f" * 64)

    def of(self, model: str, version: str = "") -> Profile | None:
        return self._other if version == "2" else super().of(model, version)


def see(watched: Models, version: str, mean: float, *, rows: int = ROWS, at: float = 1.0) -> None:
    """One request of so many rows."""
    body = Body(10, Capture.WHOLE, b"")
    seen = Exchange(int(at * 1e9), 10**18, 10**6, 200, "POST", "/predict", {}, {}, body, body)
    asked = Table(rows, ("x",), (RANDOM.normal(size=rows).tolist(),))
    said = Table(rows, ("score",), (RANDOM.normal(mean, 0.15, rows).tolist(),))
    watched.observe(seen, Observation(asked, said, "plain", "m", version))


def versioned(watched: Models, now: float = 1.5) -> dict[str, Versioned]:
    return {one.label.version: one.snapshot.versioned for one in watched.shown(now)
            if one.label.model == "m" and one.snapshot.versioned}  # fmt: skip


def models(references: OneProfile | None = None, **given: str) -> Models:
    named = {f"versions.{key}": value for key, value in given.items()}
    found = config.resolve(("test", {"profile": "profile.json", **named}))
    return Models(found, references or OneProfile(profile_of(0.5, "1"), None))


@pytest.mark.parametrize("references", [None, TwoProfiles()])
def test_a_canary_is_compared_with_stable_whether_or_not_it_has_the_same_profile(references: OneProfile | None) -> None:
    watched = models(references, stable="1")
    see(watched, "1", 0.50)
    see(watched, "2", 0.55)
    found = versioned(watched)
    assert (found["1"].role, found["2"].role, found["2"].by) == ("stable", "canary", "settings")
    told = {one.window: one for one in found["2"].means}
    assert {"5m", "1h", "24h"} <= set(told)
    assert found["2"].against == "1"
    assert not found["1"].means
    assert all(is_told(one) for one in told.values())
    assert told["1h"].value == pytest.approx(0.05, abs=0.03)


def test_versions_that_are_seldom_asked_are_compared_over_their_last_rows() -> None:
    watched = models(stable="1")
    for version, mean in (("1", 0.50), ("2", 0.55)):
        see(watched, version, mean, rows=1)
        see(watched, version, mean, at=3000.0)
    told = {one.window: one for one in versioned(watched, 3001.0)["2"].means}
    assert set(told) == {"5m", "1h", "24h", "200rows", "1000rows", "10000rows"}
    assert is_told(told["1000rows"])


def test_stable_is_who_the_settings_name_then_the_profile_then_who_came_first() -> None:
    for given, profile, roles, by in (
        ({"stable": "2"}, "1", {"1": "canary", "2": "stable"}, "settings"),
        ({"stable": "9"}, "1", {"1": "canary", "2": "canary"}, "settings"),
        ({}, "2", {"1": "canary", "2": "stable"}, "profile"),
        ({}, "9", {"1": "stable", "2": "canary"}, "first"),
    ):
        watched = models(OneProfile(profile_of(0.5, profile), None), **given)
        see(watched, "1", 0.5)
        see(watched, "2", 0.5)
        found = {version: one for version, one in versioned(watched).items() if version != "9"}
        assert {version: one.role for version, one in found.items()} == roles, given
        assert {one.by for one in found.values()} == {by}
