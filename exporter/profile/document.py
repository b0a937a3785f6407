"""The profile as a JSON document: read with every fault named by its path, written in one canonical form."""

import dataclasses
import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from exporter.errors import ConfigError, DataError
from exporter.profile import whole_file
from exporter.reference import (
    ABOVE,
    BELOW,
    KINDS,
    MISSING,
    MOST_BINS,
    MOST_INSIDE,
    NONFINITE,
    NUMERIC_BINS,
    ORDERED_KINDS,
    Column,
    Profile,
)

_FAMILY: Final = "inference-exporter/profile/"
_VERSION: Final = 1
FORMAT: Final = f"{_FAMILY}{_VERSION}"
LONGEST_TEXT: Final = 1024
_COUNT_LIMIT: Final = 2**53


class _Fault(Exception):
    """Path and words of what is wrong."""


# --- reading


def load(path: str) -> Profile:
    """The profile in a file. ConfigError where there is none, DataError naming the path to the fault in it."""
    try:
        raw = whole_file.read(Path(path), whole_file.LARGEST)
    except OSError as error:
        raise ConfigError(f"profile: cannot read {path}: {error.strerror}") from None
    return loads(raw, path)


def loads(raw: bytes, name: str) -> Profile:
    """The profile in the bytes of a file. DataError naming the file and the path to the fault in it."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: not JSON: {error}") from None
    try:
        return parse(document)
    except _Fault as fault:
        raise DataError(f"{name}: {fault}") from None


def parse(document: object) -> Profile:
    """The profile a document describes."""
    top = _mapping(document, "document")
    _require_format(top.get("format"))
    _only(top, {"format", "model", "rows", "source", "features", "outputs"}, "")
    model = _mapping(top.get("model"), "model")
    _only(model, {"name", "version", "trained_at"}, "model.")
    profile = Profile(
        model=_text(model.get("name"), "model.name"),
        version=_text(model.get("version"), "model.version"),
        trained_at=_moment(model.get("trained_at"), "model.trained_at"),
        rows=_count(top.get("rows"), "rows"),
        source=_text(top.get("source"), "source"),
        features=_columns(top.get("features"), "features"),
        outputs=_columns(top.get("outputs"), "outputs"),
    )
    if not profile.features and not profile.outputs:
        raise _Fault("features: a profile needs at least one feature or output")
    # Of what was understood, not of the text: key order, indentation and 1 for 1.0 make no other profile.
    return dataclasses.replace(profile, digest=hashlib.sha256(canonical(describe(profile))).hexdigest())


def _require_format(node: object) -> None:
    """Older versions are brought up to date here, once there is one."""
    if node == FORMAT:
        return
    version = node.removeprefix(_FAMILY) if isinstance(node, str) and node.startswith(_FAMILY) else ""
    if version.isascii() and version.isdigit() and int(version[:9]) > _VERSION:
        raise _Fault(f"format: version {version[:9]} is of a newer exporter, this one reads up to {_VERSION}")
    raise _Fault(f"format: must be {FORMAT!r}, not {_shown(node)}")


def _columns(node: object, path: str) -> tuple[Column, ...]:
    if not isinstance(node, list):
        raise _Fault(f"{path}: must be a list")
    columns = tuple(_column(item, f"{path}[{index}]") for index, item in enumerate(node))
    for name, times in Counter(column.name for column in columns).items():
        if times > 1:
            raise _Fault(f"{path}: {name!r} stands there twice")
    return columns


def _column(node: object, path: str) -> Column:
    item = _mapping(node, path)
    name, kind = _text(item.get("name"), f"{path}.name"), item.get("kind")
    if kind not in KINDS:
        raise _Fault(f"{path}.kind: must be one of {', '.join(KINDS)}, not {_shown(kind)}")
    if kind in ORDERED_KINDS:
        return _ordered(item, path, name, str(kind))
    return _categorical(item, path, name, str(kind))


def _ordered(item: Mapping[str, Any], path: str, name: str, kind: str) -> Column:
    _only(item, {"name", "kind", "edges", "counts", "mean", "sd", "minimum", "maximum"}, f"{path}.")
    edges = _list(item.get("edges"), f"{path}.edges", _number)
    if not 2 <= len(edges) <= MOST_INSIDE + 1 or any(b <= a for a, b in pairwise(edges)):
        raise _Fault(f"{path}.edges: must be 2 to {MOST_INSIDE + 1} ascending numbers")
    counts = _mapping(item.get("counts"), f"{path}.counts")
    _only(counts, {"below", "inside", "above", "missing", "nonfinite"}, f"{path}.counts.")
    inside = _list(counts.get("inside"), f"{path}.counts.inside", _count)
    if len(inside) != len(edges) - 1:
        raise _Fault(f"{path}.counts.inside: must have {len(edges) - 1} numbers, one per pair of edges")
    bins = [0] * NUMERIC_BINS
    bins[1 : 1 + len(inside)] = inside
    for place, word in ((BELOW, "below"), (ABOVE, "above"), (MISSING, "missing"), (NONFINITE, "nonfinite")):
        bins[place] = _count(counts.get(word), f"{path}.counts.{word}")
    mean, sd, low, high = (_number(item.get(word), f"{path}.{word}") for word in ("mean", "sd", "minimum", "maximum"))
    if sd < 0:
        raise _Fault(f"{path}.sd: must not be negative")
    _filled(bins, path)
    return Column(name, kind, tuple(bins), tuple(edges), mean, sd, low, high)


def _categorical(item: Mapping[str, Any], path: str, name: str, kind: str) -> Column:
    _only(item, {"name", "kind", "counts", "others"}, f"{path}.")
    counts = _mapping(item.get("counts"), f"{path}.counts")
    _only(counts, {"listed", "other", "unseen", "missing"}, f"{path}.counts.")
    listed = _list(counts.get("listed"), f"{path}.counts.listed", _pair)
    others = _list(item.get("others"), f"{path}.others", _category)
    names = [category for category, _ in listed] + others
    if len(set(names)) != len(names):
        raise _Fault(f"{path}.counts.listed: a category stands there twice")
    if len(listed) + 3 > MOST_BINS:
        raise _Fault(f"{path}.counts.listed: at most {MOST_BINS - 3} categories have a bin of their own")
    rest = [_count(counts.get(word), f"{path}.counts.{word}") for word in ("other", "unseen", "missing")]
    bins = [count for _, count in listed] + rest
    _filled(bins, path)
    return Column(name, kind, tuple(bins), categories=tuple(c for c, _ in listed), others=tuple(others))


def _filled(bins: list[int], path: str) -> None:
    if not sum(bins):
        raise _Fault(f"{path}.counts: must hold at least one row")


def _pair(node: object, path: str) -> tuple[str, int]:
    if not isinstance(node, list) or len(node) != 2:
        raise _Fault(f"{path}: must be [category, rows]")
    return _category(node[0], f"{path}[0]"), _count(node[1], f"{path}[1]")


def _mapping(node: object, path: str) -> Mapping[str, Any]:
    if not isinstance(node, Mapping):
        raise _Fault(f"{path}: must be a mapping")
    return node


def _only(node: Mapping[str, Any], known: set[str], prefix: str) -> None:
    for key in node:
        if key not in known:
            raise _Fault(f"{prefix}{key}: unknown key, known are {', '.join(sorted(known))}")


def _list(node: object, path: str, parse_item: Callable[[object, str], Any]) -> list[Any]:
    if not isinstance(node, list):
        raise _Fault(f"{path}: must be a list")
    return [parse_item(item, f"{path}[{index}]") for index, item in enumerate(node)]


def _text(node: object, path: str) -> str:
    if not isinstance(node, str) or not node:
        raise _Fault(f"{path}: must be text of 1 to {LONGEST_TEXT} characters")
    return _category(node, path)


def _category(node: object, path: str) -> str:
    if not isinstance(node, str) or len(node) > LONGEST_TEXT:
        raise _Fault(f"{path}: must be text of at most {LONGEST_TEXT} characters")
    if not node.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in node):
        raise _Fault(f"{path}: holds half a surrogate pair, which is no text")
    return node


def _shown(node: object) -> str:
    return repr(node)[:60] if isinstance(node, str | int | float | None) else f"a {type(node).__name__}"


def _count(node: object, path: str) -> int:
    if not isinstance(node, int) or isinstance(node, bool) or not 0 <= node < _COUNT_LIMIT:
        raise _Fault(f"{path}: must be a whole number from 0")
    return node


def _number(node: object, path: str) -> float:
    if isinstance(node, int | float) and not isinstance(node, bool):
        try:
            number = float(node)
        except OverflowError:  # an integer beyond every float
            number = math.inf
        if math.isfinite(number):
            return number
    raise _Fault(f"{path}: must be a finite number")


def _moment(node: object, path: str) -> float | None:
    if node is None:
        return None
    try:
        return moment(str(node) if isinstance(node, str) else "")
    except (ValueError, OverflowError):
        raise _Fault(f"{path}: must be a time such as 2026-01-31T12:00:00Z") from None


def moment(text: str) -> float:
    """Unix time of an ISO 8601 time, UTC where it names no zone. ValueError."""
    at = datetime.fromisoformat(text)
    try:
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError):
        raise ValueError("beyond what a calendar holds") from None
    return seconds


# --- writing


def describe(profile: Profile) -> dict[str, Any]:
    """The document of a profile."""
    at = profile.trained_at
    stamp = None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    return {
        "format": FORMAT,
        "model": {"name": profile.model, "version": profile.version, "trained_at": stamp},
        "rows": profile.rows,
        "source": profile.source,
        "features": [_describe(column) for column in profile.features],
        "outputs": [_describe(column) for column in profile.outputs],
    }


def _describe(column: Column) -> dict[str, Any]:
    counts = column.counts
    if not column.ordered:
        listed = [[category, rows] for category, rows in zip(column.categories, counts, strict=False)]
        other, unseen, missing = counts[-3:]
        return {
            "name": column.name, "kind": column.kind, "others": list(column.others),
            "counts": {"listed": listed, "other": other, "unseen": unseen, "missing": missing},
        }  # fmt: skip
    return {
        "name": column.name, "kind": column.kind, "edges": list(column.edges),
        "counts": {
            "below": counts[BELOW], "inside": list(counts[1 : len(column.edges)]), "above": counts[ABOVE],
            "missing": counts[MISSING], "nonfinite": counts[NONFINITE],
        },
        "mean": column.mean, "sd": column.sd, "minimum": column.minimum, "maximum": column.maximum,
    }  # fmt: skip


def canonical(document: Mapping[str, Any]) -> bytes:
    """The bytes that are hashed: the same for the same content, however the file is laid out."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def save(profile: Profile, path: str) -> Profile:
    """Write a profile, whole or not at all; it comes back with its digest.

    ConfigError where it cannot be written, DataError where it could not be read again.
    """
    document = describe(profile)
    try:
        checked = parse(document)
    except _Fault as fault:
        raise DataError(f"profile: {fault}") from None
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    try:
        whole_file.write(Path(path), text)
    except OSError as error:
        raise ConfigError(f"output: cannot write {path}: {error.strerror}") from None
    return checked
