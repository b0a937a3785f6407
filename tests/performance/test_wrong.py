"""Which answers count as wrong, by what is predicted."""

import numpy as np
import pytest

from exporter.performance.task import Rows, Task
from exporter.performance.wrong import expected_of, wrong_of
from exporter.reference import Column
from exporter.target import Target

NUMBERS = Task("regression", label="price")
PRICES = Target(
    Column("price", "numeric", (0, *[100] * 10, 0, 0, 0, 0, 0), tuple(range(11))), "regression", label="price",
    edges=(1.0, 2.0), errors=(500, 390, 110),
)  # fmt: skip


def rows(said: list[float], true: list[float] | list[list[float]]) -> Rows:
    return Rows(np.array(said)[:, None], np.array(true), np.ones(len(said)))


def judged(task: Task, target: Target | None, some: Rows) -> list[bool | None]:
    """None of those that cannot be."""
    wrong = wrong_of(task, target)
    assert wrong
    known, found = wrong(some)
    by_row: list[bool | None] = [None] * some.rows
    for row, one in zip(np.flatnonzero(known).tolist(), found.tolist(), strict=True):
        by_row[row] = one
    return by_row


def test_a_class_is_wrong_that_is_another_whatever_the_profile_says() -> None:
    task = Task("multiclass", label="kind", classes=("ant", "bee", "cow"))
    assert judged(task, None, rows([0, 1, np.nan, 2], [0, 2, 1, 2])) == [False, True, None, False]


def test_a_number_is_wrong_that_is_farther_off_than_nine_in_ten_in_training() -> None:
    assert judged(NUMBERS, PRICES, rows([10, 10, 10, 10], [10, 11.9, 12, 7])) == [False, False, True, True]
    assert expected_of(NUMBERS, PRICES) == pytest.approx(0.11)


@pytest.mark.parametrize("target", [None, PRICES._replace(errors=()), PRICES._replace(label="cost")])
def test_of_numbers_nobody_can_tell_where_the_training_does_not_say(target: Target | None) -> None:
    assert wrong_of(NUMBERS, target) is None
    assert expected_of(NUMBERS, target) is None


def test_a_ranking_is_wrong_that_shows_nothing_relevant_among_the_first() -> None:
    task = Task("ranking", label="items", ranks=2)
    some = rows([0, 0, 0, 0], [[0, 1, 0], [0, 0, 1], [0, np.nan, np.nan], [np.nan, np.nan, np.nan]])
    assert judged(task, None, some) == [False, True, True, None]
