"""Business values of an exchange: numbers in bodies, by pointers, and cells of columns, by names."""

import math
from collections.abc import Sequence
from typing import Final

from exporter.business import BusinessValue
from exporter.decode import pointer
from exporter.decode.payload import Payload
from exporter.performance.extra import MOST_WORTH
from exporter.records import Failure, Table

Numbers = tuple[float, ...]
Side = Table | Failure | None
NOTHING: Final[Numbers] = ()
_MOST: Final = 100_000
"""Numbers of one exchange and value."""


def of_bodies(values: Sequence[BusinessValue], asked: Payload | None, answered: Payload | None) -> tuple[Numbers, ...]:
    """What pointers lead to, for each of the values: one number, or one for each row; NaN is none.

    What is of columns stays empty, as does what a body does not have.
    """
    return tuple(_pointed(value, asked if value.side == "request" else answered) for value in values)


def of_columns(
    values: Sequence[BusinessValue], found: Sequence[Numbers], features: tuple[Side, Sequence[str]],
    outputs: tuple[Side, Sequence[str]],
) -> tuple[Numbers, ...]:  # fmt: skip
    """The same with the cells of columns; the tables of both sides come with what their columns are called."""
    return tuple(
        _column(*features, value.feature) if value.feature
        else _column(*outputs, value.output, lone=True) if value.output else numbers
        for value, numbers in zip(values, found, strict=True)
    )  # fmt: skip


def _pointed(value: BusinessValue, payload: Payload | None) -> Numbers:
    if not value.pointer or payload is None or payload.partial:
        return NOTHING
    found = pointer.find(payload.read_json, value.pointer)
    cells = found if isinstance(found, list) else (found,)
    return _numbers(cells[:_MOST])


def _column(side: Side, names: Sequence[str], name: str, *, lone: bool = False) -> Numbers:
    """A column's cells; `lone`: the only one may have any name, as servers have their own word for it."""
    if not isinstance(side, Table) or not len(side.columns):
        return NOTHING
    if name in names:
        return _numbers(side.columns[names.index(name)][:_MOST])
    return _numbers(side.columns[0][:_MOST]) if lone and len(side.columns) == 1 else NOTHING


def _numbers(cells: Sequence[object]) -> Numbers:
    """Empty where none is one."""
    found = tuple(map(_number, cells))
    return NOTHING if all(map(math.isnan, found)) else found


def _number(cell: object) -> float:
    """Finite and no larger than anything is worth; text and truth values are none."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return math.nan
    return float(cell) if abs(cell) <= MOST_WORTH else math.nan
