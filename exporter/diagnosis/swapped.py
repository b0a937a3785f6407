"""Two columns that have each other's values."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final

import numpy as np

from exporter.diagnosis.seen import Case, Explained, variation

CODE: Final = "swapped"
_MOST: Final = 16
"""Columns of which each is held against each other."""
_LEAST: Final = 0.1
"""How far apart the two references must be: total variation."""


def explain(cases: Mapping[int, Case]) -> Iterator[tuple[int, Explained]]:
    """By place, of columns that drifted both."""
    some = sorted(cases.items())[:_MOST]
    for (place, one), (beside, other) in combinations(some, 2):
        left = _left(one, other)
        if left is not None:
            names = f"{one.column.name} and {other.column.name} look swapped"
            yield place, Explained(CODE, names, left, 0)
            yield beside, Explained(CODE, names, left, 0)


def _left(one: Case, other: Case) -> float | None:
    """What is left of both, the worse of the two; None where they cannot be swapped."""
    if one.column.ordered != other.column.ordered:
        return None
    cross = _as(one, other), _as(other, one)
    if cross[0] is None or cross[1] is None:
        return None
    left = max(cross[0] - one.limit, cross[1] - other.limit)
    worst = max(cross[0], cross[1])
    return (
        worst
        if left <= 0 and worst < min(one.moved, other.moved) / 2 and min(one.moved, other.moved) > _LEAST
        else None
    )


def _as(case: Case, other: Case) -> float | None:
    """Total variation between what one has now and what the other had."""
    if case.column.ordered:
        if not case.is_number or not other.is_number or case.seen.points is None:
            return None
        return variation(case.seen.points.shares(other.edges), other.known) + abs(
            float(case.live[-2] - other.reference[-2])
        )
    return _as_names(case, other)


def _as_names(case: Case, other: Case) -> float | None:
    """By the names that both list, and those that only the other one does, as far as they were counted."""
    live = dict(zip(case.column.categories, case.live.tolist(), strict=False))
    live |= {name: rows / case.seen.rows for name, rows in case.seen.names.items()}
    before = dict(zip(other.column.categories, other.reference.tolist(), strict=False))
    both = sorted(set(live) | set(before))
    found = np.array([[live.get(name, 0.0), before.get(name, 0.0)] for name in both])
    rest = abs(float(found[:, 0].sum() - found[:, 1].sum()))
    return variation(found[:, 0], found[:, 1]) + rest / 2
