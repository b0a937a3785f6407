"""Bars and lines as the paths of SVG: numbers only, small enough for fifty in a page."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from exporter.status.facts import Bin
from exporter.web.status.wording import seen, share

HEIGHT: Final = 32
PAIR: Final = 10
"""Width of a bin: two bars of four, and a gap."""
_BAR: Final = 4
LINE: Final = 120
_MOST_POINTS: Final = 60
_MOST_BARS: Final = 40
_MOST_NAMED: Final = 2
_WORTH_NAMING: Final = 0.02


class Bars(NamedTuple):
    """A column's bins: the reference beside what is live."""

    width: int
    reference: str
    live: str
    text: str
    """What a picture of it says, for whom does not see it."""


def bars(bins: Sequence[Bin]) -> Bars:
    """As tall as the largest share; beyond forty bins only those that hold most."""
    shown = _largest(bins)
    top = max((max(one.reference, one.live or 0.0) for one in shown), default=0.0) or 1.0
    reference = "".join(_bar(PAIR * at, one.reference / top) for at, one in enumerate(shown))
    live = "".join(_bar(PAIR * at + _BAR, (one.live or 0.0) / top) for at, one in enumerate(shown))
    return Bars(PAIR * len(shown), reference, live, _words(bins))


def _largest(bins: Sequence[Bin]) -> Sequence[Bin]:
    if len(bins) <= _MOST_BARS:
        return bins
    order = sorted(range(len(bins)), key=lambda at: -max(bins[at].reference, bins[at].live or 0.0))[:_MOST_BARS]
    return [bins[at] for at in sorted(order)]


def _bar(left: int, part: float) -> str:
    tall = round(part * HEIGHT) or (1 if part > 0 else 0)
    return f"M{left} {HEIGHT}v-{tall}h{_BAR}v{tall}z" if tall else ""


def _words(bins: Sequence[Bin]) -> str:
    """The bins that have changed most."""
    if not any(one.live is not None for one in bins):
        return "no live values"
    moved = sorted(bins, key=lambda one: -abs((one.live or 0.0) - one.reference))[:_MOST_NAMED]
    told = [
        f"{seen(one.text)[:40]}: {share(one.reference)} → {share(one.live)}" for one in moved
        if abs((one.live or 0.0) - one.reference) >= _WORTH_NAMING
    ]  # fmt: skip
    return "; ".join(told) or "live as the reference"


def line(values: Sequence[float | None]) -> str:
    """A line of shares, the oldest at the left; where there is no value, there is a gap."""
    points = _thinned(values)
    step = LINE / max(len(points) - 1, 1)
    path, is_drawn = [], False
    for at, value in enumerate(points):
        if value is not None:
            word = ("L" if is_drawn else "M") + f"{at * step:.0f} {HEIGHT - min(max(value, 0.0), 1.0) * HEIGHT:.0f}"
            path.append(word if is_drawn else f"{word}h.1")  # a lonely one is a dot
        is_drawn = value is not None
    return "".join(path)


def _thinned(values: Sequence[float | None]) -> list[float | None]:
    """The largest of each so many, so that no peak is lost."""
    group = -(-len(values) // _MOST_POINTS) or 1
    parts = (values[at : at + group] for at in range(0, len(values), group))
    return [max((one for one in part if one is not None), default=None) for part in parts]


def along(value: float | None, whole: float, width: int) -> int:
    """How far a bar goes of `width` that stands for `whole`."""
    return round(min(max(value or 0.0, 0.0) / whole, 1.0) * width) if whole > 0 else 0
