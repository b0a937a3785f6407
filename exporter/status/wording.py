"""Numbers and moments as people read them in a sentence, and texts of strangers."""

import time
from collections.abc import Sequence
from typing import Final

from exporter.values import format_duration

_MOST_NAMED: Final = 3
_LONGEST: Final = 64
"""Characters of a name in a sentence."""
_MINUTE_S: Final = 60.0
_DAY_S: Final = 86400.0
_UNITS: Final = ((_DAY_S, "day"), (3600.0, "hour"), (_MINUTE_S, "minute"), (1.0, "second"))


def clock(wall_s: float, now: float) -> str:
    """A time of day, with the day where it is another one."""
    try:
        at, today = time.gmtime(wall_s), time.gmtime(now)
    except (OverflowError, ValueError, OSError):  # somebody has set a thing to billions of years
        return "a day that no calendar has"
    return time.strftime("%H:%M UTC" if at[:3] == today[:3] else "%Y-%m-%d %H:%M UTC", at)


def span(seconds: float) -> str:
    """How long, in the largest unit that fits twice: `90 minutes`."""
    size, word = next(((size, word) for size, word in _UNITS if seconds >= 2 * size), _UNITS[-1])
    return plural(round(seconds / size), word)


def share(value: float) -> str:
    """As percent: few digits, and never 0 % or 100 % of what is not."""
    percent = 100 * value
    if percent < 1:
        return f"{percent:.2g} %"
    return f"{min(percent, 99.9):.1f} %" if 99 < percent < 100 else f"{percent:.0f} %"


def plural(count: int, word: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def listed(names: Sequence[str]) -> str:
    """The first names, of long ones the beginning, and how many there are beside them."""
    shown = ", ".join(one if len(one) <= _LONGEST else f"{one[: _LONGEST - 1]}…" for one in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def duration(seconds: float) -> str:
    """As settings say it: `24h`."""
    return format_duration(seconds)


def text(value: str) -> str:
    """A text as it is; halves of surrogate pairs, which JSON cannot hold, become `?`."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
