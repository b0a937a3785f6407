"""How a sample is read: whose it is, and which of its fields are which columns of the profile. No value is shown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exporter.decode import Decoder
from exporter.decode.columns import ProfileOf
from exporter.decode.mapping import Mapper
from exporter.monitor.match import Fit, Matcher
from exporter.records import Exchange, Failure, Table
from exporter.reference import Side
from exporter.samples.bodies import printable

_KINDS: Final[Mapping[type, str]] = {
    bool: "truth value", int: "whole number", float: "number", str: "text", list: "list", dict: "object",
    type(None): "null",
}  # fmt: skip
_MOST_CELLS: Final = 1000
_LEFT_SHOWN: Final = 20
_NOTHING: Final = Side((), ())


class Found(NamedTuple):
    """One column of a payload, by the profile's name where it has one."""

    name: str
    fields: tuple[str, ...]
    cells: Sequence[Any]


class Verdict(NamedTuple):
    """What is to be said of one side."""

    lines: list[str]
    fine: bool


def page(decoder: Decoder, exchange: Exchange, profile_of: ProfileOf, sides: Sequence[str]) -> Verdict:
    """All that is found out about an exchange, of the sides that were given: `request`, `response`."""
    seen = decoder.read(exchange)
    profile = profile_of(seen)
    lines = [
        f"protocol: {seen.protocol or 'not recognised'}",
        f"model: {seen.model or 'not said'}, version: {seen.version or 'not said'}",
        f"request id: {seen.request_id or 'none'}",
    ]
    verdicts = []
    if "request" in sides:
        side = profile.asked if profile else _NOTHING
        verdicts.append(_side("request", seen.features, decoder.columns.features, side))
    if "response" in sides:
        side = profile.answered if profile else _NOTHING
        verdicts.append(_side("response", seen.predictions, decoder.columns.outputs, side))
    lines += [line for verdict in verdicts for line in verdict.lines]
    return Verdict([printable(line) for line in lines], all(verdict.fine for verdict in verdicts))


def _side(name: str, table: Table | Failure | None, mapper: Mapper | None, side: Side) -> Verdict:
    if not isinstance(table, Table):
        return Verdict([f"{name}: cannot be decoded: {_words(table)}"], fine=False)
    columns, order = side.as_sent, side.fields
    found = _found(table, mapper, order)
    head = f"{name}: {table.rows} rows of {len(found)} columns" + (
        ", the complete ones of a prefix" if table.partial else ""
    )
    if not columns:
        return Verdict([head, *_table([(one.name, "", _from(one), _kinds(one.cells)) for one in found])], fine=True)
    lone = name == "response" and len(order) == len(found) == 1  # the server's word for it is rarely the profile's
    given = {order[0] if lone else one.name: one for one in found}
    fit = _fit(side, found, lone=lone)
    rows = [(column.name, column.kind, *_match(given.get(column.name))) for column in columns]
    left = [one for known, one in given.items() if known not in order]
    words = (
        f"profile mismatch: {fit.mismatch}" if fit.mismatch else f"{fit.found} of the profile's {len(order)} columns"
    )
    return Verdict([head, *_table(rows), *_left(left), f"  {words}"], not fit.mismatch)


def _found(table: Table, mapper: Mapper | None, order: tuple[str, ...]) -> list[Found]:
    """The columns of a payload by the profile's names, as far as a map, names and positions tell."""
    mapped = mapper.columns(table, order) if mapper else ()
    if mapped:
        return [Found(column.name, column.fields, column.make(table.columns)) for column in mapped]
    if table.names is not None:
        return [Found(name, (name,), cells) for name, cells in zip(table.names, table.columns, strict=True)]
    positions = [f"[{place}]" for place in range(len(table.columns))]
    names = order if len(order) == len(positions) else positions
    fields = [(f"position {place}",) for place in range(len(positions))]
    return [Found(*one) for one in zip(names, fields, table.columns, strict=True)]


def _fit(side: Side, found: Sequence[Found], *, lone: bool) -> Fit:
    """How the profile's monitor judges it."""
    matcher = Matcher(side)
    named = not lone and any(one.fields[0] != f"position {place}" for place, one in enumerate(found))
    return matcher.named(tuple(one.name for one in found)) if named else matcher.bare(len(found))


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
        more = f" and {len(left) - _LEFT_SHOWN} more" if len(left) > _LEFT_SHOWN else ""
        yield f"  not in the profile: {', '.join(one.name for one in left[:_LEFT_SHOWN])}{more}"


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(3)]
    for name, kind, source, kinds in rows:
        yield f"  {name:{widths[0]}}  {kind:{widths[1]}}  <- {source:{widths[2]}}  {kinds}".rstrip()
