"""The view of a column under construction as texts: what is computed of them. Mergeable, and no text stays in it."""

from collections import Counter
from dataclasses import replace

from exporter.profile import categories
from exporter.profile.numbers import Numbers
from exporter.reference import Column
from exporter.scalars import NUMBER, TEXT_SCALARS, name


class Texts:
    """The scalars of texts: numbers on grids of their own, words counted."""

    def __init__(self) -> None:
        self.numbers = {scalar: Numbers() for scalar, one in TEXT_SCALARS.items() if one.kind == NUMBER}
        self.words = {scalar: Counter[str]() for scalar, one in TEXT_SCALARS.items() if one.kind != NUMBER}
        self.rows = 0

    def update(self, names: Counter[str]) -> None:
        """Add texts, each so many times."""
        self.rows += names.total()
        for scalar, numbers in self.numbers.items():
            of, values = TEXT_SCALARS[scalar].of, Counter[float]()
            for text, rows in names.items():
                values[float(of(text))] += rows
            numbers.update_counted(values)
        for scalar, words in self.words.items():
            of = TEXT_SCALARS[scalar].of
            for text, rows in names.items():
                words[str(of(text))] += rows

    def merge(self, other: "Texts") -> None:
        """Add all that another one holds."""
        self.rows += other.rows
        for scalar, numbers in self.numbers.items():
            numbers.merge(other.numbers[scalar])
        for scalar, words in self.words.items():
            words.update(other.words[scalar])

    def columns(self, field: str, missing: int) -> tuple[Column, ...]:
        """The reference of each scalar, in the table's order; there is at least one text."""
        return tuple(self._column(field, scalar, missing) for scalar in TEXT_SCALARS)

    def _column(self, field: str, scalar: str, missing: int) -> Column:
        called = name(field, scalar)
        if scalar in self.words:
            made = categories.column(called, TEXT_SCALARS[scalar].kind, self.words[scalar], missing)
        else:
            numbers = self.numbers[scalar]
            numbers.missing = missing
            made = numbers.column(called, TEXT_SCALARS[scalar].kind)
        return replace(made, origin=field, scalar=scalar)
