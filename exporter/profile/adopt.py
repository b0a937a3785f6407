"""A new normal: what a window of a running exporter holds becomes the reference of some columns.

The bins stay those of the profile, so counts are taken as they are. Of moments a window knows the mean alone: sd and
extremes are estimated from the bins. A bin's values are taken to be spread evenly over it, those of an open bin to lie
where the mean wants them, or at its edge; the same is done to the reference's own bins, whose true sd is known, and
what that is off by is taken to be the same now.
"""

import fnmatch
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final, NamedTuple

from exporter.errors import ConfigError, DataError
from exporter.profile import parsing
from exporter.profile.in_force import in_force
from exporter.profile.parsing import Fault
from exporter.reference import ABOVE, BELOW, Adoption, Column, Profile
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


def _moments(column: Column, seen: Seen) -> Moments:
    """Mean, standard deviation, smallest and largest, as far as bins tell."""
    finite = sum(seen.counts[BELOW : ABOVE + 1])
    if not column.ordered:
        return 0.0, 0.0, 0.0, 0.0
    if not finite:
        return column.mean, column.sd, column.minimum, column.maximum
    mean = column.mean + seen.deviation / finite * column.sd if column.sd else _middle(column, seen.counts)
    now, then = _spread(column, seen.counts, mean), _spread(column, column.counts, column.mean)
    sd = now * (column.sd / then) if column.sd and then else now
    if not math.isfinite(mean) or not math.isfinite(sd):  # of numbers that nearly fill the floats
        mean, sd = column.mean, column.sd
    return mean, sd, *_extremes(column, seen.counts, mean)


def _middle(column: Column, counts: Sequence[int]) -> float:
    finite = sum(counts[BELOW : ABOVE + 1])
    return math.fsum(counts[place] / finite * centre for place, centre in column.centres())


def _placed(column: Column, counts: Sequence[int], mean: float) -> dict[int, float]:
    """Where the values of each bin are taken to lie."""
    places = dict(column.centres())
    outer = [place for place in (BELOW, ABOVE) if counts[place]]
    if len(outer) == 1:
        (place,) = outer
        rest = math.fsum((mean - at) * counts[one] for one, at in places.items() if one != place)
        wanted = mean + rest / counts[place]
        places[place] = min(wanted, places[place]) if place == BELOW else max(wanted, places[place])
    return places


def _spread(column: Column, counts: Sequence[int], mean: float) -> float:
    """Standard deviation about `mean`."""
    places = _placed(column, counts, mean)
    widths = dict(enumerate((high - low for low, high in pairwise(column.edges)), 1))
    scale = max(*(abs(at - mean) for at in places.values()), *widths.values())
    if not 0 < scale < math.inf:
        return 0.0
    squares = math.fsum(
        counts[place] * (((at - mean) / scale) ** 2 + (widths.get(place, 0.0) / scale) ** 2 / 12)
        for place, at in places.items()
    )
    return scale * math.sqrt(squares / sum(counts[BELOW : ABOVE + 1]))


def _extremes(column: Column, counts: Sequence[int], mean: float) -> tuple[float, float]:
    places, edges = _placed(column, counts, mean), column.edges
    occupied = [place for place in places if counts[place]]
    low, high = occupied[0], occupied[-1]
    bottom = places[low] if low in (BELOW, ABOVE) else max(edges[low - 1], min(column.minimum, edges[low]))
    top = places[high] if high in (BELOW, ABOVE) else min(edges[high], max(column.maximum, edges[high - 1]))
    return bottom, max(bottom, top)


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
