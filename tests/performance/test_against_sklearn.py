"""Every measure is what scikit-learn says of the raw rows, to 1e-9; areas under curves within their bound."""

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joined_rows import BINARY, LABELS, MANY, MULTICLASS, RANKING, REGRESSION, drawn, numbers
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.preprocessing import label_binarize

from exporter.performance.measures import measured
from exporter.performance.measures.quantiles import RANKS
from exporter.performance.scoring import EDGES
from exporter.performance.tally import Tally
from exporter.performance.task import Rows, Task

Said = dict[tuple[str, ...], float]
SIZES = [1, 2, 3, 30, 1000, 20_000]


def close(ours: Said, theirs: Said) -> None:
    """Each of theirs is one of ours, and the same."""
    for key, expected in theirs.items():
        assert ours[key] == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), key


@pytest.fixture(autouse=True)
def sklearn_may_warn() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def by_label(task: Task, rows: Rows) -> Said:
    """Of labels; the classes that are there are scikit-learn's."""
    said, true, weight = rows.said[:, 0].astype(int), rows.true.astype(int), rows.weight
    names = (*task.classes, "other")
    there = sorted({*said.tolist(), *true.tolist()})
    each = metrics.precision_recall_fscore_support(true, said, labels=there, sample_weight=weight)
    found = {
        ("accuracy",): metrics.accuracy_score(true, said, sample_weight=weight),
        ("balanced_accuracy",): metrics.balanced_accuracy_score(true, said, sample_weight=weight),
    }
    for name, values in zip(("precision", "recall", "f1"), each, strict=False):
        found |= {(name, names[code]): value for code, value in zip(there, values, strict=True)}
    for average in ("macro", "weighted"):
        every = metrics.precision_recall_fscore_support(true, said, average=average, sample_weight=weight)
        found |= {(f"{name}_{average}",): every[at] for at, name in enumerate(("precision", "recall", "f1"))}
    counts = metrics.confusion_matrix(true, said, labels=there)
    if len(task.classes) <= 20:
        found |= {
            ("confusion_rows", names[one], names[other]): counts[at, to]
            for at, one in enumerate(there)
            for to, other in enumerate(there)
        }
    return found


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("task", [BINARY, LABELS, MULTICLASS, MANY], ids=["binary", "labels", "multiclass", "many"])
def test_what_is_right_is_as_in_sklearn(task: Task, size: int, weights: bool) -> None:
    rows = drawn(task, size, weights=weights)
    close(numbers(task, rows), by_label(task, rows))


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_losses_of_two_classes_are_as_in_sklearn(size: int, weights: bool) -> None:
    rows = drawn(BINARY, size, weights=weights)
    true, score, weight = rows.true, rows.said[:, 1], rows.weight
    loss = metrics.log_loss(true, np.column_stack((1 - score, score)), labels=[0, 1], sample_weight=weight)
    brier = np.average((true - score) ** 2, weights=weight)
    gap = np.average(score - true, weights=weight)
    close(numbers(BINARY, rows), {("log_loss",): loss, ("brier",): brier, ("calibration_in_the_large",): gap})
    if len(set(true)) == 2:
        assert brier == pytest.approx(metrics.brier_score_loss(true, score, sample_weight=weight), rel=1e-12)


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_losses_of_several_classes_are_as_in_sklearn(size: int, weights: bool) -> None:
    rows = drawn(MULTICLASS, size, weights=weights)
    scores, codes = rows.said[:, 1:], range(4)
    loss = metrics.log_loss(rows.true, scores, labels=codes, sample_weight=rows.weight)
    brier = metrics.brier_score_loss(rows.true, scores, labels=codes, sample_weight=rows.weight)
    top = scores.argmax(axis=1)
    gap = np.average(scores.max(axis=1) - (top == rows.true), weights=rows.weight)
    close(numbers(MULTICLASS, rows), {("log_loss",): loss, ("brier",): brier, ("calibration_in_the_large",): gap})


def areas(task: Task, rows: Rows) -> Said:
    weight = rows.weight
    if task.kind == "binary":
        score = rows.said[:, 1]
        return {
            ("roc_auc",): metrics.roc_auc_score(rows.true, score, sample_weight=weight),
            ("pr_auc",): metrics.average_precision_score(rows.true, score, sample_weight=weight),
        }
    true, scores = label_binarize(rows.true, classes=range(4)), rows.said[:, 1:]
    found: Said = {
        ("roc_auc",): metrics.roc_auc_score(true, scores, sample_weight=weight),
        ("pr_auc",): metrics.average_precision_score(true, scores, sample_weight=weight),
    }
    for at, name in enumerate(task.classes):
        found["roc_auc_of_class", name] = metrics.roc_auc_score(true[:, at], scores[:, at], sample_weight=weight)
        average = metrics.average_precision_score(true[:, at], scores[:, at], sample_weight=weight)
        found["pr_auc_of_class", name] = average
    return found


def within_bounds(task: Task, rows: Rows) -> None:
    ours = {(one.name, *one.labels): one for one in measured(task, Tally(task).of(rows))}
    for key, expected in areas(task, rows).items():
        assert abs(ours[key].value - expected) <= ours[key].bound + 1e-9, key


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("size", [30, 300, 20_000])
@pytest.mark.parametrize("task", [BINARY, MULTICLASS], ids=["binary", "multiclass"])
def test_areas_under_curves_are_those_of_sklearn_within_their_bound(task: Task, size: int, weights: bool) -> None:
    within_bounds(task, drawn(task, size, weights=weights))


def test_bounds_of_areas_are_small_where_scores_are_spread() -> None:
    found = {one.name: one for one in measured(BINARY, Tally(BINARY).of(drawn(BINARY, 20_000)))}
    assert found["roc_auc"].bound < 0.01
    assert found["pr_auc"].bound < 0.01


SCORES = st.one_of(st.sampled_from([0.0, 1e-9, 0.25, 0.5, 0.999999, 1.0]), st.floats(0, 1))
ROWS = st.lists(st.tuples(SCORES, st.booleans(), st.integers(1, 10**7)), min_size=1, max_size=40)


@settings(deadline=None)
@given(ROWS)
def test_odd_scores_ties_and_weights_are_no_exception(found: list[tuple[float, bool, int]]) -> None:
    score, true, units = (np.array(side, np.float64) for side in zip(*found, strict=True))
    rows = Rows(np.column_stack((score >= 0.5, score)), true, units / 1e6)
    ours = numbers(BINARY, rows)
    loss = metrics.log_loss(true, np.column_stack((1 - score, score)), labels=[0, 1], sample_weight=rows.weight)
    close(ours, by_label(BINARY, rows) | {("log_loss",): loss})
    assert ours["brier",] == pytest.approx(np.average((true - score) ** 2, weights=rows.weight), rel=1e-9, abs=1e-12)
    if len(set(true)) == 2:
        within_bounds(BINARY, rows)
    else:
        assert math.isnan(ours["roc_auc",])


@pytest.mark.parametrize("score", [0.0, 0.3, 1.0])
def test_scores_that_never_differ_tell_nothing_and_the_area_says_so(score: float) -> None:
    true = (np.arange(100) < 30).astype(np.float64)
    rows = Rows(np.column_stack((np.full(100, score >= 0.5), np.full(100, score))), true, np.ones(100))
    ours = numbers(BINARY, rows)
    assert ours["roc_auc",] == 0.5
    assert ours["pr_auc",] == pytest.approx(0.3)


def of_numbers(rows: Rows) -> Said:
    said, true, weight = rows.said[:, 0], rows.true, rows.weight
    return {
        ("mae",): metrics.mean_absolute_error(true, said, sample_weight=weight),
        ("rmse",): float(np.sqrt(metrics.mean_squared_error(true, said, sample_weight=weight))),
        ("mape",): metrics.mean_absolute_percentage_error(true, said, sample_weight=weight),
        ("r2",): metrics.r2_score(true, said, sample_weight=weight),
        ("bias",): float(np.average(said - true, weights=weight)),
    }


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_errors_of_numbers_are_as_in_sklearn(size: int, weights: bool) -> None:
    rows = drawn(REGRESSION, size, weights=weights)
    close(numbers(REGRESSION, rows), of_numbers(rows))


@pytest.mark.parametrize(("centre", "unit"), [(0.0, 1.0), (1e6, 1e-3), (-1e5, 1e9)])
def test_a_centre_and_a_unit_that_do_not_fit_change_nothing(centre: float, unit: float) -> None:
    random = np.random.default_rng(5)
    true = random.normal(1e6, 1.0, 3000)
    rows = Rows((true + random.normal(0.0, 0.1, 3000))[:, None], true, np.ones(3000))
    ours = numbers(Task("regression", centre=centre, unit=unit), rows)
    for name, expected in of_numbers(rows).items():
        assert ours[name] == pytest.approx(expected, rel=1e-9, abs=1e-9 * min(unit, 1.0)), name


FINE = 1e-9
TRUTHS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, FINE]), st.floats(-1e6, 1e6).filter(lambda number: abs(number) > FINE)
)


@settings(deadline=None)
@given(st.lists(st.tuples(TRUTHS, TRUTHS, st.integers(1, 10**7)), min_size=1, max_size=30))
def test_odd_numbers_are_no_exception(found: list[tuple[float, float, int]]) -> None:
    said, true, units = (np.array(side, np.float64) for side in zip(*found, strict=True))
    rows = Rows(said[:, None], true, units / 1e6)
    ours, theirs = numbers(REGRESSION, rows), of_numbers(rows)
    if np.ptp(true) < 1e-3 * max(np.abs(true).max(), REGRESSION.unit):
        theirs.pop(("r2",))  # digits are gone, scikit-learn's own or those of what lies so near to the centre
    for name, expected in theirs.items():
        assert ours[name] == pytest.approx(expected, rel=1e-9, abs=1e-9 * 3.0, nan_ok=True), name


@pytest.mark.parametrize("weights", [False, True])
def test_quantiles_of_errors_are_those_of_numpy_within_their_bound_of_1_per_cent(weights: bool) -> None:
    rows = drawn(REGRESSION, 5000, weights=weights)
    error = rows.said[:, 0] - rows.true
    expected = np.quantile(error, RANKS, weights=rows.weight, method="inverted_cdf")
    found = [one for one in measured(REGRESSION, Tally(REGRESSION).of(rows)) if one.name == "residual_quantile"]
    assert [float(*one.labels) for one in found] == list(RANKS)
    for one, raw in zip(found, expected, strict=True):
        assert abs(one.value - raw) <= one.bound + 1e-12
        assert one.bound <= max(0.01 * abs(one.value), 4.0 / 512)


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_orders_are_judged_as_in_sklearn(size: int, weights: bool) -> None:
    rows = drawn(RANKING, size, weights=weights)
    shown = np.tile(-np.arange(8.0), (size, 1))
    ndcg = metrics.ndcg_score(rows.true, shown, k=5, sample_weight=rows.weight)
    hits = np.average((rows.true[:, :5] > 0).any(axis=1), weights=rows.weight)
    close(numbers(RANKING, rows), {("ndcg",): ndcg, ("hit_rate",): hits})


def test_short_lists_are_as_if_nothing_more_had_been_relevant() -> None:
    rows = drawn(RANKING, 50)
    short = rows.true.copy()
    short[:, 4:] = 0.0
    cut = short.copy()
    cut[:, 4:] = np.nan
    assert numbers(RANKING, rows._replace(true=cut)) == numbers(RANKING, rows._replace(true=short))


def reliability(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found: dict[str, Any] = {}
    for one in measured(BINARY, Tally(BINARY).of(rows)):
        found.setdefault(one.name, []).append(one.value)
    return np.array(found["reliability_score"]), np.array(found["reliability_true_ratio"])


def test_reliability_is_the_mean_of_scores_and_of_truths_by_bins() -> None:
    rows = drawn(BINARY, 5000)
    bins = np.digitize(rows.said[:, 1], EDGES, right=True)
    score, true = reliability(rows)
    for at in range(14):
        assert score[at] == pytest.approx(rows.said[bins == at, 1].mean(), rel=1e-9)
        assert true[at] == pytest.approx(rows.true[bins == at].mean(), rel=1e-9)
