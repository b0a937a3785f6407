"""The map that bodies need, as YAML to be looked at and pasted. What is not certain says so behind it."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from exporter.decode import Decoder
from exporter.decode.payload import Payload
from exporter.errors import DataError, DecodeError
from exporter.origins import is_pointer, tokens
from exporter.privacy import NOTHING, Patterns
from exporter.records import Exchange, Failure, Observation, Table
from exporter.reference import Column, Profile
from exporter.samples import match
from exporter.samples.bodies import Pairs, printable
from exporter.samples.layouts import Field, Layout, layouts
from exporter.samples.match import Match, Matched

_SHOWN: Final = 20
_PLAIN: Final = re.compile(r"[A-Za-z/_][A-Za-z0-9/_.*~-]*")
_GUESSES: Final = frozenset(("", "plain", "torchserve"))
"""Protocols that read whatever there is, so that pointers may know better."""
_NO_TEXT: Final = frozenset(("y", "n", "yes", "no", "true", "false", "on", "off", "null"))
"""What YAML takes for something else."""


class _Way(NamedTuple):
    """One way of reading all bodies of a side."""

    layout: Layout
    matched: Matched
    positions: bool
    """Whether its fields are columns by their order alone."""

    def strength(self, rows: Sequence[Sequence[int]]) -> tuple[int, bool, int]:
        """How much speaks for it; `rows` are those that the other side may have."""
        certain = sum(not found.doubt for found in self.matched.matches)
        return certain, self.layout.rows in rows, self.layout.likelihood


class _Side(NamedTuple):
    """What is known of one side."""

    name: str
    columns: Sequence[Column]
    tables: Sequence[Table]
    """What a protocol has read; none where none has read all."""
    ways: Sequence[_Way]
    """How pointers could read it; none where a protocol speaks for itself."""
    denied: Patterns = NOTHING
    """Names that are not to be said."""

    def open(self, names: Iterable[str]) -> list[str]:
        """Those of some columns, fields or pointers that may be said."""
        return [one for one in names if not any(map(self.denied.fit, tokens(one) if is_pointer(one) else (one,)))]

    @property
    def rows(self) -> list[list[int]]:
        """How many rows each body may have."""
        return [[table.rows for table in self.tables]] * bool(self.tables) + [way.layout.rows for way in self.ways]

    def way(self, rows: Sequence[Sequence[int]]) -> _Way | None:
        """The pointers that read it best; None where what a protocol has read is as good."""
        if not self.ways:
            return None
        best = max(self.ways, key=lambda one: one.strength(rows))
        if not self.tables:
            return best
        known = _known(self.tables, self.columns)
        if self.columns:
            return best if len(best.matched.matches) > known else None
        return best if any(_is_nested(table) for table in self.tables) else None


def page(seen: Pairs, profile: Profile | None, decoder: Decoder, denied: Patterns = NOTHING) -> str:
    """The map as YAML, of what is not `denied`. DataError where nothing of a side can be read."""
    sides = []
    if seen.requests:
        sides.append(_side("features", seen.requests, decoder, profile.asked.as_sent if profile else ()))
    if seen.responses:
        sides.append(_side("outputs", seen.responses, decoder, profile.answered.as_sent if profile else ()))
    others = [side.rows for side in reversed(sides)] if len(sides) == 2 else [[]]
    counts = f"{len(seen.requests)} requests and {len(seen.responses)} responses"
    lines = [
        f"# Proposed from {counts}. Look at it, then put it into the",
        "# configuration file; inference-exporter check --sample FILE shows what it does.",
    ]
    for side, rows in zip(sides, others, strict=True):
        lines += _written(side._replace(denied=denied), rows)
    return "\n".join(lines)


# --- reading


def _side(name: str, exchanges: Sequence[Exchange], decoder: Decoder, columns: Sequence[Column]) -> _Side:
    read = [_decoded(name, decoder.decode(exchange)) for exchange in exchanges]
    tables = [side for side, _ in read if isinstance(side, Table)]
    shapes = {len(table.columns) if table.names is None else -1 for table in tables if table.rows}
    if len(tables) != len(read) or len(shapes) != 1:
        tables = []
    if tables and not any(protocol in _GUESSES for _, protocol in read):
        return _Side(name, columns, tables, ())
    documents = [document for exchange in exchanges for document in _parsed(name, exchange)]
    ways = [_way(layout, columns) for layout in layouts(documents)] if len(documents) == len(exchanges) else []
    if not ways and not tables:
        reasons = sorted({side.reason for side, _ in read if isinstance(side, Failure)})
        words = ", ".join(reasons) or "they are of different shapes"
        raise DataError(f"{name}: no protocol and no pointers read all of these bodies: {words}")
    return _Side(name, columns, tables, ways)


def _decoded(name: str, seen: Observation) -> tuple[Table | Failure | None, str]:
    """One side of an exchange, and the protocol of its request."""
    return (seen.features if name == "features" else seen.predictions), seen.protocol


def _known(tables: Sequence[Table], columns: Sequence[Column]) -> int:
    """How many of the profile's columns a protocol has read."""
    first = max(tables, key=lambda table: table.rows)
    fields = _fields(tables, first)
    if first.names is None and len(fields) == len(columns):
        return len(columns) - len(list(match.doubts(columns, fields)))
    return len(match.match(columns, fields).matches)


def _is_nested(table: Table) -> bool:
    return any(isinstance(cell, list | dict) for column in table.columns for cell in column)


def _parsed(name: str, exchange: Exchange) -> Iterator[object]:
    """The document in a body, where it is JSON."""
    body, headers = exchange.request, exchange.request_headers
    if name == "outputs":
        body, headers = exchange.response, exchange.response_headers
    try:
        yield Payload(body, headers, ()).json
    except DecodeError:
        return


def _way(layout: Layout, columns: Sequence[Column]) -> _Way:
    # What is the same for all rows is a column by its name alone: ids and versions have fitting values by chance.
    constants = [field._replace(cells=[]) for field in layout.constants]
    matched = match.match(columns, [*layout.fields, *constants])
    nameless = [field for field in layout.fields if not field.words]
    if not matched.matches and len(nameless) == len(columns):
        doubtful = set(match.doubts(columns, nameless))
        found = [
            Match(column.name, field.place, "by its position" * (column.name in doubtful), (field.place,))
            for column, field in zip(columns, nameless, strict=True)
        ]
        left = [field for field in layout.fields if field.words]
        return _Way(layout, Matched(found, [], left), positions=True)
    return _Way(layout, matched, positions=False)


# --- writing


def _written(side: _Side, rows: Sequence[Sequence[int]]) -> Iterator[str]:
    way = side.way(rows)
    if way is None:
        yield from _of_tables(side)
        return
    if not side.columns:
        names = _own_names(way.layout.fields)
        found = [Match(name, field.place) for name, field in zip(names, way.layout.fields, strict=True)]
        yield from _map(side, Matched(found, [], []))
        return
    constants = {field.place for field in way.layout.constants}
    left = [field for field in way.matched.left if field.place not in constants]
    if way.positions:
        yield f"# {side.name}: by their positions, in the order of the profile"
    yield from _map(side, way.matched._replace(left=left))


def _of_tables(side: _Side) -> Iterator[str]:
    """What a protocol has read, and where that is not enough."""
    first = max(side.tables, key=lambda table: table.rows)
    width = len(first.columns)
    fields = _fields(side.tables, first)
    if not side.columns:
        named = f"named {_some(side.open(field.place for field in fields))}" if first.names else "without names"
        yield f"# {side.name}: no map needed, a protocol reads {width} columns {named}"
        return
    lone = side.name == "outputs" and width == 1 == len(side.columns)
    if lone or (first.names is None and width == len(side.columns) and not _classes(side, fields)):
        yield f"# {side.name}: no map needed, {width} columns in the order of the profile"
        yield from _doubtful(side.open(match.doubts(side.columns, fields)))
        return
    matched = match.match(side.columns, fields)
    needed = [found for found in matched.matches if found.said != found.column]
    if not needed and not matched.missing:
        yield f"# {side.name}: no map needed, all {len(side.columns)} columns have their names"
        yield from _doubtful(side.open(found.column for found in matched.matches if found.doubt))
        return
    yield from _map(side, matched._replace(matches=needed))


def _classes(side: _Side, fields: Sequence[Field]) -> bool:
    """Whether columns that do not fit by their order are the classes' shares."""
    doubtful = bool(list(match.doubts(side.columns, fields)))
    return doubtful and any(isinstance(found.said, dict) for found in match.match(side.columns, fields).matches)


def _doubtful(columns: Sequence[str]) -> Iterator[str]:
    if columns:
        yield f"# but these have other values than the training data: {_some(columns)}"


def _fields(tables: Sequence[Table], first: Table) -> list[Field]:
    names = first.names or tuple(map(str, range(len(first.columns))))
    cells: dict[str, list[Any]] = {}
    for table in tables:
        for at, column in enumerate(table.columns):
            cells.setdefault(table.names[at] if table.names else names[at], []).extend(column)
    return [Field(name, (name,) if first.names else (), column) for name, column in cells.items()]


def _own_names(fields: Sequence[Field]) -> list[str]:
    """A name for each field: the shortest that nobody else has."""
    words = [word for field in fields for word in set(field.words)]
    return [
        next((word for word in reversed(field.words) if words.count(word) == 1), f"column_{at}")
        for at, field in enumerate(fields)
    ]


def _map(side: _Side, matched: Matched) -> Iterator[str]:
    matches = [found for found in matched.matches if len(side.open(found.names)) == len(found.names)]
    yield f"{side.name}:" if matches else f"# {side.name}: nothing to say for certain"
    for found in matches:
        remark = f"  # {printable(found.doubt)}" if found.doubt else ""
        yield f"  {_scalar(found.column)}: {_flow(found.said)}{remark}"
    for name in side.open(column.name for column in matched.missing):
        yield f"  # {printable(name)}: nothing in the samples is called so, or has its values alone"
    if left := side.open(field.place for field in matched.left):
        yield f"  # not used: {_some(left)}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return printable(", ".join(names[:_SHOWN])) + more


def _flow(said: object) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(said, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(value)}" for key, value in said.items()) + "}"
    if isinstance(said, list):
        return "[" + ", ".join(map(_flow, said)) + "]"
    return _scalar(said) if isinstance(said, str) else str(said)


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXT:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
