"""Rows of live traffic on their way to a reference: what `profile build` does with a table, for one side of one model.

Cells wait in the tables they came in until there are many, since a sketch costs the same for one as for hundreds. What
is kept of them is bounded: so many columns, so many characters of names, tables of so many forms.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from exporter.profile.builder import ColumnBuilder
from exporter.profile.categories import LEAST_CATEGORY_ROWS
from exporter.profile.cells import MissingCells, ObjectCells
from exporter.profile.parsing import LONGEST_TEXT, is_text
from exporter.records import Table
from exporter.reference import Column
from exporter.scalars.private import DENIED

_LOG = logging.getLogger("exporter.monitor")
_MOST_WAITING_CELLS: Final = 1 << 15
_MOST_WAITING_BYTES: Final = 4 << 20
_MOST_FORMS: Final = 4
_NAMED: Final = -1
"""The form of tables that have names; of the others it is their width."""
_MOST_CHARACTERS: Final = 16 << 20
"""Of all texts that may turn out to be categories; beyond them only what is computed of the longest column is known."""


class Budget:
    """Columns that all models together may still collect."""

    def __init__(self, columns: int) -> None:
        self._most = self.left = columns
        self._told = False

    def take(self) -> bool:
        """One more column, where there is one."""
        if self.left:
            self.left -= 1
            return True
        if not self._told:
            _LOG.warning("%d columns are collected for provisional references: others wait for these", self._most)
            self._told = True
        return False

    def give_back(self, columns: int) -> None:
        """So many are collected no more."""
        self.left += columns
        self._told = self._told and not columns


class Form:
    """Tables of one form: with names, or without and all of one width."""

    def __init__(self, most_columns: int, budget: Budget, places: tuple[str, ...] = ()) -> None:
        """`places` is what the columns of tables without names are called."""
        self.places = places
        self.rows = 0
        self.left_out = 0
        """Columns for which there was no room."""
        self._most = most_columns
        self._budget = budget
        self._builders: dict[str, ColumnBuilder] = {}
        self._named: Counter[str] = Counter()
        """Rows in which a column was there, with a value or without."""
        self._names: Sequence[str] = ()
        """Of the last table: the next one has mostly the same."""
        self._strangers: set[int] = set()
        """Hashes of names that were left out: as many as may be columns, at most."""
        self._waiting: list[tuple[Sequence[str], Table]] = []
        self._waiting_cells = self._waiting_bytes = 0

    def add(self, names: Sequence[str], table: Table, size: int) -> None:
        """Take a table from a body of `size` bytes; it does not count where there is no room for any column."""
        if names != self._names:
            for name in names:
                if name not in self._builders and name != DENIED:
                    self._open(name)
            self._names = names
        if not self._builders:
            self._names = ()
            return
        self.rows += table.rows
        self._waiting.append((names, table))
        self._waiting_cells += table.rows * len(names)
        self._waiting_bytes += size
        if self._waiting_cells >= _MOST_WAITING_CELLS or self._waiting_bytes >= _MOST_WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Bring what waits into the sketches."""
        cells: dict[str, list[object]] = {name: [] for name in self._builders}
        rows = 0
        for names, table in self._waiting:
            for name, column in dict(zip(names, table.columns, strict=True)).items():
                if name in cells:
                    cells[name].extend(column)
            rows += table.rows
        for name, values in cells.items():
            self._named[name] += len(values)
            builder = self._builders[name]
            if values:
                builder.add(ObjectCells(values))
            if len(values) < rows:
                builder.add(MissingCells(rows - len(values)))
        self._waiting.clear()
        self._waiting_cells = self._waiting_bytes = 0
        self._bound_characters()

    def _open(self, name: str) -> None:
        """Collect a column that was not there before, where there is room: it was missing in all rows so far."""
        if len(self._builders) >= self._most or not _can_be_written(name) or not self._budget.take():
            if len(self._strangers) < self._most:
                self._strangers.add(hash(name))
                self.left_out = len(self._strangers)
            return
        builder = self._builders[name] = ColumnBuilder(name, None)
        before = max(one.rows for one in self._builders.values())
        if before:
            builder.add(MissingCells(before))

    def _bound_characters(self) -> None:
        sizes = {name: sum(map(len, one.names)) for name, one in self._builders.items() if one.names}
        while sum(sizes.values()) > _MOST_CHARACTERS:
            longest = max(sizes, key=sizes.__getitem__)
            self._builders[longest].forget_names()
            del sizes[longest]

    def columns(self) -> Iterator[tuple[Column, ...]]:
        """The references of the fields one by one, in the order in which they came; none where one is left out.

        So is a column that fewer rows had than a category needs: its name may be somebody's.
        """
        self.flush()
        for name, builder in self._builders.items():
            try:
                yield builder.build() if self._named[name] >= LEAST_CATEGORY_ROWS else ()
            except ValueError:  # such as numbers in one part and texts in another, after these were too many
                yield ()

    def close(self) -> None:
        """Give back what it had of the budget."""
        self._budget.give_back(len(self._builders))
        self._builders.clear()


class Side:
    """Features, or outputs, of one model."""

    def __init__(self, word: str, most_columns: int, budget: Budget) -> None:
        """`word` is what columns are called that have no names: `word[0]`, `word[1]`, ..."""
        self._word = word
        self._most = most_columns
        self._budget = budget
        self._forms: dict[int, Form] = {}

    @property
    def rows(self) -> int:
        """Of the form that most rows have had."""
        return max((form.rows for form in self._forms.values()), default=0)

    def add(self, table: Table, size: int) -> None:
        """Take a table that came in a body of `size` bytes."""
        width = len(table.columns)
        key = width if table.names is None else _NAMED
        form = self._forms.get(key)
        if form is None:
            form = self._welcome(key)
        if form is not None and table.rows:
            form.add(form.places if table.names is None else table.names, table, size)

    def _welcome(self, key: int) -> Form | None:
        """A form that was not there before, in place of the rarest; None where it has no columns, or too many."""
        if not 0 < key <= min(self._most, self._budget.left) and key != _NAMED:
            return None
        if len(self._forms) >= _MOST_FORMS:
            self._forms.pop(min(self._forms, key=lambda one: self._forms[one].rows)).close()
        places = (self._word,) if key == 1 else tuple(f"{self._word}[{place}]" for place in range(key))
        form = self._forms[key] = Form(self._most, self._budget, places)
        return form

    @property
    def chosen(self) -> Form | None:
        """The form that most rows have had."""
        return max(self._forms.values(), key=lambda form: form.rows, default=None)

    def close(self) -> None:
        """Give back what it had of the budget."""
        for form in self._forms.values():
            form.close()


def _can_be_written(name: str) -> bool:
    """Whether a profile can have a column of this name."""
    return 0 < len(name) <= LONGEST_TEXT and is_text(name)
