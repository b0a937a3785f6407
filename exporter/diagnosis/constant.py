"""One value and no other, where the training data had several."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from exporter.diagnosis.seen import Case, Explained
from exporter.diagnosis.words import quoted, shown

CODE: Final = "constant"
_LEAST_ROWS: Final = 30
_MOST: Final = 0.9
"""What comes in so large a share of the training data may well come alone for a while."""
_HALF: Final = 0.5


def explain(case: Case) -> Iterator[Explained]:
    """Of numbers where they are known themselves, and of categories."""
    found = _number(case) if case.column.ordered else _name(case)
    if found is not None:
        lost = case.lost if case.column.ordered else 0.0
        yield Explained(CODE, f"{case.column.name} is always {found}", lost, 0, is_evident=True)


def _number(case: Case) -> str | None:
    seen = case.seen.points
    if seen is None or not case.seen.exact or seen.values.size != 1 or case.live[:-2].sum() < _HALF:
        return None
    rows = case.seen.rows * float(case.live[:-2].sum())
    if rows < _LEAST_ROWS or case.known.max() > _MOST:
        return None
    value = float(seen.values[0])
    if case.column.scalar or case.column.kind == "embedding":
        return "the same" if value or case.column.scalar != "length" else "empty"
    return shown(value)


def _name(case: Case) -> str | None:
    """Of those that the reference lists one; of others the one that there is."""
    there = case.live[:-1]
    at = int(np.argmax(there))
    if case.seen.rows < _LEAST_ROWS or there[at] < 1 - 1e-9 or case.reference[at] > _MOST:
        return None
    if at < len(case.column.categories):
        return quoted(case.column.categories[at])
    alone = [name for name, rows in case.seen.names.items() if rows >= 0.99 * case.seen.rows]
    return quoted(alone[0]) if alone else None
