"""What people say about features beside the profile: a YAML file of rules that they edit.

    features:
      amount: { range: [0, 10000], tolerance: 0.05, owner: payments, severity: page }
      "embedding_*": { ignore: true }
      "*": { severity: ticket }
    outputs:
      score: { weight: 3, snooze_until: 2026-12-24 }

A rule is for a column, or for all that fit a pattern (`*`, `?`, `[abc]`). A column's own rule comes before that of the
field or embedding that it is computed from, this before patterns, an earlier pattern before a later one, for each word
by itself. Every fault is named with its path.
"""

import difflib
import fnmatch
import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from exporter.errors import ConfigError
from exporter.override import SEVERITIES, Override, Overrides
from exporter.profile import whole_file
from exporter.profile.parsing import moment
from exporter.reference import Column, Profile

_LOG: Final = logging.getLogger("exporter.profile")
_SIDES: Final = ("features", "outputs")
_PATTERN: Final = frozenset("*?[")
_LONGEST: Final = 256
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?[eE][+-]?[0-9]+")


class _Fault(Exception):
    """Path and words of what is wrong."""


def _range(node: object) -> tuple[float, float]:
    if not isinstance(node, Sequence) or isinstance(node, str) or len(node) != 2:
        raise ValueError("must be [smallest, largest]")
    low, high = _number(node[0]), _number(node[1])
    if low > high:
        raise ValueError("must begin with the smaller number")
    return low, high


def _number(node: object) -> float:
    scientific = isinstance(node, str) and _SCIENTIFIC.fullmatch(node)  # text to YAML, 1.0e+4 is not
    try:
        if scientific or (isinstance(node, int | float) and not isinstance(node, bool)):
            number = float(str(node))
            if math.isfinite(number):
                return number
    except ValueError:  # more digits than Python converts
        pass
    raise ValueError("must be a number")


def _allowed(node: object) -> tuple[str, ...]:
    if not isinstance(node, list) or not node or not all(isinstance(one, str) for one in node):
        raise ValueError("must be a list of categories, in quotes where they look like numbers")
    return tuple(node)


def _share(node: object) -> float:
    number = _number(node)
    if not 0 <= number <= 1:
        raise ValueError("must be a share, from 0 to 1")
    return number


def _weight(node: object) -> float:
    number = _number(node)
    if number < 0:
        raise ValueError("must not be negative")
    return number


def _dependence(node: object) -> float:
    number = _number(node)
    if number < 1:
        raise ValueError("must be 1 or more: so many rows come as one")
    return number


def _truth(node: object) -> bool:
    if node is not True and node is not False:
        raise ValueError("must be true or false")
    return node


def _owner(node: object) -> str:
    if not isinstance(node, str) or not 0 < len(node) <= _LONGEST or not node.isprintable():
        raise ValueError(f"must be text of 1 to {_LONGEST} characters")
    return node


def _severity(node: object) -> str:
    if node not in SEVERITIES:
        raise ValueError(f"must be {', '.join(SEVERITIES[:-1])} or {SEVERITIES[-1]}")
    return str(node)


def _time(node: object) -> float:
    try:  # YAML makes dates of what looks like one
        return moment(node.isoformat() if isinstance(node, date) else str(node) if isinstance(node, str) else "")
    except ValueError:
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z, or a day") from None


_PARSERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "range": _range, "allowed": _allowed, "tolerance": _share, "weight": _weight, "dependence": _dependence,
    "wander": _share, "ignore": _truth, "owner": _owner, "severity": _severity, "snooze_until": _time,
}  # fmt: skip


# --- reading


def load(path: str) -> Overrides:
    """The rules in a file. ConfigError names the path to the fault."""
    try:
        return loads(whole_file.read(Path(path), whole_file.LARGEST_OVERRIDES), path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"overrides: cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def loads(content: bytes, path: str) -> Overrides:
    """The rules in a file's content; `path` is what to call it. ConfigError names the path to the fault."""
    import yaml  # noqa: PLC0415 (a notebook that builds profiles does without)

    from exporter.profile import strict_yaml  # noqa: PLC0415

    try:
        document = strict_yaml.load(content.decode())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    try:
        return parse(document)
    except _Fault as fault:
        raise ConfigError(f"{path}: {fault}") from None


def parse(document: object) -> Overrides:
    """The rules a document describes; an empty one has none."""
    top = _mapping({} if document is None else document, "document")
    _known(top, _SIDES, "")
    features, outputs = ({pattern: _rule(node, f"{side}.{pattern}") for pattern, node in
                          _mapping(top.get(side) or {}, side).items()} for side in _SIDES)  # fmt: skip
    return Overrides(features, outputs)


def _rule(node: object, path: str) -> Override:
    said = _mapping(node, path)
    _known(said, tuple(_PARSERS), f"{path}.")
    found = {}
    for word, value in said.items():
        try:
            found[word] = _PARSERS[word](value)
        except ValueError as error:
            raise _Fault(f"{path}.{word}: {error}") from None
    return Override(**found)


def _mapping(node: object, path: str) -> Mapping[str, Any]:
    if not isinstance(node, Mapping):
        raise _Fault(f"{path}: must be a mapping")
    for key in node:
        if not isinstance(key, str):
            raise _Fault(f"{path}: the key {key!r} must be in quotes")
    return node


def _known(node: Mapping[str, Any], known: Sequence[str], prefix: str) -> None:
    for key in node:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise _Fault(f"{prefix}{key}: unknown key, {hint}")


# --- against a profile


def check(overrides: Overrides, profiles: Sequence[Profile], path: str) -> None:
    """ConfigError for the first rule that no column of any profile has, or that fits none of them by its kind."""
    for rule in zip(*(list(_verdicts(overrides, profile)) for profile in profiles), strict=True):
        if all(rule):
            raise ConfigError(f"{path}: {rule[0]}")


def faults(overrides: Overrides, profile: Profile) -> Iterator[str]:
    """What cannot be meant of a profile's columns, in words: the path to each such rule and why."""
    return filter(None, _verdicts(overrides, profile))


def warn(overrides: Overrides, profile: Profile | None) -> None:
    """Log them, where there is a profile. A file may be for several models, so what is not about one is no error."""
    for fault in faults(overrides, profile) if profile else ():
        _LOG.warning("overrides: %s (profile %s)", fault, profile.short_digest if profile else "")


def _verdicts(overrides: Overrides, profile: Profile) -> Iterator[str]:
    """For each rule in the file's order what is wrong with it, where that may be said; empty where nothing is."""
    sides = ((overrides.features, profile.features, "features"), (overrides.outputs, profile.outputs, "outputs"))
    for rules, columns, side in sides:
        for pattern, rule in rules.items():
            is_met = pattern in overrides.hidden or fnmatch.filter(profile.called.values(), pattern)
            fault = "" if is_met else _unfit(pattern, rule, columns)
            yield f"{side}.{pattern}{fault}" if fault else ""


def _unfit(pattern: str, rule: Override, columns: Sequence[Column]) -> str:
    """Why a rule cannot be meant. A pattern may cover columns of every kind; a column's own rule must make sense."""
    for column in columns:
        if column.name == pattern:
            return _misfit(rule, column)
    computed = [column for column in columns if column.origin == pattern]
    if computed:
        return _beside(rule, computed[0])
    names = [column.name for column in columns]
    return "" if fnmatch.filter(names, pattern) else _nothing(pattern, names)


def _beside(rule: Override, first: Column) -> str:
    """Why a rule cannot be meant of a field that is not watched itself, but by what is computed of it."""
    word = "range" if rule.range is not None else "allowed" if rule.allowed is not None else ""
    return f".{word}: say it of what is computed of it, such as {first.name}" if word else ""


def _nothing(pattern: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(pattern, names, 1)
    hint = f", did you mean {near[0]}?" if near else ""
    return f": no column of the profile {'fits' if _PATTERN & {*pattern} else 'is called so'}{hint}"


def _misfit(rule: Override, column: Column) -> str:
    if rule.range is not None and not column.ordered:
        return f".range: {column.kind} columns have none, say which categories are allowed"
    if rule.allowed is not None and column.ordered:
        return f".allowed: {column.kind} columns have no categories, say their range"
    return ""


def on(overrides: Overrides, profile: Profile) -> tuple[tuple[Override, ...], tuple[Override, ...]]:
    """What is said of each feature and of each output. What a column of its kind cannot have is not said of it."""
    return (
        tuple(_fitting(_said_of(overrides.feature, column, profile), column) for column in profile.features),
        tuple(_fitting(_said_of(overrides.output, column, profile), column) for column in profile.outputs),
    )


def _said_of(rule: Callable[[str, str], Override], column: Column, profile: Profile) -> Override:
    """What is said of a column by its name, and by what people call it where it is hidden."""
    found, called = rule(column.name, column.origin), profile.called.get(column.name, column.name)
    if called == column.name:
        return found
    return found.over(rule(called, profile.called.get(column.origin, column.origin)))


def _fitting(rule: Override, column: Column) -> Override:
    return replace(rule, allowed=None) if column.ordered else replace(rule, range=None)


def described(overrides: Overrides, profile: Profile) -> Iterator[str]:
    """A line for each column that a rule is about."""
    for columns, rules in zip((profile.features, profile.outputs), on(overrides, profile), strict=True):
        for column, rule in zip(columns, rules, strict=True):
            words = ", ".join(_words(word, value) for word, value in rule.said().items())
            if words:
                yield f"{column.name}: {words}"


def _words(word: str, value: Any) -> str:  # noqa: ANN401 (of any override)
    if word == "range":
        return f"{value[0]:.6g} to {value[1]:.6g}"
    if word == "snooze_until":
        return f"snoozed until {datetime.fromtimestamp(value, UTC).isoformat()}"
    if word == "ignore":
        return "ignored" if value else "not ignored"
    return f"{word} {', '.join(value) if isinstance(value, tuple) else value}"
