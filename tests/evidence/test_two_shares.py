"""Bets that something happens more often in one group than in another: what they are worth, exactly."""

import itertools

import numpy as np
import pytest
from scipy.special import comb

from exporter.evidence.two_shares import Block, gained

RAISED = np.array([0.35, 0.8, 1.6])
SIZES = [(1, 1), (1, 9), (3, 12), (8, 3), (20, 30)]


def pairs(*counts: tuple[int, int, int, int]) -> Block:
    return Block(*np.array(counts, np.int64).T)


def every(n: int, m: int) -> tuple[Block, np.ndarray, np.ndarray]:
    """All that can come of a block, and how many hits inside and outside."""
    hits = np.array([*itertools.product(range(n + 1), range(m + 1))])
    return pairs(*((n, a, m, b) for a, b in hits.tolist())), hits[:, 0], hits[:, 1]


def chance(rows: int, hits: np.ndarray, share: float) -> np.ndarray:
    return np.asarray(comb(rows, hits) * share**hits * (1 - share) ** (rows - hits))


def worth(n: int, m: int, inside: float, outside: float, expected: float) -> np.ndarray:
    """What each bet is worth on average, if it happens with these shares."""
    block, a, b = every(n, m)
    weights = chance(n, a, inside) * chance(m, b, outside)
    return np.asarray(weights @ np.exp(gained(block, expected, 0.02, RAISED)))


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("expected", [0.01, 0.2, 0.9])
def test_no_bet_is_worth_more_than_it_costs_while_the_difference_is_tolerated(n: int, m: int, expected: float) -> None:
    for outside in (0.0, 0.01, 0.1, 0.2, 0.5, 0.9, 0.98):
        for more in (-0.5, -0.1, 0.0, 0.01, 0.02):
            inside = min(max(outside + more, 0.0), 1.0)
            assert worth(n, m, inside, outside, expected).max() <= 1 + 1e-9


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_where_it_happens_twice_as_often_bets_win_the_more_the_nearer_they_are_to_the_truth(n: int, m: int) -> None:
    found = worth(n, m, 0.4, 0.2, 0.2)
    assert found.min() > 1
    block, a, b = every(n, m)
    nats = (chance(n, a, 0.4) * chance(m, b, 0.2)) @ gained(block, 0.2, 0.02, RAISED)
    assert nats.argmax() == 1, "odds of 0.4 are 0.86 above those of 0.22"


def test_at_the_edge_of_what_is_tolerated_a_bet_that_expects_the_right_share_costs_all_it_is_worth() -> None:
    assert worth(1, 200, 0.22, 0.2, 0.2) == pytest.approx(1.0, abs=0.01)


def test_a_group_alone_says_nothing() -> None:
    nats = gained(pairs((7, 7, 0, 0), (0, 0, 7, 1)), 0.2, 0.02, RAISED)
    assert nats == pytest.approx(np.zeros((2, 3)), abs=1e-9)


def test_where_everything_is_tolerated_nothing_is_bet() -> None:
    assert not gained(pairs((9, 9, 9, 0)), 0.7, 0.4, RAISED).any()


def test_many_pairs_are_each_as_if_it_were_alone() -> None:
    rows = ((5, 2, 30, 4), (0, 0, 30, 4), (400, 120, 9000, 1700))
    together = gained(pairs(*rows), 0.15, 0.02, RAISED)
    assert (together == np.vstack([gained(pairs(one), 0.15, 0.02, RAISED) for one in rows])).all()
