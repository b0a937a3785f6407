"""What happened in one segment of the traffic alone, or with one client alone."""

from collections.abc import Iterator
from typing import Final

from exporter.diagnosis.seen import Case, Explained, Part

SEGMENT, CLIENT = "one_segment", "one_client"
_LEAST: Final = 0.15
"""Total variation of that one."""
_QUIET: Final = 0.5
"""The others may have moved by so much of it at most, chance taken off."""


def alone(parts: tuple[Part, ...]) -> Part | None:
    """The one that drifted while none of the others did, by any one way to divide the traffic."""
    for name in sorted({part.name for part in parts}):
        some = [part for part in parts if part.name == name]
        drifted = [part for part in some if part.score > max(part.critical, _LEAST)]
        others = [part for part in some if part not in drifted]
        if len(drifted) == 1 and others and all(_is_quiet(part, drifted[0]) for part in others):
            return drifted[0]
    return None


def _is_quiet(part: Part, drifted: Part) -> bool:
    return part.score <= part.critical or part.score < _QUIET * drifted.score


def explain(case: Case) -> Iterator[Explained]:
    """Where the traffic is divided."""
    found = alone(case.seen.parts)
    if found:
        code = CLIENT if found.is_client else SEGMENT
        yield Explained(code, f"{case.column.name} has changed {where(found)} alone", case.limit, 3, found.score, True)


def where(part: Part) -> str:
    """In words."""
    return f"with {part.name} {part.value}" if part.is_client else f"where {part.name} is {part.value}"
