"""Where names that are nobody's business stay behind: what is decoded comes in here, and is not called so any more.

Cells are not touched: what is denied has a name that nothing asks for, so that nobody reads it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from exporter.config import Settings
from exporter.monitor.said import Said
from exporter.override import Override, Overrides
from exporter.records import Failure, Observation, Table
from exporter.scalars import TEXT_SCALARS
from exporter.scalars.private import DENIED, Private

_MOST_KEPT: Final = 256
_CHARACTERS_KEPT: Final = 1 << 16
"""Of the names of one table: those of a longer one are worked out each time, so that memory stays at some 16 MiB."""


def of(said: Said) -> Callable[[Observation], Observation]:
    """What takes observations in, as they are where nothing is private."""
    return Door(said.private) if said.private else lambda observation: observation


class Door:
    """Tables under the names that they have here."""

    def __init__(self, private: Private) -> None:
        self._private = private
        self._kept: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __call__(self, seen: Observation) -> Observation:
        """What was seen, under other names."""
        return replace(seen, features=self._side(seen.features), predictions=self._side(seen.predictions))

    def _side(self, side: Table | Failure | None) -> Table | Failure | None:
        if not isinstance(side, Table) or side.names is None:
            return side
        return Table(side.rows, self._names(side.names), side.columns, side.partial)

    def _names(self, names: tuple[str, ...]) -> tuple[str, ...]:
        found = self._kept.get(names)
        if found is None:
            found = tuple(map(self._private.name, names))
            if sum(map(len, names)) + len(names) <= _CHARACTERS_KEPT:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[names] = found
        return found


def is_open(table: Table) -> bool:
    """Whether there is anything in a table that may be looked at."""
    names = table.names
    return not names or names[0] != DENIED or any(name != DENIED for name in names)


def hidden(settings: Settings, private: Private) -> Settings:
    """Settings that say by what traffic is divided, and rows are grouped, as these are called here."""
    segments, evidence = settings.segments, settings.evidence
    by, group = tuple(map(private.segmentation, segments.by)), evidence.group_key
    return replace(
        settings, segments=replace(segments, by=by, search=tuple(map(private.name, segments.search))),
        evidence=replace(evidence, group_key=group and private.segmentation(group)),
    )  # fmt: skip


def hidden_rules(rules: Overrides, private: Private) -> Overrides:
    """What people say of columns, by what these are called here; of denied ones nothing is said.

    Patterns stay, and fit what people call a column.
    """
    features, outputs = _by_hidden_name(rules.features, private), _by_hidden_name(rules.outputs, private)
    patterns = (one for one in (*features, *outputs) if _is_pattern(one) and private.name(one) != one)
    return Overrides(features, outputs, frozenset(patterns))


def _by_hidden_name(rules: Mapping[str, Override], private: Private) -> dict[str, Override]:
    named = {one if _is_pattern(one) else _name(one, private): rule for one, rule in rules.items()}
    return {name: rule for name, rule in named.items() if not name.startswith(DENIED)}


def _name(name: str, private: Private) -> str:
    """That of a column, or of what is computed of a text."""
    field, _, scalar = name.rpartition(".")
    if scalar in TEXT_SCALARS and private.hashes(field):
        return f"{private.name(field)}.{scalar}"
    return private.name(name)


def _is_pattern(name: str) -> bool:
    return "*" in name or "?" in name
