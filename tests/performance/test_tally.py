"""Sums of joined rows: whole numbers that do not depend on order or batches, and rows that cannot be used."""

import numpy as np
import pytest
from joined_rows import BINARY, LABELS, MULTICLASS, RANKING, REGRESSION, TASKS, drawn, numbers
from numpy.typing import NDArray

from exporter.performance.curves import grid_of
from exporter.performance.measures import measured
from exporter.performance.residuals import scale_of
from exporter.performance.tally import Tally
from exporter.performance.task import Rows, Task

ALL = [pytest.param(task, id=name) for name, task in TASKS.items()]


def some(rows: Rows, which: NDArray[np.intp]) -> Rows:
    return Rows(*(part[which] for part in rows))


@pytest.mark.parametrize("task", ALL)
def test_order_and_batches_make_no_difference(task: Task) -> None:
    rows, tally = drawn(task, 3000, weights=True), Tally(task)
    whole = tally.of(rows)
    mixed = np.random.default_rng(1).permutation(rows.rows)
    parts = np.split(mixed, [1, 2, 10, 1000])
    assert whole.shape == (tally.size,)
    assert whole.dtype == np.int64
    assert np.array_equal(sum(tally.of(some(rows, part)) for part in parts), whole)


@pytest.mark.parametrize("task", ALL)
def test_no_rows_are_no_sums(task: Task) -> None:
    tally = Tally(task)
    assert not tally.of(some(drawn(task, 5), np.arange(0))).any()
    assert tally.view(np.zeros(tally.size, np.int64)).all.rows == 0


@pytest.mark.parametrize("task", ALL)
def test_rows_are_counted_whatever_they_weigh(task: Task) -> None:
    rows, tally = drawn(task, 500, weights=True), Tally(task)
    sums = tally.view(tally.of(rows))
    assert sums.all.rows == 500
    assert float(sums.all.weight) == pytest.approx(rows.weight.sum(), rel=1e-12)
    assert float(sums.all.squares) == pytest.approx((rows.weight**2).sum(), rel=1e-12)


@pytest.mark.parametrize("task", ALL)
def test_rows_that_nobody_can_judge_are_left_out_and_counted(task: Task) -> None:
    rows, tally = drawn(task, 60), Tally(task)
    unknown = Rows(rows.said.copy(), rows.true.copy(), rows.weight)
    unknown.true[:7] = np.nan
    if task.kind != "ranking":
        unknown.said[3:11, 0] = np.nan
    gone = 7 if task.kind == "ranking" else 11
    sums = tally.view(tally.of(unknown))
    assert (sums.left_out, int(sums.all.rows)) == (gone, 60 - gone)
    known = tally.view(tally.of(some(rows, np.arange(gone, 60))))
    assert known.all == sums.all


def test_a_missing_score_leaves_scores_out_and_not_the_answer() -> None:
    task = Task("binary", label="answer", scores=("score",), classes=("no", "yes"))
    rows, tally = drawn(BINARY, 100), Tally(task)
    rows.said[:20, 1] = np.nan
    sums = tally.view(tally.of(rows))
    assert sums.outcomes is not None
    assert sums.scored is not None
    assert sums.curves is not None
    assert sums.outcomes.all.rows == 100
    assert sums.scored.all.rows == 80
    assert sums.curves.weight.sum() == 80


def test_infinite_numbers_are_left_out_and_wild_ones_are_clipped_and_counted() -> None:
    tally = Tally(REGRESSION)
    said = np.array([[1e300], [np.inf], [10.0], [11.0], [-1e308]])
    true = np.array([10.0, 10.0, -np.inf, 10.0, 1e308])
    sums = tally.view(tally.of(Rows(said, true, np.ones(5)))).residuals
    assert sums is not None
    assert (sums.left_out, sums.clipped, int(sums.all.rows)) == (2, 2, 3)
    assert np.isfinite(list(sums.means.values())).all()
    assert np.isfinite(list(sums.crossed.values())).all()


def test_weights_that_are_none_weigh_nothing_and_heavy_ones_a_thousand() -> None:
    rows = drawn(LABELS, 4)._replace(weight=np.array([np.nan, -1.0, 5e6, 0.1234567]))
    sums = Tally(LABELS).view(Tally(LABELS).of(rows))
    assert float(sums.all.weight) == 1000.123457
    assert sums.all.rows == 4


def test_truths_and_answers_of_no_known_class_are_a_class_of_their_own() -> None:
    said, true = np.array([0.0, 1.0, 2.0, 2.0]), np.array([0.0, 2.0, 2.0, 1.0])
    found = numbers(LABELS, Rows(said[:, None], true, np.ones(4)))
    assert found["confusion_rows", "other", "other"] == 1
    assert found["confusion_rows", "other", "yes"] == 1
    assert found["confusion_rows", "yes", "other"] == 1
    assert found["accuracy",] == 0.5


def test_a_truth_of_no_known_class_is_one_that_no_score_spoke_of() -> None:
    scores = np.array([[0.7, 0.1, 0.1, 0.1]])
    found = numbers(MULTICLASS, Rows(np.column_stack(([0.0], scores)), np.array([4.0]), np.ones(1)))
    assert found["log_loss",] == pytest.approx(-np.log(np.finfo(float).eps))
    assert found["brier",] == pytest.approx((scores**2).sum() + 1)


def test_scores_that_are_not_of_each_class_are_not_judged() -> None:
    task = Task("multiclass", label="answer", scores=("a", "b"), classes=("a", "b", "c"))
    sums = Tally(task).view(Tally(task).of(Rows(np.array([[2.0, 0.1, 0.2]]), np.array([2.0]), np.ones(1))))
    assert sums.scored is None
    assert sums.curves is None
    assert sums.all.rows == 1


def test_scores_beyond_0_and_1_count_as_these() -> None:
    wild = Rows(np.array([[1.0, 1.5], [0.0, -3.0]]), np.array([1.0, 0.0]), np.ones(2))
    tame = Rows(np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([1.0, 0.0]), np.ones(2))
    assert np.array_equal(Tally(BINARY).of(wild), Tally(BINARY).of(tame))


@pytest.mark.parametrize(("classes", "words"), [(2, 1100), (4, 2500), (10, 4000), (20, 4200), (200, 2700), (5000, 200)])
def test_words_are_bounded_however_many_classes_there_are(classes: int, words: int) -> None:
    names = tuple(map(str, range(classes)))
    task = Task("binary" if classes == 2 else "multiclass", scores=names[1:] if classes == 2 else names, classes=names)
    assert Tally(task).size <= words


def test_words_of_numbers_and_orders_are_few() -> None:
    assert Tally(REGRESSION).size <= 1200
    assert Tally(RANKING).size <= 40


@pytest.mark.parametrize("classes", [2, 3, 7, 20])
def test_the_grid_of_scores_is_even_about_a_half_and_fine_at_both_ends(classes: int) -> None:
    grid = grid_of(classes)
    assert (np.diff(grid.edges) > 0).all()
    assert grid.edges == pytest.approx(1 - grid.edges[::-1])
    cells = grid.cells(np.array([0.0, 1e-7, 1e-4, 0.5, 1 - 1e-4, 1.0]))
    assert cells[0] == cells[1] == 0
    assert cells[-1] == grid.bins - 1
    assert (np.diff(cells[1:]) > 0).all()


@pytest.mark.parametrize(
    ("unit", "scale"), [(1.0, 1.0), (3.0, 4.0), (1e-9, 2.0**-30), (0.0, 1.0), (np.nan, 1.0), (np.inf, 1.0)]
)
def test_numbers_are_counted_in_powers_of_two(unit: float, scale: float) -> None:
    assert scale_of(unit) == scale


@pytest.mark.parametrize("task", ALL)
def test_a_billion_of_the_heaviest_rows_neither_overflow_nor_blur(task: Task) -> None:
    rows = drawn(task, 1000)
    heavy = rows._replace(weight=np.full(1000, 1000.0))
    words = Tally(task).of(heavy)
    times = (1 << 30) // 1000
    assert max(map(abs, words.tolist())) * times < 1 << 63
    many = {(one.name, *one.labels): one.value for one in measured(task, words * times)}
    for key, value in numbers(task, heavy).items():
        if key[0] not in {"confusion_rows", "reliability_rows", "calibration_error"}:
            assert many[key] == pytest.approx(value, rel=1e-12, nan_ok=True), key


def test_many_rows_at_once_are_as_many_batches() -> None:
    rows = drawn(LABELS, 1000)
    many = Rows(*(np.tile(part, (1100, 1)) if part.ndim > 1 else np.tile(part, 1100) for part in rows))
    assert np.array_equal(Tally(LABELS).of(many), 1100 * Tally(LABELS).of(rows))
