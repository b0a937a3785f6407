"""Whether what was measured again and again stays as it is: a slope that single values cannot bend (Theil-Sen).

Only moments without traffic are compared (lulls), when what is held for traffic has been given back: then descriptors
and threads are the same to the unit, and memory but for what allocators keep.

How much may grow, over the time that is judged:
- what is counted: less than one half, that is nothing.
- memory: 1 MiB, the unit in which Python takes memory (an arena), and 1 MiB an hour. With some hundred exchanges a
  second, ten minutes of that are less than 10 bytes an exchange, and the smallest object in Python has 16.
- the page: 1 %, because numbers become longer, and some are told only where there is something to tell.
- how full the rings are under traffic: a quarter, because that depends on who else wants the processors.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scipy.stats import theilslopes

MIB = 1 << 20
HOUR_S = 3600.0
WARM_UP = 0.25
"""Share of a life that is not judged: what is filled once and then used again."""
FEWEST = 4
"""Points without which there is nothing to judge."""


class Tolerance(NamedTuple):
    """By how much something may grow."""

    absolute: float
    an_hour: float = 0.0
    ratio: float = 0.0
    """Of what it was."""
    unit: float = 1.0
    """In which it is told."""

    def of(self, level: float, seconds: float) -> float:
        """By how much something of that level may grow in that time."""
        return self.absolute + self.an_hour * seconds / HOUR_S + self.ratio * level


COUNTED = Tolerance(0.5)
MEMORY = Tolerance(MIB, an_hour=MIB, unit=MIB)
LENGTH = Tolerance(0, ratio=0.01)
SHARE = Tolerance(0.25)


class Finding(NamedTuple):
    """What is to be said of one thing."""

    name: str
    first: float
    last: float
    growth: float
    """The slope times the time that was judged."""
    allowed: float
    points: int
    unit: float

    @property
    def flat(self) -> bool:
        """What could not be judged is not flat."""
        return self.points >= FEWEST and self.growth <= self.allowed


def judge(name: str, points: Sequence[tuple[float, float]], tolerance: Tolerance) -> Finding:
    """Judge (seconds, value) points of one life, in their order, without its beginning."""
    begun = points[0][0] + WARM_UP * (points[-1][0] - points[0][0]) if points else 0.0
    judged = [point for point in points if point[0] >= begun]
    if len(judged) < FEWEST:
        return Finding(name, 0.0, 0.0, 0.0, 0.0, len(judged), tolerance.unit)
    times, values = zip(*judged, strict=True)
    seconds = times[-1] - times[0]
    growth = float(theilslopes(values, times).slope) * seconds
    return Finding(name, values[0], values[-1], growth, tolerance.of(values[0], seconds), len(judged), tolerance.unit)


def table(findings: Sequence[Finding], broken: Mapping[str, float]) -> str:
    """For people; `broken` are counts that must be zero."""
    lines = [f"{'':28}{'first':>10}{'last':>10}{'growth':>10}{'allowed':>10}"]
    for one in findings:
        numbers = "".join(f"{value / one.unit:10,.2f}" for value in (one.first, one.last, one.growth, one.allowed))
        unit = " MiB" if one.unit == MIB else ""
        verdict = "flat" if one.flat else "GROWS" if one.points >= FEWEST else f"TOO SHORT, {one.points} points"
        lines.append(f"{one.name:28}{numbers}{unit:5}{verdict}")
    lines += [f"{name:28}{count:10,.0f}" + ("" if not count else "  MUST BE 0") for name, count in broken.items()]
    return "\n".join(lines)
