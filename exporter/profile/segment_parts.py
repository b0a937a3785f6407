"""Segments of the training data: the part of a profile's document."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from exporter.profile import parsing
from exporter.profile.parsing import Fault
from exporter.reference import Column
from exporter.segmentations import MOST, MOST_VALUES, REST, Segmented, intervals

_KNOWN: Final = {"name", "values", "edges", "salt", "features", "outputs", "errors"}
_PAIR: Final = 2
Counts = tuple[tuple[int, ...], ...]


def parse_all(node: object, path: str, sides: Mapping[str, tuple[Column, ...]]) -> tuple[Segmented, ...]:
    """All of them, each with counts of all columns of both `sides`; a list that may be empty."""
    found = tuple(parsing.items(node, path, lambda item, at: _parse(item, at, sides)))
    if len(found) > MOST:
        raise Fault(f"{path}: at most {MOST}")
    if len({one.name for one in found}) < len(found):
        raise Fault(f"{path}: two are of one column")
    return found


def _parse(node: object, path: str, sides: Mapping[str, tuple[Column, ...]]) -> Segmented:
    item = parsing.mapping(node, path)
    parsing.only(item, _KNOWN, f"{path}.")
    edges = tuple(parsing.items(item.get("edges", []), f"{path}.edges", parsing.number))
    if any(high <= low for low, high in pairwise(edges)) or len(edges) >= MOST_VALUES:
        raise Fault(f"{path}.edges: must be ascending numbers, fewer than {MOST_VALUES}")
    values = tuple(parsing.items(item.get("values"), f"{path}.values", parsing.text))
    if edges and values != intervals(edges):
        raise Fault(f"{path}.values: must be those between the edges: {', '.join(intervals(edges))}")
    if not 0 < len(values) <= MOST_VALUES or len({*values, *REST}) < len(values) + len(REST):
        raise Fault(f"{path}.values: must be 1 to {MOST_VALUES} different texts, none of them {' or '.join(REST)}")
    salt = parsing.name(item["salt"], f"{path}.salt") if "salt" in item else ""
    counts = (_counts(item.get(side), f"{path}.{side}", sides[side], len(values)) for side in ("features", "outputs"))
    name, features, outputs = parsing.name(item.get("name"), f"{path}.name"), next(counts), next(counts)
    errors = _errors(item.get("errors", []), path, len(values))
    return Segmented(name, values, edges, salt, features, outputs, errors)


def _errors(node: object, path: str, values: int) -> Counts:
    """Rows of each segment by how wrong predictions were; nothing where nobody counted them."""
    found = tuple(parsing.items(node, f"{path}.errors", lambda item, at: tuple(parsing.items(item, at, parsing.count))))
    segments = values + len(REST)
    if found and (len(found) != segments or len({*map(len, found)}) > 1 or len(found[0]) < _PAIR):
        raise Fault(f"{path}.errors: must be {segments} lists, of the values, other and missing, of as many numbers")
    return found


def _counts(node: object, path: str, columns: Sequence[Column], values: int) -> tuple[Counts, ...]:
    item = parsing.mapping(node, path)
    parsing.only(item, {column.name for column in columns}, f"{path}.")
    return tuple(_of_column(item.get(one.name), f"{path}.{one.name}", one, values) for one in columns)


def _of_column(node: object, path: str, column: Column, values: int) -> Counts:
    rows = parsing.items(node, path, lambda item, at: tuple(parsing.items(item, at, parsing.count)))
    segments, bins = values + len(REST), len(column.counts)
    if len(rows) != segments or any(len(row) != bins for row in rows):
        raise Fault(f"{path}: must be {segments} lists, of the values, other and missing, of {bins} numbers each")
    return tuple(rows)


def describe(one: Segmented, sides: Mapping[str, tuple[Column, ...]]) -> dict[str, Any]:
    """The document of one of them."""
    more: dict[str, Any] = {"edges": list(one.edges)} if one.edges else {}
    more |= {"salt": one.salt} if one.salt else {}
    for side, counts in (("features", one.features), ("outputs", one.outputs)):
        columns = zip(sides[side], counts, strict=True)
        more[side] = {column.name: [list(row) for row in rows] for column, rows in columns}
    more |= {"errors": [list(counts) for counts in one.errors]} if one.errors else {}
    return {"name": one.name, "values": list(one.values), **more}
