"""From the cells of a column to its reference: one pass, memory that does not grow with the rows.

While the kind is open a column is summarised both ways, as numbers and as categories; a summary that no longer
fits is dropped. Everything is counted on mergeable sketches, so neither the order of the rows nor how they are shared
out between builders changes a bit.
"""

import re
from collections import Counter
from typing import Final

from exporter.profile import categories
from exporter.profile.numbers import Numbers
from exporter.profile.pieces import Cells
from exporter.profile.texts import is_number
from exporter.profile.written import Texts
from exporter.reference import Column
from exporter.scalars.salted import Salt
from exporter.sketch.binning import category_name, truth_name

DECLARED: Final = ("numeric", "categorical", "boolean", "text")
"""Kinds that somebody may say a column is of."""
_MOST_DISTINCT: Final = 10_000
_LEAST_CATEGORY_COVERAGE: Final = 0.5
_TRUTHS: Final = frozenset(("true", "false"))
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")


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
        self.texts: Texts | None = None
        """What is computed of the names, once these are too many to be kept."""

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
            self.names = self.texts = None
        elif self.names is not None:
            self.names.update(cells.names())
            self._bound()
        elif self.texts is not None:
            self.texts.update(cells.names())

    def _bound(self) -> None:
        """Of too many names only what is computed of them is known."""
        if self.names is not None and len(self.names) > _MOST_DISTINCT:
            self.forget_names()

    def forget_names(self) -> None:
        """From now on only what is computed of names is known."""
        self.texts, self.names = self.as_texts(), None

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
            self.texts = None if other.texts is None else _merged(other.texts)
        elif self.names is not None and other.names is not None:
            self.names.update(other.names)
            self._bound()
        else:
            mine, theirs = self.as_texts(), other.as_texts()
            self.names = None
            self.texts = None if mine is None or theirs is None else _merged(mine, theirs)

    def as_texts(self) -> Texts | None:
        """What is computed of the names, where they are known."""
        return self.texts if self.names is None else _texts(self.names)

    # the end

    def build(self, salt: Salt | None = None) -> tuple[Column, ...]:
        """The column's reference, of a text that of each of its scalars; with `salt` that of hashed categories.

        ValueError where the declared kind does not fit.
        """
        self.note = f"not numeric because of values such as {self.strangers[0][:20]!r}" if self.strangers else ""
        if self.numbers is None and self.names is None and self.texts is None:
            raise ValueError(f"column {self.name!r} has numbers in one part of the table and something else in another")
        kind = self._declared or self._infer()
        if kind == "numeric":
            if self.numbers is None or not self.numbers.sum.count:
                raise ValueError(f"column {self.name!r} is declared numeric but {self.note or 'holds no number'}")
            return (self.numbers.column(self.name, kind),)
        if kind == "text":
            texts = self.as_texts()
            if texts is None or not texts.rows:
                raise ValueError(f"column {self.name!r} is declared text but holds none")
            return texts.columns(self.name, self.missing)
        return (self._categorical(kind, salt),)

    def _infer(self) -> str:
        if self.numbers is not None and self.numbers.sum.count:
            return "numeric"
        if self.names is None and self.texts is not None:
            return self._as_text(f"over {_MOST_DISTINCT} distinct values, as identifiers and free text have")
        names = self._spell(self.names or Counter())
        if not names:
            self.note = "no value at all: any that comes will be unseen"
        if names and set(names) <= _TRUTHS:
            return "boolean"
        refused = categories.refused(names)
        if names.total() - refused.total() < _LEAST_CATEGORY_COVERAGE * names.total():
            return self._as_text(categories.in_words(refused))
        return "categorical"

    def _as_text(self, why: str) -> str:
        self.note = f"refused as categories, and watched as text instead ({why})" + (f"; {self.note}" * bool(self.note))
        return "text"

    def _spell(self, names: Counter[str]) -> Counter[str]:
        """One spelling per category: `True` is true; `3.0` is 3 where all are numbers."""
        spelt: Counter[str] = Counter()
        truths = self._declared == "boolean" or all(name.lower() in _TRUTHS for name in names)
        for name, rows in names.items():
            one = number_name(name) if self.numbers is not None else name
            spelt[truth_name(one) if truths else one] += rows
        return spelt

    def _categorical(self, kind: str, salt: Salt | None) -> Column:
        if self.names is None and self.texts is not None:
            said = "to be hashed" if salt else f"declared {kind}"
            raise ValueError(f"column {self.name!r} is {said} but has over {_MOST_DISTINCT} distinct values")
        names = self._spell(self.names or Counter())
        if kind == "boolean" and names and not names.keys() & _TRUTHS:
            raise ValueError(f"column {self.name!r} is declared boolean but holds neither true, false, 1 nor 0")
        missing = self.rows - names.total()  # NaN alone has no kind: missing, too
        made = categories.column(self.name, kind, names, missing, salt)
        if made.counts[-2]:
            self.note = f"{made.counts[-2]} rows are expected as unseen: {self._unwritten(names, salt)}"
        return made

    @staticmethod
    def _unwritten(names: Counter[str], salt: Salt | None) -> str:
        """Why categories are not in the profile, for people."""
        refused = categories.rare(names) if salt else categories.refused(names)
        return categories.in_words(refused) or f"there is room for {categories.MOST} categories"


def number_name(token: str) -> str:
    """The one spelling of a number; what is none stays as it is."""
    # Whole numbers by their digits: a float would lose those beyond 2^53.
    if _WHOLE.fullmatch(token.strip()):
        return category_name(int(token)) or token
    return category_name(float(token)) or token if is_number(token) else token


def _texts(names: Counter[str]) -> Texts:
    texts = Texts()
    texts.update(names)
    return texts


def _merged(*parts: Texts) -> Texts:
    whole = Texts()
    for part in parts:
        whole.merge(part)
    return whole
