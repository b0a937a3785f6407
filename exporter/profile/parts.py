"""Parts of a profile's document that are of no column: embeddings, time, training, and what was adopted."""

import math
import zoneinfo
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from exporter.adoption import Adoption
from exporter.profile import parsing
from exporter.profile.parsing import Fault
from exporter.reference import NUMERIC_BINS, Column, Embedding, TimeSpan, Together, Unusual

_SIDES: Final = ("features", "outputs")
_MOST_AXES: Final = 64
_ADOPTION: Final = {"side", "name", "counts", "author", "reason", "adopted_at", "expires_at", "window"}
_MOMENTS: Final = ("mean", "sd", "minimum", "maximum")


def parse_embeddings(node: object, path: str) -> tuple[Embedding, ...]:
    """All of them; a list that may be empty."""
    return tuple(parsing.items(node, path, _embedding))


def _embedding(node: object, path: str) -> Embedding:
    item = parsing.mapping(node, path)
    parsing.only(item, {"name", "fields", "centroid", "axes"}, f"{path}.")
    fields = parsing.items(item.get("fields"), f"{path}.fields", parsing.name)
    centroid = parsing.items(item.get("centroid"), f"{path}.centroid", parsing.number)
    axes = parsing.items(
        item.get("axes"), f"{path}.axes", lambda axis, at: tuple(parsing.items(axis, at, parsing.number))
    )
    if not fields or len(set(fields)) != len(fields):
        raise Fault(f"{path}.fields: must name every dimension once")
    if len(axes) > _MOST_AXES:
        raise Fault(f"{path}.axes: at most {_MOST_AXES}")
    if any(len(one) != len(fields) for one in (centroid, *axes)):
        raise Fault(f"{path}: centroid and axes must have {len(fields)} numbers, one per field")
    return Embedding(parsing.name(item.get("name"), f"{path}.name"), tuple(fields), tuple(centroid), tuple(axes))


def check_embeddings(embeddings: Sequence[Embedding], fields: Sequence[str]) -> None:
    """What none of them can say of itself: a fault where one does not go with the profile's fields, or the others."""
    known, taken = {*fields}, set[str]()
    for index, one in enumerate(embeddings):
        if not {*one.fields} <= known:
            raise Fault(f"embeddings[{index}].fields: one of them is not among the profile's fields")
        if taken & {*one.fields}:
            raise Fault(f"embeddings[{index}].fields: one of them is another embedding's")
        if one.name in known:
            raise Fault(f"embeddings[{index}].name: {one.name!r} is a field's, or another embedding's")
        known.add(one.name)
        taken.update(one.fields)


def parse_together(node: object, path: str) -> Together:
    """Numeric features that are watched as one."""
    item = parsing.mapping(node, path)
    parsing.only(item, {*Together._fields}, f"{path}.")
    fields = parsing.items(item.get("fields"), f"{path}.fields", parsing.name)
    centre, scales = (parsing.items(item.get(word), f"{path}.{word}", parsing.number) for word in ("centre", "scales"))
    axes = parsing.items(
        item.get("axes"), f"{path}.axes", lambda axis, at: tuple(parsing.items(axis, at, parsing.number))
    )
    if not fields or len(set(fields)) != len(fields):
        raise Fault(f"{path}.fields: must name every feature once")
    if len(axes) > _MOST_AXES:
        raise Fault(f"{path}.axes: at most {_MOST_AXES}")
    if any(len(one) != len(fields) for one in (centre, scales, *axes)):
        raise Fault(f"{path}: centre, scales and axes must have {len(fields)} numbers, one per field")
    if min(scales) <= 0:
        raise Fault(f"{path}.scales: must be above 0")
    name = parsing.name(item.get("name"), f"{path}.name")
    return Together(name, tuple(fields), tuple(centre), tuple(scales), tuple(axes))


def check_together(one: Together, features: Sequence[Column], known: AbstractSet[str]) -> None:
    """A fault where it does not go with the features; `known` are names that an origin may have without it."""
    numbers = {column.name for column in features if column.kind == "numeric"}
    if not {*one.fields} <= numbers:
        raise Fault("together.fields: one of them is no numeric feature")
    if one.name in known:
        raise Fault(f"together.name: {one.name!r} is a field's, or an embedding's")


def parse_time(node: object, path: str) -> TimeSpan:
    """When the training data are from."""
    item = parsing.mapping(node, path)
    parsing.only(item, {"column", "zone", "first", "last"}, f"{path}.")
    span = TimeSpan(
        parsing.name(item.get("column"), f"{path}.column"),
        zone(item.get("zone"), f"{path}.zone"),
        parsing.time(item.get("first"), f"{path}.first"),
        parsing.time(item.get("last"), f"{path}.last"),
    )
    if span.last < span.first:
        raise Fault(f"{path}.last: must not be before the first")
    return span


def zone(node: object, path: str) -> str:
    """The IANA name of a time zone that is known here."""
    name = parsing.name(node, path)
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise Fault(f"{path}: no time zone is called {name!r} here, one is Europe/Berlin") from None
    return name


def parse_unusual(node: object, path: str) -> Unusual:
    """How unusual the rows of the training data are."""
    item = parsing.mapping(node, path)
    parsing.only(item, {*Unusual._fields}, f"{path}.")
    found = Unusual(*(parsing.count(item.get(word), f"{path}.{word}") for word in Unusual._fields))
    if found.beyond >= found.rows:
        raise Fault(f"{path}.beyond: must be below rows")
    return found


def parse_performance(node: object, path: str) -> dict[str, float]:
    """Measures by name."""
    item = parsing.mapping(node, path)
    return {parsing.name(name, path): parsing.number(item[name], f"{path}.{name}") for name in item}


def parse_adoptions(node: object, path: str, sides: Mapping[str, tuple[Column, ...]]) -> tuple[Adoption, ...]:
    """What was adopted, each for a column that there is, and for none of them twice."""
    found = tuple(parsing.items(node, path, _adoption))
    columns = {(side, column.name): column for side in _SIDES for column in sides[side]}
    for index, one in enumerate(found):
        column = columns.pop((one.side, one.name), None)
        if column is None:
            raise Fault(f"{path}[{index}].name: {one.side} have no {one.name!r}, or it was adopted before")
        if len(one.counts) != len(column.counts):
            raise Fault(f"{path}[{index}].counts: must have {len(column.counts)} numbers, one per bin")
        if not sum(one.counts):
            raise Fault(f"{path}[{index}].counts: must hold at least one row")
    return found


def _adoption(node: object, path: str) -> Adoption:
    item = parsing.mapping(node, path)
    parsing.only(item, {*_ADOPTION, *_MOMENTS}, f"{path}.")
    if item.get("side") not in _SIDES:
        raise Fault(f"{path}.side: must be features or outputs")
    counts = parsing.items(item.get("counts"), f"{path}.counts", parsing.count)
    mean, sd, low, high = (parsing.number(item.get(word, 0.0), f"{path}.{word}") for word in _MOMENTS)
    if sd < 0:
        raise Fault(f"{path}.sd: must not be negative")
    at = parsing.time(item.get("adopted_at"), f"{path}.adopted_at")
    expires = parsing.optional(item.get("expires_at"), f"{path}.expires_at", parsing.time)
    if (expires or math.inf) <= at:
        raise Fault(f"{path}.expires_at: must be after adopted_at")
    name, author, reason, window = (
        parsing.name(item.get(word), f"{path}.{word}") for word in ("name", "author", "reason", "window")
    )
    return Adoption(item["side"], name, tuple(counts), (mean, sd, low, high), author, reason, at, expires, window)


# --- writing


def describe_embedding(one: Embedding) -> dict[str, Any]:
    """The document of an embedding."""
    axes = [list(axis) for axis in one.axes]
    return {"name": one.name, "fields": list(one.fields), "centroid": list(one.centroid), "axes": axes}


def describe_together(one: Together) -> dict[str, Any]:
    """The document of features that are watched as one."""
    numbers = {"centre": list(one.centre), "scales": list(one.scales), "axes": [list(axis) for axis in one.axes]}
    return {"name": one.name, "fields": list(one.fields), **numbers}


def describe_time(span: TimeSpan) -> dict[str, Any]:
    """The document of a span of time."""
    first, last = parsing.stamp(span.first), parsing.stamp(span.last)
    return {"column": span.column, "zone": span.zone, "first": first, "last": last}


def describe_adoption(one: Adoption) -> dict[str, Any]:
    """The document of what was adopted."""
    known: dict[str, Any] = {
        "side": one.side, "name": one.name, "counts": list(one.counts), "author": one.author, "reason": one.reason,
        "adopted_at": parsing.stamp(one.adopted_at), "window": one.window,
    }  # fmt: skip
    if len(one.counts) == NUMERIC_BINS:
        known |= dict(zip(_MOMENTS, one.moments, strict=True))
    return known if one.expires_at is None else known | {"expires_at": parsing.stamp(one.expires_at)}
