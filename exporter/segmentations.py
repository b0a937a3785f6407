"""By what traffic is divided into segments, as the operator says it; and the training data, divided.

`segments.by:` is a list of at most four of

    country                                           a field of the payload's rows, or a feature of the profile
    {name: country, field: geo.country}               the same under another name
    {name: tenant, header: X-Tenant}                  a header of the request, for all its rows
    {name: country, values: [DE, FR]}                 these values alone; all else is `other`
    {name: age, edges: [18, 30, 60]}                  intervals of numbers: below 18, 18 to 30, 30 to 60, 60 and above

The standard library only: every process reads settings.
"""

import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from exporter.errors import ConfigError
from exporter.values import Fault, header_name, names, nearest

MOST: Final = 4
"""Segmentations."""
MOST_VALUES: Final = 50
"""Of one of them; each is a table of counts of its own."""
LONGEST: Final = 128
"""Characters of a name, and of a value that no profile has."""
OTHER: Final = "other"
MISSING: Final = "missing"
REST: Final = (OTHER, MISSING)
"""What stands behind the values of every segmentation: those that are none of them, and rows without one."""
_SHOWN: Final = 60


class Segmentation(NamedTuple):
    """One way to divide traffic."""

    name: str
    field: str
    """Of the payload's rows; empty where it is a header."""
    header: str = ""
    """In lower case; empty where it is a field."""
    values: tuple[str, ...] = ()
    """As categories are spelled; empty where nobody lists them."""
    edges: tuple[float, ...] = ()
    """Of intervals of numbers; empty where there are none."""

    @property
    def place(self) -> str:
        """Where it is from, for people."""
        return f"header {self.header}" if self.header else f"field {self.field}"


class Segmented(NamedTuple):
    """Rows of the training data by segment: those of each value, then those of no such value, then those without one.

    Counts are by column in the order of its side, by segment, by bin; empty before anybody has counted.
    """

    name: str
    """The table's column."""
    values: tuple[str, ...]
    edges: tuple[float, ...] = ()
    """Where the values are intervals of numbers."""
    salt: str = ""
    """Fingerprint of the salt with which the values are hashed; empty where they are written as they are."""
    features: tuple[tuple[tuple[int, ...], ...], ...] = ()
    outputs: tuple[tuple[tuple[int, ...], ...], ...] = ()
    errors: tuple[tuple[int, ...], ...] = ()
    """Rows of each segment by how wrong predictions were, as `Target.errors`; empty without a truth."""

    @property
    def segments(self) -> int:
        """How many there are."""
        return len(self.values) + len(REST)

    @property
    def rows(self) -> tuple[int, ...]:
        """Of each segment."""
        first = (self.features or self.outputs)[0]
        return tuple(map(sum, first))


_KEYS: Final = frozenset(Segmentation._fields)


def segmentations(value: object) -> tuple[Segmentation, ...]:
    """Segmentations from a list, its JSON text, or names with commas. ValueError, naming the path, of what is wrong."""
    items = _items(value)
    if len(items) > MOST:
        raise ValueError(f"must not be more than {MOST}")
    found = tuple(_segmentation(item, f"[{place}]") for place, item in enumerate(items))
    if len({one.name for one in found}) < len(found):
        raise ValueError("two of them have one name")
    return found


def grouped_by(value: object) -> Segmentation:
    """What rows that belong together have in common: one of them without values and edges, which needs no name.

    From a name, a mapping or its JSON text. ValueError, naming the path, of what is wrong.
    """
    item = _json(value, '{"header": "X-Session"}') if isinstance(value, str) and "{" in value else value
    if isinstance(item, Mapping) and "name" not in item:
        item = {"name": item.get("field", item.get("header")), **item}
    try:
        found = _segmentation(item, "")
    except Fault as fault:
        if fault.path:
            raise Fault(fault.path.removeprefix("."), str(fault)) from None
        raise ValueError(str(fault)) from None
    for key in ("values", "edges"):
        if getattr(found, key):
            raise Fault(key, "has no meaning here: a group is of one value")
    return found


def of_flags(pairs: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Columns of a table and edges of their numbers, from COLUMN or COLUMN=EDGES. ConfigError."""
    found = {}
    for pair in pairs:
        name, equals, edges = pair.partition("=")
        try:
            numbers = {"edges": [float(edge) for edge in edges.split(",")]} if equals else {}
            (one,) = segmentations([{"name": name, **numbers}])
        except ValueError as error:
            raise ConfigError(f"--segment {pair}: must be COLUMN or COLUMN=NUMBER,NUMBER...: {error}") from None
        found[name] = one.edges
    return found


def intervals(edges: Sequence[float]) -> tuple[str, ...]:
    """What the segments between edges are called."""
    inside = (f"{low:.6g} to {high:.6g}" for low, high in pairwise(edges))
    return (f"below {edges[0]:.6g}", *inside, f"{edges[-1]:.6g} and above")


def _items(value: object) -> Sequence[object]:
    if isinstance(value, str) and any(mark in value for mark in '{"'):
        value = _json(value, '[{"name": "country"}]')
    elif isinstance(value, str):
        value = names(value)
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list of names such as [country], or of mappings, not {_shown(value)}")  # noqa: TRY004 (settings raise one error)
    return value


def _json(text: str, example: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"must be JSON such as {example}, not {_shown(text)}") from None


def _segmentation(item: object, path: str) -> Segmentation:
    if isinstance(item, str):
        item = {"name": item}
    if isinstance(item, list | tuple) and len(item) == len(_KEYS):  # as it travels to child processes
        travelled = dict(zip(Segmentation._fields, item, strict=True))
        item = {key: said for key, said in travelled.items() if said not in ("", [], ())}
    if not isinstance(item, Mapping):
        raise Fault(path, f"must be a name or a mapping such as {{name: country}}, not {_shown(item)}")
    for key in item:
        if key not in _KEYS:
            raise Fault(f"{path}.{key}", f"unknown key{nearest(str(key), set(_KEYS))}")
    return _checked(item, path)


def _checked(item: Mapping[Any, Any], path: str) -> Segmentation:
    name = _text(item.get("name"), f"{path}.name")
    if "field" in item and "header" in item:
        raise Fault(f"{path}.header", "has no meaning beside field: a segment is of the one or the other")
    if "values" in item and "edges" in item:
        raise Fault(f"{path}.edges", "has no meaning beside values")
    header = _header(item["header"], f"{path}.header") if "header" in item else ""
    field = "" if header else _text(item.get("field", name), f"{path}.field")
    values = _values(item["values"], f"{path}.values") if "values" in item else ()
    return Segmentation(name, field, header, values, _edges(item["edges"], f"{path}.edges") if "edges" in item else ())


def _header(value: object, path: str) -> str:
    try:
        return header_name(value)
    except ValueError as error:
        raise Fault(path, str(error)) from None


def _text(value: object, path: str) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= LONGEST:
        raise Fault(path, f"must be text of 1 to {LONGEST} printable characters, not {_shown(value)}")
    return value


def _values(value: object, path: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_VALUES:
        raise Fault(path, f"must be a list of 1 to {MOST_VALUES} values such as [DE, FR], not {_shown(value)}")
    found = tuple(_value(one, f"{path}[{place}]") for place, one in enumerate(value))
    if len(set(found)) < len(found):
        raise Fault(path, "one value is there twice")
    return found


def _value(value: object, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):  # YAML takes NO for a truth value
        raise Fault(path, f"must be text, write it in quotes: {_shown(value)}")
    text = _text(str(value), path)
    if text in REST:
        raise Fault(path, f"{text!r} is what the rest is called")
    return text


def _edges(value: object, path: str) -> tuple[float, ...]:
    if not isinstance(value, list | tuple) or not 0 < len(value) < MOST_VALUES:
        raise Fault(path, f"must be a list of 1 to {MOST_VALUES - 1} numbers such as [18, 30, 60], not {_shown(value)}")
    found = tuple(_number(one, f"{path}[{place}]") for place, one in enumerate(value))
    if any(high <= low for low, high in pairwise(found)):
        raise Fault(path, "must be ascending")
    if len({f"{edge:.6g}" for edge in found}) < len(found):
        raise Fault(path, "must differ in their first six digits, which their intervals are called by")
    return found


def _number(value: object, path: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise Fault(path, f"must be a finite number, not {_shown(value)}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
