"""What people say about a column beside its profile: plain data. It is read and checked by `profile.overrides`."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

IGNORE, TICKET, PAGE = "ignore", "ticket", "page"
SEVERITIES: Final = (IGNORE, TICKET, PAGE)


@dataclass(frozen=True, slots=True)
class Override:
    """What is said of a column; None where nothing is."""

    range: tuple[float, float] | None = None
    """Numbers that are allowed, both ends included."""
    allowed: tuple[str, ...] | None = None
    """Categories that are allowed."""
    tolerance: float | None = None
    """Share of values that may have changed bin (total variation)."""
    weight: float | None = None
    """How much it counts among the others."""
    dependence: float | None = None
    """How many rows come as one, measured on traffic."""
    wander: float | None = None
    """Total variation by which an hour of traffic may differ from the mean of all."""
    ignore: bool | None = None
    """Whether it is neither scored nor shown."""
    owner: str | None = None
    severity: str | None = None
    """The most that may come of it: one of SEVERITIES."""
    snooze_until: float | None = None
    """Unix time until which nothing may come of it."""

    def over(self, other: "Override") -> "Override":
        """This, and what the other says where this says nothing."""
        return Override(*(getattr(self if getattr(self, one.name) is not None else other, one.name)
                          for one in fields(self)))  # fmt: skip

    def said(self) -> dict[str, Any]:
        """What is said."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    def severity_at(self, wall_s: float) -> str:
        """The most that may come of it at a moment: nothing while it is snoozed; empty where nothing is said of that.

        Then its scores make tickets and evidence of it may page, which is more than `ticket` allows.
        """
        return IGNORE if self.ignore or self.is_snoozed_at(wall_s) else self.severity or ""

    def is_snoozed_at(self, wall_s: float) -> bool:
        """Whether nothing may come of it for a while yet."""
        return self.snooze_until is not None and wall_s < self.snooze_until

    def routes_at(self, wall_s: float) -> bool:
        """Whether alerts about it are anything else than tickets of nobody's."""
        return self.owner is not None or self.severity is not None or self.is_snoozed_at(wall_s)


NOTHING: Final = Override()


@dataclass(frozen=True, slots=True)
class Overrides:
    """A file of rules, by pattern, in the file's order."""

    features: Mapping[str, Override] = field(default_factory=dict)
    outputs: Mapping[str, Override] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    """Patterns that must not be shown."""

    def feature(self, name: str, origin: str = "") -> Override:
        """What is said of a feature; `origin` is what it is computed from, where that is called otherwise."""
        return _of(self.features, name, origin)

    def output(self, name: str, origin: str = "") -> Override:
        """What is said of an output."""
        return _of(self.outputs, name, origin)


def _of(rules: Mapping[str, Override], name: str, origin: str) -> Override:
    found = rules.get(name, NOTHING)
    if (
        origin and origin != name and origin in rules
    ):  # its values are others: what is allowed of them is not meant here
        found = found.over(replace(rules[origin], range=None, allowed=None))
    for pattern, rule in rules.items():
        if pattern not in {name, origin} and fnmatch.fnmatchcase(name, pattern):
            found = found.over(rule)
    return found


NO_OVERRIDES: Final = Overrides()
