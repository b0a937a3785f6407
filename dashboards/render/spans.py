"""Time as Grafana counts it: what people write, and how far apart the points of a line are."""

import re
from bisect import bisect_right
from datetime import UTC, datetime
from typing import Final, NamedTuple

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_RELATIVE: Final = re.compile(r"now(?:-([0-9.]+(?:ms|[smhdwy])))?")
# Below each bound, in milliseconds, the interval that it is rounded to.
_ROUNDED: Final = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1500, 1000), (3500, 2000),
    (7500, 5000), (12500, 10000), (17500, 15000), (25000, 20000), (45000, 30000), (90000, 60000), (210000, 120000),
    (450000, 300000), (750000, 600000), (1050000, 900000), (1500000, 1200000), (2700000, 1800000),
    (5400000, 3600000), (9000000, 7200000), (16200000, 10800000), (32400000, 21600000), (86400000, 43200000),
    (604800000, 86400000), (1814400000, 604800000), (3628800000, 2592000000),
)  # fmt: skip
_A_YEAR_MS: Final = 31536000000
_MOST_POINTS: Final = 11000
"""Prometheus gives no more for a series."""


class Span(NamedTuple):
    """From when to when, in seconds since 1970."""

    begin: float
    end: float

    @property
    def length(self) -> float:
        """In seconds."""
        return self.end - self.begin


def seconds(text: str) -> float:
    """Of a duration such as `5m` or `1h30m`."""
    parts = re.findall(r"([0-9.]+)(ms|[smhdwy])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def moment(text: str, now: float) -> float:
    """Of `now-6h`, of seconds since 1970, or of an ISO time, which is UTC unless it says otherwise."""
    if found := _RELATIVE.fullmatch(text):
        return now - (seconds(found[1]) if found[1] else 0)
    try:
        return float(text)
    except ValueError:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()


def duration(length: float) -> str:
    """As Prometheus reads it."""
    return f"{length:.0f}s" if length == int(length) else f"{length * 1000:.0f}ms"


def step(span: Span, points: float, least: float) -> float:
    """How far apart points are, of which there shall be about so many, and which are not nearer than the least."""
    rough = span.length * 1000 / max(1, points)
    place = bisect_right([bound for bound, _ in _ROUNDED], rough)
    rounded = _ROUNDED[place][1] if place < len(_ROUNDED) else _A_YEAR_MS
    return max(rounded / 1000, least, span.length / _MOST_POINTS)


def rate_interval(between: float, scrape_interval: float) -> float:
    """Of `$__rate_interval`."""
    return max(between + scrape_interval, 4 * scrape_interval)
