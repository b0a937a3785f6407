"""What was changed about the time at which a fault began: a version, a profile, a server that started anew."""

from collections.abc import Iterator
from typing import Final, NamedTuple

MOST: Final = 32
"""Changes that are remembered, the newest."""
NEAR_S: Final = 30 * 60.0
"""A change farther from the beginning than this is not told."""
_AFTER: Final = 2.0
"""What came after the beginning counts as so many times as far from it: no cause, if the beginning is right."""
_SAME_S: Final = 5.0
_MINUTE: Final = 60.0


class Change(NamedTuple):
    """Something that was changed."""

    wall_s: float
    """Unix time."""
    text: str
    """What happened, such as `version 7 came`."""


class Changes:
    """The last changes, each once: 32 at most."""

    def __init__(self) -> None:
        self._found: list[Change] = []

    def __iter__(self) -> Iterator[Change]:
        return iter(self._found)

    def note(self, wall_s: float, text: str) -> None:
        """Remember one; what is told again, of nearly the same time, is the same one."""
        if not any(one.text == text and abs(one.wall_s - wall_s) <= _SAME_S for one in self._found):
            self._found = sorted([*self._found, Change(wall_s, text)])[-MOST:]

    def nearest(self, onset_wall_s: float) -> Change | None:
        """The one next to a beginning, where one is near."""
        near = [one for one in self._found if abs(one.wall_s - onset_wall_s) <= NEAR_S]
        return min(near, key=lambda one: _distance(one, onset_wall_s), default=None)

    def told(self, onset_wall_s: float) -> str:
        """It in words, with how long before or after it the fault began; empty where there is none."""
        found = self.nearest(onset_wall_s)
        if found is None:
            return ""
        minutes = round(abs(onset_wall_s - found.wall_s) / _MINUTE)
        if not minutes:
            return f"as {found.text}"
        return f"{minutes} min {'after' if found.wall_s <= onset_wall_s else 'before'} {found.text}"


def _distance(change: Change, onset_wall_s: float) -> float:
    gap = onset_wall_s - change.wall_s
    return gap if gap >= 0 else -_AFTER * gap
