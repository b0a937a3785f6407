"""Of parts of the traffic less is added up, and what there is is the same as of all rows, and scikit-learn's."""

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from joined_rows import TASKS, drawn
from sklearn import metrics

from exporter.performance.measures import measured
from exporter.performance.part_tally import Parted, PartTally, by_part
from exporter.performance.tally import Tally
from exporter.performance.task import Rows

NAMES = {
    "binary": {"accuracy", "precision", "recall", "brier"}, "labels": {"accuracy", "precision", "recall"},
    "multiclass": {"accuracy", "brier"}, "many": {"accuracy"}, "regression": {"mae", "rmse", "bias"},
    "ranking": {"hit_rate", "ndcg"},
}  # fmt: skip
PARTS = 7


@pytest.fixture(autouse=True)
def sklearn_may_warn() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def some(rows: Rows, which: np.ndarray) -> Rows:
    return Rows(*(part[which] for part in rows))


def parted(tally: PartTally, rows: Rows) -> Parted:
    return tally.read(tally.of(rows).sum(axis=0))


@pytest.mark.parametrize("weights", [False, True], ids=["even", "weighed"])
@pytest.mark.parametrize("name", TASKS)
def test_each_part_has_the_measures_of_its_own_rows(name: str, weights: bool) -> None:
    task = TASKS[name]
    rows = drawn(task, 3000, 1, weights=weights)
    places = np.random.default_rng(2).integers(0, PARTS + 1, 3000).astype(np.uint8)  # the last is nobody's
    tally = PartTally(task)
    sums = by_part(tally.of(rows), places, PARTS)
    for part in range(PARTS):
        own = some(rows, places == part)
        theirs = {
            one.name: one for one in measured(task, Tally(task).of(own))
            if one.name in NAMES[name] and one.labels in {(), ("yes",)}
        }  # fmt: skip
        found = tally.read(sums[part])
        assert found.rows == own.rows
        assert {one.name for one in found.measures} == NAMES[name]
        for one in found.measures:
            expected = theirs[one.name]
            for word in ("value", "lower", "upper"):
                assert getattr(one, word) == pytest.approx(getattr(expected, word), rel=1e-9, abs=1e-9), one.name


def test_of_classes_and_numbers_it_is_what_scikit_learn_says() -> None:
    rows = drawn(TASKS["binary"], 500, 3, weights=True)
    said, true, weight = rows.said[:, 0], rows.true, rows.weight
    found = {one.name: one.value for one in parted(PartTally(TASKS["binary"]), rows).measures}
    assert found == pytest.approx({
        "accuracy": metrics.accuracy_score(true, said, sample_weight=weight),
        "precision": metrics.precision_score(true, said, sample_weight=weight),
        "recall": metrics.recall_score(true, said, sample_weight=weight),
        "brier": metrics.brier_score_loss(true, rows.said[:, 1], sample_weight=weight),
    }, rel=1e-9)  # fmt: skip
    rows = drawn(TASKS["regression"], 500, 3)
    found = {one.name: one.value for one in parted(PartTally(TASKS["regression"]), rows).measures}
    off = rows.said[:, 0] - rows.true
    assert found == pytest.approx({
        "mae": metrics.mean_absolute_error(rows.true, rows.said[:, 0]),
        "rmse": metrics.root_mean_squared_error(rows.true, rows.said[:, 0]), "bias": off.mean(),
    }, rel=1e-9)  # fmt: skip


@pytest.mark.parametrize("name", TASKS)
def test_neither_the_order_of_rows_nor_batches_make_a_difference(name: str) -> None:
    rows, random = drawn(TASKS[name], 400, 4, weights=True), np.random.default_rng(5)
    places = random.integers(0, PARTS, 400).astype(np.uint8)
    tally = PartTally(TASKS[name])
    whole = by_part(tally.of(rows), places, PARTS)
    order = random.permutation(400)
    pieces = [by_part(tally.of(some(rows, part)), places[part], PARTS) for part in np.array_split(order, 9)]
    assert (sum(pieces) == whole).all()


def test_what_is_wrong_is_counted_by_rows() -> None:
    rows = drawn(TASKS["binary"], 1000, 6, weights=True)
    assert parted(PartTally(TASKS["binary"]), rows).wrong == (rows.said[:, 0] != rows.true).sum()
    rows = drawn(TASKS["regression"], 1000, 6)
    off = np.abs(rows.said[:, 0] - rows.true)
    assert parted(PartTally(TASKS["regression"], 1.5), rows).wrong == (off >= 1.5).sum() > 0
    assert parted(PartTally(TASKS["regression"]), rows).wrong == 0  # nobody says what is too far off


def test_classes_that_nobody_knows_are_wrong_answers_of_no_class() -> None:
    task = TASKS["labels"]
    said, true = np.array([[0.0], [1], [2], [2]]), np.array([2.0, 2, 1, 2])
    found = parted(PartTally(task), Rows(said, true, np.ones(4)))
    assert (found.rows, found.wrong) == (4, 3)
    values = {one.name: one.value for one in found.measures}
    assert values == {"accuracy": 0.25, "precision": 0.0, "recall": 0.0}


@pytest.mark.parametrize("name", TASKS)
def test_rows_that_cannot_be_judged_count_nowhere(name: str) -> None:
    rows = drawn(TASKS[name], 10, 7)
    rows.true[...] = np.nan
    assert parted(PartTally(TASKS[name]), rows).rows == 0
    assert not PartTally(TASKS[name]).of(rows).any()
