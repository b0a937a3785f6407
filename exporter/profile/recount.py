"""The values of a table in the bins of a profile that is there already."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from exporter.profile.numbers import Numbers
from exporter.profile.pieces import Arrange, Piece, gathered
from exporter.profile.placing import Placed, Placing, placings
from exporter.reference import MISSING, Column, Profile
from exporter.scalars.salted import Salt


class Recount:
    """One column of a profile, filled anew. It can be pickled, and merged with others of the same column."""

    def __init__(self, column: Column) -> None:
        self._column = column
        self.counts = np.zeros(len(column.counts), np.int64)
        self.numbers = Numbers()

    def add(self, placed: Placed) -> None:
        """Count some rows."""
        self.counts += np.bincount(placed.bins, minlength=self.counts.size)
        if placed.values is not None:
            self.numbers.update(placed.values, 0)

    def add_missing(self, rows: int) -> None:
        """Count so many rows without a value."""
        self.counts[MISSING if self._column.ordered else -1] += rows

    def merge(self, other: "Recount") -> None:
        """Add all that another one holds."""
        self.counts += other.counts
        self.numbers.merge(other.numbers)

    def column(self) -> Column:
        """The column with what was counted, in the profile's bins; nothing of what else is known of it."""
        mean, sd, low, high = self.numbers.moments() if self.numbers.sum.count else (0.0, 0.0, 0.0, 0.0)
        counts = tuple(self.counts.tolist())
        different = self.numbers.different() if self.numbers.sum.count else None
        return replace(
            self._column, counts=counts, mean=mean, sd=sd, minimum=low, maximum=high, reference_error=None,
            dependence=None, wander=None, distinct=different, hours=(), association=(),
        )  # fmt: skip


class Recounted(NamedTuple):
    """A table in a profile's bins."""

    features: tuple[Column | None, ...]
    """None where the table has no such column."""
    outputs: tuple[Column | None, ...]
    rows: int
    strangers: tuple[str, ...]
    """Columns that the profile does not have."""


def arrange(profile: Profile) -> Arrange:
    """The profile's columns as they are made, the others by themselves."""
    made = placings((*profile.outputs, *profile.features), profile.embeddings)

    def groups(names: Sequence[str]) -> Sequence[Sequence[str]]:
        known = {*names}
        found = list(dict.fromkeys(one.fields for one in made if known.issuperset(one.fields)))
        taken = {field for fields in found for field in fields}
        return [*found, *((name,) for name in names if name not in taken)]

    return groups


def recount(profile: Profile, pieces: Iterable[Piece], salt: Salt | None = None) -> Recounted:
    """A table in the bins of a profile's columns, from pieces that came as `arrange` says."""
    sides = [[(one, [Recount(column) for column in one.columns]) for one in placings(side, profile.embeddings, salt)]
             for side in (profile.features, profile.outputs)]  # fmt: skip
    counting: dict[tuple[str, ...], list[tuple[Placing, list[Recount]]]] = {}
    for made in (made for side in sides for made in side):
        counting.setdefault(made[0].fields, []).append(made)
    rows: Counter[str] = Counter()
    for together in gathered(pieces, list(counting)):
        rows.update({piece.column: piece.cells.rows for piece in together})
        for one, counts in counting.get(tuple(piece.column for piece in together), ()):
            for count, placed in zip(counts, one.place([piece.cells for piece in together]), strict=True):
                count.add(placed)
    total = max(rows.values(), default=0)
    for one, counts in (made for side in sides for made in side):
        for count in counts:
            count.add_missing(total - rows[one.fields[0]])  # a column that turned up late was missing before
    features, outputs = (_found(side, rows) for side in sides)
    known = {field for fields in counting for field in fields}
    known |= {profile.target.column.name} if profile.target else set()
    return Recounted(
        tuple(features.get(column.name) for column in profile.features),
        tuple(outputs.get(column.name) for column in profile.outputs),
        total,
        tuple(name for name in rows if name not in known),
    )


def _found(side: Sequence[tuple[Placing, list[Recount]]], rows: Counter[str]) -> dict[str, Column]:
    made = (count for one, counts in side if all(rows[field] for field in one.fields) for count in counts)
    return {column.name: column for column in (count.column() for count in made)}
