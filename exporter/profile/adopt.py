"""A new normal: what a window of a running exporter holds becomes the reference of some columns.

The bins stay those of the profile, so counts are taken as they are. Of moments a window knows the mean alone: sd and
extremes are estimated from the bins. Where in its bin a value lies, and how far it is spread there, is taken to be as
in the reference, whose true mean and sd are known; a lone open bin is taken to lie where the mean wants it.
"""

import fnmatch
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final, NamedTuple

from exporter.adoption import Adoption
from exporter.errors import ConfigError, DataError
from exporter.profile import parsing
from exporter.profile.in_force import in_force
from exporter.profile.parsing import Fault
from exporter.reference import ABOVE, BELOW, Column, Profile
from exporter.values import nearest

SIDES: Final = ("features", "outputs")
Moments = tuple[float, float, float, float]


class Wish(NamedTuple):
    """What is to be adopted, and who says so."""

    features: Sequence[str]
    """Names or patterns, as are outputs."""
    outputs: Sequence[str]
    author: str
    reason: str
    now: float
    """Unix time."""
    expires_at: float | None


class Seen(NamedTuple):
    """A column in a window."""

    counts: tuple[int, ...]
    deviation: float
    """Sum of its finite numbers' distances from the reference's mean, in the reference's sd."""


class Window(NamedTuple):
    """What a running exporter says."""

    name: str
    digest: str
    """Of the profile in force."""
    minimum_samples: int
    columns: Mapping[tuple[str, str], Seen]
    """By side and name."""


Adopted = tuple[Profile, list[str]]
"""A profile, and warnings for people."""


def adopt(profile: Profile, window: Window, wish: Wish) -> Adopted:
    """The profile with what the window holds of some columns as their reference.

    ConfigError where a name is of no column, DataError where the window is of another profile or holds too little.
    """
    current = in_force(profile, wish.now)
    if current.digest != window.digest:
        raise DataError(
            f"the exporter compares with the profile {window.digest[:8]}, the file is {current.short_digest}:"
            " adopt into the file that is in force"
        )
    found = list(chosen(current, wish))
    new = [_adoption(side, column, window, wish) for side, column in found]
    notes = [note for (_, column), one in zip(found, new, strict=True) for note in _doubts(column, one)]
    kept = tuple(one for one in profile.adoptions if (one.side, one.name) not in {(new.side, new.name) for new in new})
    return replace(profile, adoptions=(*kept, *new), digest=""), notes


def drop(profile: Profile, wish: Wish) -> Profile:
    """The profile without what was adopted for some columns. ConfigError where nothing was."""
    names = {(side, column.name) for side, column in chosen(profile, wish)}
    kept = tuple(one for one in profile.adoptions if (one.side, one.name) not in names)
    if len(kept) == len(profile.adoptions):
        raise ConfigError("--drop: nothing was adopted for any of these columns")
    return replace(profile, adoptions=kept, digest="")


def chosen(profile: Profile, wish: Wish) -> Iterator[tuple[str, Column]]:
    """The columns that are meant, with their side, in the profile's order. ConfigError where a name is of none."""
    for flag, side, columns, asked in (
        ("--feature", SIDES[0], profile.features, wish.features),
        ("--prediction", SIDES[1], profile.outputs, wish.outputs),
    ):
        names = [column.name for column in columns]
        meant = {name for word in asked for name in _meant(flag, word, names)}
        yield from ((side, column) for column in columns if column.name in meant)


def _meant(flag: str, word: str, names: Sequence[str]) -> list[str]:
    """A column's own name comes before patterns: `x[0]` is one."""
    found = [word] if word in names else [name for name in names if fnmatch.fnmatchcase(name, word)]
    if not found:
        raise ConfigError(f"{flag} {word}: the profile has no such column{nearest(word, set(names))}")
    return found


def _adoption(side: str, column: Column, window: Window, wish: Wish) -> Adoption:
    seen = window.columns.get((side, column.name))
    if seen is None or len(seen.counts) != len(column.counts):
        raise DataError(f"the exporter does not know {column.name!r} of {side} in the bins of this file")
    if sum(seen.counts) < window.minimum_samples:
        raise DataError(
            f"{column.name!r} has {sum(seen.counts)} values in the window of {window.name}, fewer than the"
            f" {window.minimum_samples} that make it sufficient: wait, or take a longer one"
        )
    return Adoption(
        side, column.name, seen.counts, _moments(column, seen), wish.author, wish.reason,
        float(int(wish.now)), wish.expires_at, window.name,
    )  # fmt: skip


def _doubts(column: Column, adoption: Adoption) -> Iterator[str]:
    places = (BELOW, ABOVE) if column.ordered else (len(column.counts) - 3, len(column.counts) - 2)
    words = dict(column.bins())
    for place in places:
        share = adoption.counts[place] / sum(adoption.counts)
        if share > 1 / 2:
            yield (
                f"{column.name}: {share:.0%} of what is adopted are in one bin, {words[place]!r}, in which no further"
                " change can be seen: build a new profile instead"
            )


# --- moments


class _Layout(NamedTuple):
    """Where the values of ordered bins are taken to lie; all lengths in units of `unit`, so that none overflows."""

    unit: float
    lows: tuple[float, ...]
    widths: tuple[float, ...]
    """Of the inside bins."""
    where: float
    """At which part of its bin's width a value lies, 0 to 1."""
    spread: float
    """Variance within a bin, in squares of its width."""


def _moments(column: Column, seen: Seen) -> Moments:
    """Mean, standard deviation, smallest and largest, as far as bins tell."""
    if not column.ordered:
        return 0.0, 0.0, 0.0, 0.0
    finite = sum(seen.counts[BELOW : ABOVE + 1])
    if not finite:
        return column.mean, column.sd, column.minimum, column.maximum
    layout = _layout(column)
    reference, unit = column.mean / layout.unit, layout.unit
    if column.sd:
        mean = reference + seen.deviation / finite * (column.sd / unit)
    else:  # a constant has no sd that distances could be in
        places = _places(layout, seen.counts, None)
        mean = math.fsum(seen.counts[place] / finite * at for place, at in places.items())
    now, then = _sd(layout, seen.counts, mean), _sd(layout, column.counts, reference)
    sd = now * (column.sd / unit / then) if column.sd and then else now
    low, high = _extremes(column, layout, seen.counts, mean)
    return _bounded(mean * unit), _bounded(sd * unit), low, high


def _bounded(number: float) -> float:
    return max(-sys.float_info.max, min(number, sys.float_info.max))


def _layout(column: Column) -> _Layout:
    """As the reference's own mean and sd want it: whole numbers lie at the lower edges, others in between."""
    unit = max(*map(abs, column.edges), abs(column.mean), sys.float_info.min)
    edges = [edge / unit for edge in column.edges]
    lows, widths = tuple(edges[:-1]), tuple(high - low for low, high in pairwise(edges))
    inside = column.counts[1 : 1 + len(lows)]
    rows = sum(inside)
    if not rows or column.counts[BELOW] or column.counts[ABOVE]:
        return _Layout(unit, lows, widths, 1 / 2, 1 / 12)
    mean, sd = column.mean / unit, column.sd / unit
    shares = [count / rows for count in inside]
    room = math.fsum(share * width for share, width in zip(shares, widths, strict=True))
    above = mean - math.fsum(share * low for share, low in zip(shares, lows, strict=True))
    where = max(0.0, min(above / room, 1.0)) if room else 0.0
    bins = list(zip(shares, lows, widths, strict=True))
    between = math.fsum(share * (low + where * width - mean) ** 2 for share, low, width in bins)
    squares = math.fsum(share * width**2 for share, _, width in bins)
    spread = (sd**2 - between) / squares if squares else 0.0
    return _Layout(unit, lows, widths, where, max(0.0, min(spread, 1 / 4)))


def _places(layout: _Layout, counts: Sequence[int], mean: float | None) -> dict[int, float]:
    """Where the values of each bin lie; those of a lone open bin where the mean wants them, or at its edge."""
    bins = zip(layout.lows, layout.widths, strict=True)
    places = {BELOW: layout.lows[0], **dict(enumerate((low + layout.where * width for low, width in bins), 1))}
    places[ABOVE] = layout.lows[-1] + layout.widths[-1]
    outer = [place for place in (BELOW, ABOVE) if counts[place]]
    if mean is not None and len(outer) == 1:
        (place,) = outer
        rest = math.fsum((mean - at) * counts[one] for one, at in places.items() if one != place)
        wanted = mean + rest / counts[place]
        places[place] = min(wanted, places[place]) if place == BELOW else max(wanted, places[place])
    return places


def _sd(layout: _Layout, counts: Sequence[int], mean: float) -> float:
    """Standard deviation about `mean`."""
    widths = dict(enumerate(layout.widths, 1))
    squares = math.fsum(
        counts[place] * ((at - mean) ** 2 + layout.spread * widths.get(place, 0.0) ** 2)
        for place, at in _places(layout, counts, mean).items()
    )
    return math.sqrt(squares / sum(counts[BELOW : ABOVE + 1]))


def _extremes(column: Column, layout: _Layout, counts: Sequence[int], mean: float) -> tuple[float, float]:
    """Bounds of the outermost bins that hold anything, as far as those of the reference are not closer."""
    places, edges = _places(layout, counts, mean), column.edges
    occupied = [place for place in places if counts[place]]
    first, last = occupied[0], occupied[-1]
    if first in (BELOW, ABOVE):
        low = _bounded(places[first] * layout.unit)
    else:
        low = max(edges[first - 1], min(column.minimum, edges[first]))
    if last in (BELOW, ABOVE):
        high = _bounded(places[last] * layout.unit)
    else:
        high = min(edges[last], max(column.maximum, edges[last - 1]))
    return low, max(low, high)


# --- what the exporter says


def parse(document: object) -> Window:
    """An exporter's answer. DataError naming the path to the fault."""
    try:
        top = parsing.mapping(document, "answer")
        return Window(
            parsing.name(top.get("window"), "window"),
            parsing.name(top.get("profile"), "profile"),
            parsing.count(top.get("minimum_samples"), "minimum_samples"),
            {
                (side, name): seen
                for side in SIDES
                for name, seen in parsing.items(top.get(side), side, _seen)
            },
        )  # fmt: skip
    except Fault as fault:
        raise DataError(f"the exporter's answer: {fault}") from None


def _seen(node: object, path: str) -> tuple[str, Seen]:
    item: Mapping[str, Any] = parsing.mapping(node, path)
    counts = parsing.items(item.get("counts"), f"{path}.counts", parsing.count)
    deviation = parsing.number(item.get("deviation"), f"{path}.deviation")
    return parsing.name(item.get("name"), f"{path}.name"), Seen(tuple(counts), deviation)
