"""How a sample is read: whose it is, and which of its fields are which columns of the profile. No value is shown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exporter.decode import Decoder
from exporter.decode.mapping import Mapper
from exporter.records import Exchange, Failure, Table
from exporter.reference import Column, Profile

_KINDS: Final[Mapping[type, str]] = {
    bool: "truth value", int: "whole number", float: "number", str: "text", list: "list", dict: "object",
    type(None): "null",
}  # fmt: skip
_MOST_CELLS: Final = 1000
_LEFT_SHOWN: Final = 20
ENOUGH: Final = 0.5
"""Share of a side's columns that must be there, those that are often missing counting for less."""


class Found(NamedTuple):
    """One column of a payload, by the profile's name where it has one."""

    name: str
    fields: tuple[str, ...]
    cells: Sequence[Any]


class Verdict(NamedTuple):
    """What is to be said of one side."""

    lines: list[str]
    fine: bool


def page(decoder: Decoder, exchange: Exchange, profile: Profile | None, sides: Sequence[str]) -> Verdict:
    """All that is found out about an exchange, of the sides that were given: `request`, `response`."""
    seen = decoder.read(exchange)
    lines = [
        f"protocol: {seen.protocol or 'not recognised'}",
        f"model: {seen.model or 'not said'}, version: {seen.version or 'not said'}",
        f"request id: {seen.request_id or 'none'}",
    ]
    verdicts = []
    if "request" in sides:
        verdicts.append(_side("request", seen.features, decoder.features, profile.features if profile else ()))
    if "response" in sides:
        verdicts.append(_side("response", seen.predictions, decoder.outputs, profile.outputs if profile else ()))
    lines += [line for verdict in verdicts for line in verdict.lines]
    return Verdict([_printable(line) for line in lines], all(verdict.fine for verdict in verdicts))


def _side(name: str, table: Table | Failure | None, mapper: Mapper | None, columns: Sequence[Column]) -> Verdict:
    if not isinstance(table, Table):
        return Verdict([f"{name}: cannot be decoded: {_words(table)}"], fine=False)
    found = by_name(table, mapper, columns)
    head = f"{name}: {table.rows} rows of {len(found)} columns" + (
        ", the complete ones of a prefix" if table.partial else ""
    )
    if not columns:
        return Verdict([head, *_table([(one.name, "", _from(one), _kinds(one.cells)) for one in found])], fine=True)
    given = {one.name: one for one in found}
    rows = [(column.name, column.kind, *_match(given.get(column.name))) for column in columns]
    left = [one for one in found if one.name not in {column.name for column in columns}]
    share = found_share(columns, given.keys())
    matched = sum(column.name in given for column in columns)
    fine = share >= ENOUGH
    words = "fine" if fine else "profile mismatch, fewer than half of the columns that should be there"
    return Verdict(
        [head, *_table(rows), *_left(left), f"  {matched} of {len(columns)} columns of the profile: {words}"], fine
    )


def by_name(table: Table, mapper: Mapper | None, columns: Sequence[Column]) -> list[Found]:
    """The columns of a payload as those of the profile, as far as names and positions tell."""
    mapped = mapper.columns(table) if mapper else ()
    if mapped:
        return [Found(column.name, column.fields, column.make(table.columns)) for column in mapped]
    width = len(table.columns)
    if table.names is None or (len(columns) == width == 1 and mapper is None):
        ordered = [column.name for column in columns] if len(columns) == width else [f"[{at}]" for at in range(width)]
        fields = table.names or [f"position {at}" for at in range(width)]
        return [Found(name, (field,), cells) for name, field, cells in zip(ordered, fields, table.columns, strict=True)]
    return [Found(name, (name,), cells) for name, cells in zip(table.names, table.columns, strict=True)]


def found_share(columns: Sequence[Column], names: Any) -> float:  # noqa: ANN401 (any container of names)
    """The share of columns that are there, each by how often the training data had a value of it."""
    weights = {column.name: 1.0 - column.missing_share for column in columns}
    expected = sum(weights.values())
    return sum(weight for name, weight in weights.items() if name in names) / expected if expected else 1.0


def _words(failure: Failure | None) -> str:
    if failure is None:
        return "it is no prediction"
    return f"{failure.reason} ({failure.detail})" if failure.detail else failure.reason


def _match(found: Found | None) -> tuple[str, str]:
    return (_from(found), _kinds(found.cells)) if found else ("-", "not in the payload")


def _from(found: Found) -> str:
    shown = ", ".join(found.fields[:3])
    return f"{shown}, …" if len(found.fields) > 3 else shown


def _kinds(cells: Sequence[Any]) -> str:
    return ", ".join(sorted({_KINDS.get(type(cell), type(cell).__name__) for cell in cells[:_MOST_CELLS]})) or "no rows"


def _left(left: Sequence[Found]) -> Iterator[str]:
    if left:
        shown = ", ".join(one.name for one in left[:_LEFT_SHOWN])
        yield f"  not in the profile: {shown}" + (
            f" and {len(left) - _LEFT_SHOWN} more" if len(left) > _LEFT_SHOWN else ""
        )


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(3)]
    for name, kind, source, kinds in rows:
        yield f"  {name:{widths[0]}}  {kind:{widths[1]}}  <- {source:{widths[2]}}  {kinds}".rstrip()


def _printable(text: str) -> str:
    # Names come from strangers: no escape sequence may reach a terminal.
    return "".join(letter if letter.isprintable() else "�" for letter in text)
