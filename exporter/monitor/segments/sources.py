"""Where the value of a row is read that says its segment: a feature, another field of the payload, or a header.

What is not in the batches that are counted is noted as it comes, and waits for them.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import UNKNOWN_SEGMENT, Batch
from exporter.monitor.match import Fit
from exporter.monitor.segments.places import Edged
from exporter.monitor.segments.ways import Way
from exporter.records import Table
from exporter.sketch.binning import category_name

Places = NDArray[np.uint8]
_NONE: Final[Places] = np.zeros(0, np.uint8)


class Noted(NamedTuple):
    """What comes of one exchange, or of a part of one."""

    headers: Mapping[str, str]
    fit: Fit | None
    """How the request's rows fit the profile; None where there are none."""
    table: Table | None
    rows: slice
    """Of the request."""
    alone: int
    """Answers of which nobody knows the request's row."""

    @property
    def asked(self) -> int:
        """Rows of the request."""
        return int(self.rows.stop - self.rows.start)


class Source(Protocol):
    """Of one way to divide traffic."""

    def note(self, noted: Noted) -> None:
        """Take what comes; its rows are in the next batch."""

    def places(self, asked: Batch | None, alone: int) -> tuple[Places, Places]:
        """Of the batch's rows, and of so many answers alone, all that was noted since."""


def source(way: Way, fields: Sequence[str]) -> Source:
    """That of a way; `fields` are those of the profile, in order."""
    if way.said.header:
        return OfHeader(way)
    return OfFeature(way) if way.place is not None else OfField(way, fields)


class OfFeature:
    """A feature's own value."""

    def __init__(self, way: Way) -> None:
        self._way = way

    def note(self, noted: Noted) -> None:
        """It is in the batch."""

    def places(self, asked: Batch | None, alone: int) -> tuple[Places, Places]:
        """Of the batch's rows."""
        return self._way.of_batch(asked) if asked else _NONE, _unknown(alone)


class OfField:
    """A field that is no feature by itself."""

    def __init__(self, way: Way, fields: Sequence[str]) -> None:
        self._way = way
        self._field = Field(way.said.field, fields)
        self._cells: list[object] = []

    def note(self, noted: Noted) -> None:
        """Take the cells."""
        self._cells += self._field.cells(noted)

    def places(self, asked: Batch | None, alone: int) -> tuple[Places, Places]:
        """Of the batch's rows."""
        cells, self._cells = self._cells, []
        way = self._way
        if isinstance(way.naming, Edged):
            found = way.naming.of_cells(cells) if cells else _NONE
        else:
            found = way.naming.places([way.named(category_name(cell)) for cell in cells])
        return found if asked else _NONE, _unknown(alone)


class Field:
    """Where payloads have a field, be it the profile's or not."""

    def __init__(self, name: str, fields: Sequence[str]) -> None:
        """`fields` are those of the profile, in order."""
        self._name = name
        self._place = fields.index(name) if name in fields else None
        self._fit: Fit | None = None
        self._at: int | None = None
        """Where tables that fit like the last one have it."""

    def cells(self, noted: Noted) -> Sequence[object]:
        """Of the rows of the request; None where there is none."""
        if noted.fit is None or noted.table is None:
            return ()
        if noted.fit is not self._fit:
            self._fit, self._at = noted.fit, self._found(noted.fit, noted.table.names)
        return [None] * noted.asked if self._at is None else noted.table.columns[self._at][noted.rows]

    def _found(self, fit: Fit, names: Sequence[str] | None) -> int | None:
        if self._place is not None:
            return fit.places[self._place]
        return names.index(self._name) if names and self._name in names else None


class OfHeader:
    """A header of the request, which all its rows have, and its answers too."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._noted: list[tuple[str | None, int, int]] = []

    def note(self, noted: Noted) -> None:
        """Take the value, and how many rows it is of."""
        name = self._way.named(in_header(noted, self._way.said.header))
        self._noted.append((name, noted.asked, noted.alone))

    def places(self, asked: Batch | None, alone: int) -> tuple[Places, Places]:
        """In the order of the exchanges: a value may come to a place of its own on the way."""
        naming, of_asked, of_alone = self._way.naming, list[Places](), list[int]()
        for name, rows, answers in self._noted:
            if rows:
                of_asked.append(naming.places([name] * rows))
            of_alone += [naming.looked_up(name)] * answers
        self._noted = []
        found = np.concatenate(of_asked) if of_asked else _NONE
        return found if asked else _NONE, np.array(of_alone, np.uint8) if alone else _NONE


def in_header(noted: Noted, header: str) -> str | None:
    """Its value; None where there is none. Headers are bytes, and most who write more than ASCII write UTF-8."""
    value = noted.headers.get(header, "")
    try:
        return value.encode("latin-1").decode().strip() or None
    except UnicodeError:
        return value.strip() or None


def _unknown(alone: int) -> Places:
    return np.full(alone, UNKNOWN_SEGMENT, np.uint8)
