"""What people say about features beside the profile: a YAML file of rules that they edit.

    features:
      amount: { range: [0, 10000], tolerance: 0.05, owner: payments, severity: page }
      "embedding_*": { ignore: true }
      "*": { severity: ticket }
    outputs:
      score: { weight: 3, snooze_until: 2026-12-24 }

A rule is for a column, or for all that fit a pattern (`*`, `?`, `[abc]`). A column's own rule comes before patterns, an
earlier pattern before a later one, for each word by itself. Every fault is named with its path.
"""

import difflib
import fnmatch
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from exporter.errors import ConfigError
from exporter.profile.parsing import moment
from exporter.reference import Column, Profile

SEVERITIES: Final = ("ignore", "ticket", "page")
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


def _says(parse: Callable[[object], Any]) -> Any:  # noqa: ANN401 (a field of any type)
    return field(default=None, metadata={"parse": parse})


@dataclass(frozen=True, slots=True)
class Override:
    """What is said of a column; None where nothing is."""

    range: tuple[float, float] | None = _says(_range)
    """Numbers that are allowed, both ends included."""
    allowed: tuple[str, ...] | None = _says(_allowed)
    """Categories that are allowed."""
    tolerance: float | None = _says(_share)
    """Share of values that may have changed bin (total variation)."""
    weight: float | None = _says(_weight)
    """How much it counts among the others."""
    ignore: bool | None = _says(_truth)
    owner: str | None = _says(_owner)
    severity: str | None = _says(_severity)
    """The most that may come of it: one of SEVERITIES."""
    snooze_until: float | None = _says(_time)
    """Unix time until which nothing may come of it."""

    def over(self, other: "Override") -> "Override":
        """This, and what the other says where this says nothing."""
        return Override(*(getattr(self if getattr(self, one.name) is not None else other, one.name)
                          for one in fields(self)))  # fmt: skip

    def said(self) -> dict[str, Any]:
        """What is said."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


_PARSERS: Final[Mapping[str, Callable[[object], Any]]] = {one.name: one.metadata["parse"] for one in fields(Override)}


@dataclass(frozen=True, slots=True)
class Overrides:
    """A file of rules, by pattern, in the file's order."""

    features: Mapping[str, Override] = field(default_factory=dict)
    outputs: Mapping[str, Override] = field(default_factory=dict)

    def feature(self, name: str) -> Override:
        """What is said of a feature."""
        return _of(self.features, name)

    def output(self, name: str) -> Override:
        """What is said of an output."""
        return _of(self.outputs, name)


def _of(rules: Mapping[str, Override], name: str) -> Override:
    found = rules.get(name, Override())
    for pattern, rule in rules.items():
        if pattern != name and fnmatch.fnmatchcase(name, pattern):
            found = found.over(rule)
    return found


# --- reading


def load(path: str) -> Overrides:
    """The rules in a file. ConfigError names the path to the fault."""
    import yaml  # noqa: PLC0415 (a notebook that builds profiles does without)

    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"overrides: cannot read {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    try:
        return parse(document)
    except _Fault as fault:
        raise ConfigError(f"{path}: {fault}") from None


def parse(document: object) -> Overrides:
    """The rules a document describes; an empty one has none."""
    top = _mapping({} if document is None else document, "document")
    _known(top, _SIDES, "")
    return Overrides(*({pattern: _rule(node, f"{side}.{pattern}") for pattern, node in
                        _mapping(top.get(side) or {}, side).items()} for side in _SIDES))  # fmt: skip


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


def check(overrides: Overrides, profile: Profile, path: str) -> None:
    """ConfigError for the first rule that no column has, or that does not fit its kind."""
    sides = ((overrides.features, profile.features, "features"), (overrides.outputs, profile.outputs, "outputs"))
    for rules, columns, side in sides:
        for pattern, rule in rules.items():
            fault = _unfit(pattern, rule, columns)
            if fault:
                raise ConfigError(f"{path}: {side}.{pattern}{fault}")


def _unfit(pattern: str, rule: Override, columns: Sequence[Column]) -> str:
    """Why a rule cannot be meant. A pattern may cover columns of every kind; a column's own rule must make sense."""
    for column in columns:
        if column.name == pattern:
            return _misfit(rule, column)
    names = [column.name for column in columns]
    return "" if fnmatch.filter(names, pattern) else _nothing(pattern, names)


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


def described(overrides: Overrides, profile: Profile) -> Iterator[str]:
    """A line for each column that a rule is about."""
    for columns, of in ((profile.features, overrides.feature), (profile.outputs, overrides.output)):
        for column in columns:
            said = of(column.name).said()
            if said:
                yield f"{column.name}: " + ", ".join(_words(word, value) for word, value in said.items())


def _words(word: str, value: Any) -> str:  # noqa: ANN401 (of any override)
    if word == "range":
        return f"{value[0]:.6g} to {value[1]:.6g}"
    if word == "snooze_until":
        return f"snoozed until {datetime.fromtimestamp(value, UTC).isoformat()}"
    if word == "ignore":
        return "ignored" if value else "not ignored"
    return f"{word} {', '.join(value) if isinstance(value, tuple) else value}"
