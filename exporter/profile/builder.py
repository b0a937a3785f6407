"""From the cells of a column to its reference: one pass, memory that does not grow with the rows.

While the kind is open a column is summarised both ways, as numbers and as categories; a summary that no longer
fits is dropped. Everything is counted on mergeable sketches, so neither the order of the rows nor how they are shared
out between builders changes a bit.
"""

import re
from collections import Counter
from typing import Final

from exporter.profile.cells import lengths_of
from exporter.profile.numbers import Numbers
from exporter.profile.pieces import Cells
from exporter.profile.texts import is_number
from exporter.reference import Column
from exporter.sketch.binning import category_name, truth_name

MOST_CATEGORIES: Final = 20
MOST_OTHERS: Final = 1000
LEAST_CATEGORY_ROWS: Final = 10
"""A rarer category is not written down: a profile must not identify anybody."""
_MOST_DISTINCT: Final = 10_000
_LEAST_CATEGORY_COVERAGE: Final = 0.5
_TRUTHS: Final = frozenset(("true", "false"))
_LONGEST_CATEGORY: Final = 1024
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CARD: Final = re.compile(r"[0-9](?:[ -]?[0-9]){12,18}")


class ColumnBuilder:
    """One column under construction. It can be pickled, and merged with others of the same column."""

    def __init__(self, name: str, declared: str | None) -> None:
        self.name = name
        self.note = ""
        """What the person who builds the profile should know."""
        self.rows = 0
        self._declared = declared
        self.missing = 0
        self.strangers: tuple[str, ...] = ()
        """A value that is no number, where others are."""
        self.numbers: Numbers | None = Numbers()
        self.names: Counter[str] | None = Counter()
        """None where there are too many, or none are needed."""
        self.lengths: Numbers | None = None
        """Of the names, once these are too many to be kept."""

    def add(self, cells: Cells) -> None:
        """Add some cells."""
        missing = cells.missing
        self.rows += cells.rows
        self.missing += missing
        if cells.rows == missing:
            if self.numbers is not None:
                self.numbers.missing += missing
            return
        if self.numbers is not None:
            numbers = cells.numbers()
            if numbers is None:
                self._not_numbers(cells)
            else:
                self.numbers.update(numbers, missing)
        self._add_names(cells)

    def _not_numbers(self, cells: Cells) -> None:
        some = self.numbers is not None and self.numbers.sum.count > 0
        if some or any(is_number(name) for name in cells.names()):
            self.strangers = (cells.stranger(),)
        self.numbers = None

    def _add_names(self, cells: Cells) -> None:
        if cells.nameless and self._declared not in {"categorical", "boolean"}:
            self.names = self.lengths = None
        elif self.names is not None:
            self.names.update(cells.names())
            self._bound()
        elif self.lengths is not None:
            self.lengths.update_counted(cells.lengths())

    def _bound(self) -> None:
        """Too many names are known by their lengths alone."""
        if self.names is not None and len(self.names) > _MOST_DISTINCT:
            self.forget_names()

    def forget_names(self) -> None:
        """From now on names are known by their lengths alone."""
        self.lengths, self.names = self.text_lengths(), None

    def merge(self, other: "ColumnBuilder") -> None:
        """Add all that another builder of the same column holds."""
        if other.rows == other.missing:  # it knows of no value, so nothing of its kind
            self.rows, self.missing = self.rows + other.rows, self.missing + other.missing
            if self.numbers is not None:
                self.numbers.missing += other.rows
            return
        empty = self.rows == self.missing
        self.rows, self.missing = self.rows + other.rows, self.missing + other.missing
        self.strangers = tuple(sorted({*self.strangers, *other.strangers})[:1])
        self._merge_numbers(other)
        self._merge_names(other, empty=empty)

    def _merge_numbers(self, other: "ColumnBuilder") -> None:
        if self.numbers is None or other.numbers is None:
            self.numbers = None
        else:
            self.numbers.merge(other.numbers)

    def _merge_names(self, other: "ColumnBuilder", *, empty: bool) -> None:
        if empty:
            self.names = None if other.names is None else other.names.copy()
            self.lengths = None if other.lengths is None else _merged(other.lengths)
        elif self.names is not None and other.names is not None:
            self.names.update(other.names)
            self._bound()
        else:
            mine, theirs = self.text_lengths(), other.text_lengths()
            self.names = None
            self.lengths = None if mine is None or theirs is None else _merged(mine, theirs)

    def text_lengths(self) -> Numbers | None:
        """The lengths, where they are known."""
        return self.lengths if self.names is None else _lengths(self.names)

    # the end

    def build(self) -> Column:
        """The column's reference. ValueError where the declared kind does not fit."""
        self.note = f"not numeric because of values such as {self.strangers[0][:20]!r}" if self.strangers else ""
        if self.numbers is None and self.names is None and self.lengths is None:
            raise ValueError(f"column {self.name!r} has numbers in one part of the table and something else in another")
        kind = self._declared or self._infer()
        if kind == "numeric":
            if self.numbers is None or not self.numbers.sum.count:
                raise ValueError(f"column {self.name!r} is declared numeric but {self.note or 'holds no number'}")
            return self.numbers.column(self.name, kind)
        if kind == "text":
            lengths = self.text_lengths()
            if lengths is None or not lengths.sum.count:
                raise ValueError(f"column {self.name!r} is declared text but holds none")
            lengths.missing = self.missing
            return lengths.column(self.name, kind)
        if self.names is None and self.lengths is not None:
            raise ValueError(f"column {self.name!r} is declared {kind} but has over {_MOST_DISTINCT} distinct values")
        names = self._spell(self.names or Counter())
        if kind == "boolean" and names and not names.keys() & _TRUTHS:
            raise ValueError(f"column {self.name!r} is declared boolean but holds neither true, false, 1 nor 0")
        return self._categorical(kind, names)

    def _infer(self) -> str:
        if self.numbers is not None and self.numbers.sum.count:
            return "numeric"
        if self.names is None and self.lengths is not None:
            return self._as_text(f"over {_MOST_DISTINCT} distinct values")
        names = self._spell(self.names or Counter())
        if not names:
            self.note = "no value at all: any that comes will be unseen"
        if names and set(names) <= _TRUTHS:
            return "boolean"
        writable = sum(rows for name, rows in names.items() if _writable(name, rows))
        if writable < _LEAST_CATEGORY_COVERAGE * names.total():
            return self._as_text(f"most values occur fewer than {LEAST_CATEGORY_ROWS} times, or name people")
        return "categorical"

    def _as_text(self, why: str) -> str:
        self.note = f"{why}: watched by length alone" + (f"; {self.note}" if self.note else "")
        return "text"

    def _spell(self, names: Counter[str]) -> Counter[str]:
        """One spelling per category: `True` is true; `3.0` is 3 where all are numbers."""
        spelt: Counter[str] = Counter()
        truths = self._declared == "boolean" or all(name.lower() in _TRUTHS for name in names)
        for name, rows in names.items():
            one = number_name(name) if self.numbers is not None else name
            spelt[truth_name(one) if truths else one] += rows
        return spelt

    def _categorical(self, kind: str, names: Counter[str]) -> Column:
        ranked = sorted(names.items(), key=lambda item: (-item[1], item[0]))
        known = [one for one in ranked if _writable(*one)]
        if kind == "boolean":
            known = [(truth, names.get(truth, 0)) for truth in ("false", "true")]
        listed = known[:MOST_CATEGORIES]
        others = known[MOST_CATEGORIES : MOST_CATEGORIES + MOST_OTHERS]
        other_rows = sum(rows for _, rows in others)
        unseen = names.total() - sum(rows for _, rows in listed) - other_rows
        if unseen:
            self.note = (
                f"{unseen} rows hold values too rare, too long or too personal to be written: expected as unseen"
            )
        missing = self.rows - names.total()  # NaN alone has no kind: missing, too
        counts = (*(rows for _, rows in listed), other_rows, unseen, missing)
        return Column(
            self.name, kind, counts,
            categories=tuple(name for name, _ in listed), others=tuple(name for name, _ in others),
        )  # fmt: skip


def _writable(name: str, rows: int) -> bool:
    """Whether a category may stand in a profile: it must not identify anybody."""
    if rows < LEAST_CATEGORY_ROWS or len(name) > _LONGEST_CATEGORY or _EMAIL.fullmatch(name):
        return False
    return not _CARD.fullmatch(name) or not _is_card(name)


def _is_card(name: str) -> bool:
    """The check digit of payment cards (Luhn)."""
    digits = [int(letter) for letter in reversed(name) if letter.isdigit()]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def number_name(token: str) -> str:
    """The one spelling of a number; what is none stays as it is."""
    # Whole numbers by their digits: a float would lose those beyond 2^53.
    if _WHOLE.fullmatch(token.strip()):
        return category_name(int(token)) or token
    return category_name(float(token)) or token if is_number(token) else token


def _lengths(names: Counter[str]) -> Numbers:
    lengths = Numbers()
    lengths.update_counted(lengths_of(names))
    return lengths


def _merged(*parts: Numbers) -> Numbers:
    whole = Numbers()
    for part in parts:
        whole.merge(part)
    return whole
