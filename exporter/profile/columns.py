"""A column of a profile's document: its bins, and what else is known of it."""

import math
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from exporter import scalars
from exporter.profile import parsing
from exporter.profile.parsing import Fault
from exporter.reference import (
    ABOVE,
    BELOW,
    HOURS,
    KINDS,
    MISSING,
    MOST_BINS,
    MOST_INSIDE,
    NONFINITE,
    NUMERIC_BINS,
    ORDERED_KINDS,
    Association,
    Column,
)

_SHARE: Final = parsing.between(0, 1)
_PARSERS: Final[Mapping[str, parsing.Parse]] = {
    "origin": parsing.name,
    "scalar": parsing.name,
    "salt": parsing.name,
    "importance": _SHARE,
    "reference_error": _SHARE,
    "dependence": parsing.between(1, math.inf),
    "wander": _SHARE,
}
"""What may be said of a column of any kind, but for what needs its bins."""
_KNOWN: Final = {"name", "kind", "counts", "hours", "association", *_PARSERS}


def parse_all(node: object, path: str) -> tuple[Column, ...]:
    """The columns of one side."""
    columns = tuple(parsing.items(node, path, parse))
    for name, times in Counter(column.name for column in columns).items():
        if times > 1:
            raise Fault(f"{path}: {name!r} stands there twice")
    return columns


def parse(node: object, path: str) -> Column:
    """One column."""
    item = parsing.mapping(node, path)
    name, kind = parsing.name(item.get("name"), f"{path}.name"), item.get("kind")
    if kind not in KINDS:
        raise Fault(f"{path}.kind: must be one of {', '.join(KINDS)}, not {parsing.shown(kind)}")
    known = {word: parse_word(item[word], f"{path}.{word}") for word, parse_word in _PARSERS.items() if word in item}
    own = _ordered(item, path) if kind in ORDERED_KINDS else _categorical(item, path)
    bins = len(own["counts"])
    known["hours"] = _hours(item.get("hours"), f"{path}.hours", bins)
    known["association"] = _associations(item.get("association", {}), f"{path}.association", bins)
    return Column(name, str(kind), **own, **known)


def check_scalar(column: Column, path: str, axes: int | None) -> None:
    """A fault where nobody knows how a column is computed; `axes` are those of its embedding, None without one."""
    fault = scalars.fault(column.kind, column.scalar, axes)
    if fault:
        raise Fault(f"{path}.scalar: {fault}")
    if column.salt and (column.kind != "categorical" or column.scalar):
        raise Fault(f"{path}.salt: only categories are hashed")


def _ordered(item: Mapping[str, Any], path: str) -> dict[str, Any]:
    parsing.only(item, {*_KNOWN, "edges", "mean", "sd", "minimum", "maximum", "distinct"}, f"{path}.")
    edges = parsing.items(item.get("edges"), f"{path}.edges", parsing.number)
    if not 2 <= len(edges) <= MOST_INSIDE + 1 or any(b <= a for a, b in pairwise(edges)):
        raise Fault(f"{path}.edges: must be 2 to {MOST_INSIDE + 1} ascending numbers")
    counts = parsing.mapping(item.get("counts"), f"{path}.counts")
    parsing.only(counts, {"below", "inside", "above", "missing", "nonfinite"}, f"{path}.counts.")
    inside = parsing.items(counts.get("inside"), f"{path}.counts.inside", parsing.count)
    if len(inside) != len(edges) - 1:
        raise Fault(f"{path}.counts.inside: must have {len(edges) - 1} numbers, one per pair of edges")
    bins = [0] * NUMERIC_BINS
    bins[1 : 1 + len(inside)] = inside
    for place, word in ((BELOW, "below"), (ABOVE, "above"), (MISSING, "missing"), (NONFINITE, "nonfinite")):
        bins[place] = parsing.count(counts.get(word), f"{path}.counts.{word}")
    moments = {word: parsing.number(item.get(word), f"{path}.{word}") for word in ("mean", "sd", "minimum", "maximum")}
    if moments["sd"] < 0:
        raise Fault(f"{path}.sd: must not be negative")
    distinct = parsing.optional(item.get("distinct"), f"{path}.distinct", parsing.count)
    return {"counts": _filled(bins, path), "edges": tuple(edges), "distinct": distinct, **moments}


def _categorical(item: Mapping[str, Any], path: str) -> dict[str, Any]:
    parsing.only(item, {*_KNOWN, "others"}, f"{path}.")
    counts = parsing.mapping(item.get("counts"), f"{path}.counts")
    parsing.only(counts, {"listed", "other", "unseen", "missing"}, f"{path}.counts.")
    listed = parsing.items(counts.get("listed"), f"{path}.counts.listed", _pair)
    others = parsing.items(item.get("others"), f"{path}.others", parsing.text)
    names = [category for category, _ in listed] + others
    if len(set(names)) != len(names):
        raise Fault(f"{path}.counts.listed: a category stands there twice")
    if len(listed) + 3 > MOST_BINS:
        raise Fault(f"{path}.counts.listed: at most {MOST_BINS - 3} categories have a bin of their own")
    rest = [parsing.count(counts.get(word), f"{path}.counts.{word}") for word in ("other", "unseen", "missing")]
    bins = _filled([rows for _, rows in listed] + rest, path)
    return {"counts": bins, "categories": tuple(category for category, _ in listed), "others": tuple(others)}


def _filled(bins: list[int], path: str) -> tuple[int, ...]:
    if not sum(bins):
        raise Fault(f"{path}.counts: must hold at least one row")
    return tuple(bins)


def _pair(node: object, path: str) -> tuple[str, int]:
    if not isinstance(node, list) or len(node) != 2:
        raise Fault(f"{path}: must be [category, rows]")
    return parsing.text(node[0], f"{path}[0]"), parsing.count(node[1], f"{path}[1]")


def _hours(node: object, path: str, bins: int) -> tuple[tuple[int, ...], ...]:
    if node is None:
        return ()
    hours = parsing.items(node, path, lambda item, at: tuple(parsing.items(item, at, parsing.count)))
    if len(hours) != HOURS or any(len(hour) != bins for hour in hours):
        raise Fault(f"{path}: must be {HOURS} lists of {bins} numbers, one per bin")
    return tuple(hours)


def _associations(node: object, path: str, bins: int) -> tuple[Association, ...]:
    found = parsing.mapping(node, path)
    return tuple(_association(output, found[output], f"{path}.{output}", bins) for output in found)


def _association(output: str, node: object, path: str, bins: int) -> Association:
    item = parsing.mapping(node, path)
    parsing.only(item, {"counts", "means"}, f"{path}.")
    counts = parsing.items(item.get("counts"), f"{path}.counts", parsing.count)
    means = parsing.items(item.get("means"), f"{path}.means", parsing.number)
    if not len(counts) == len(means) == bins:
        raise Fault(f"{path}: must have {bins} counts and means, one per bin")
    return Association(parsing.name(output, path), tuple(counts), tuple(means))


# --- writing


def describe(column: Column) -> dict[str, Any]:
    """The document of a column; what is not known of it is left out."""
    more = {word: getattr(column, word) for word in _PARSERS if getattr(column, word) not in {None, ""}}
    if column.hours:
        more["hours"] = [list(hour) for hour in column.hours]
    if column.association:
        more["association"] = {
            one.output: {"counts": list(one.counts), "means": list(one.means)} for one in column.association
        }
    return {"name": column.name, "kind": column.kind, **_bins(column), **more}


def _bins(column: Column) -> dict[str, Any]:
    counts = column.counts
    if not column.ordered:
        listed = [[category, rows] for category, rows in zip(column.categories, counts, strict=False)]
        other, unseen, missing = counts[-3:]
        return {
            "others": list(column.others),
            "counts": {"listed": listed, "other": other, "unseen": unseen, "missing": missing},
        }
    return {
        "edges": list(column.edges),
        "counts": {
            "below": counts[BELOW], "inside": list(counts[1 : len(column.edges)]), "above": counts[ABOVE],
            "missing": counts[MISSING], "nonfinite": counts[NONFINITE],
        },
        "mean": column.mean, "sd": column.sd, "minimum": column.minimum, "maximum": column.maximum,
        **({} if column.distinct is None else {"distinct": column.distinct}),
    }  # fmt: skip
