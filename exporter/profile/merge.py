"""Finished profiles of equal edges, added up."""

import math
from collections.abc import Sequence
from fractions import Fraction

from exporter.errors import DataError
from exporter.profile.parsing import LONGEST_TEXT
from exporter.reference import Column, Profile

Named = tuple[str, Profile]
"""A profile, and what to call it where it does not fit."""


def merge(named: Sequence[Named]) -> Profile:
    """The profile of all rows that some profiles hold, in whatever order they come.

    Counts are added, so they are those of one build in the same bins; means and deviations are combined exactly from
    what the files say, and rounded once. DataError names the file and the column that does not fit.
    """
    (first_name, first), *rest = named
    for name, profile in rest:
        _require_alike(f"{name} and {first_name}", first, profile)
    profiles = [profile for _, profile in named]
    trained = [profile.trained_at for profile in profiles if profile.trained_at is not None]
    return Profile(
        model=first.model,
        version=first.version,
        trained_at=max(trained, default=None),
        rows=sum(profile.rows for profile in profiles),
        source=_sources(profiles),
        features=tuple(_column(parts) for parts in zip(*(profile.features for profile in profiles), strict=True)),
        outputs=tuple(_column(parts) for parts in zip(*(profile.outputs for profile in profiles), strict=True)),
    )


def _require_alike(names: str, one: Profile, other: Profile) -> None:
    if (one.model, one.version) != (other.model, other.version):
        raise DataError(f"{names}: of different models or versions")
    for word, mine, theirs in (("features", one.features, other.features), ("outputs", one.outputs, other.outputs)):
        if [column.name for column in mine] != [column.name for column in theirs]:
            raise DataError(f"{names}: {word}: {_first_difference(mine, theirs)}")
        for a, b in zip(mine, theirs, strict=True):
            fault = _fault(a, b)
            if fault:
                raise DataError(f"{names}: {word}: {a.name!r} {fault}")


def _first_difference(mine: Sequence[Column], theirs: Sequence[Column]) -> str:
    alone = sorted({column.name for column in mine} ^ {column.name for column in theirs})
    return f"{alone[0]!r} is in one alone" if alone else "not in the same order"


def _fault(one: Column, other: Column) -> str:
    """Why the bins of two columns cannot be added; nothing where they can."""
    if one.kind != other.kind:
        return f"is {one.kind} in one and {other.kind} in the other"
    if one.edges != other.edges:
        return "has other edges: build one with --like the other"
    if {*one.categories} != {*other.categories} or {*one.others} != {*other.others}:
        return "has other categories: build one with --like the other"
    return ""


def _sources(profiles: Sequence[Profile]) -> str:
    names = sorted({profile.source for profile in profiles})
    shown = " + ".join(names)
    return shown if len(shown) <= LONGEST_TEXT else f"{len(names)} sources"


def _column(parts: Sequence[Column]) -> Column:
    first = parts[0]
    if first.ordered:
        counts = tuple(map(sum, zip(*(part.counts for part in parts), strict=True)))
        return Column(first.name, first.kind, counts, first.edges, *_moments(parts))
    return _categorical(parts)


def _categorical(parts: Sequence[Column]) -> Column:
    first = parts[0]
    rows = dict.fromkeys(first.categories, 0)
    for part in parts:
        for category, count in zip(part.categories, part.counts, strict=False):
            rows[category] += count
    alike = all(part.categories == first.categories for part in parts)
    ranked = list(rows) if alike else sorted(rows, key=lambda name: (-rows[name], name))
    rest = (sum(part.counts[place] for part in parts) for place in (-3, -2, -1))
    others = first.others if all(part.others == first.others for part in parts) else tuple(sorted(first.others))
    return Column(
        first.name, first.kind, (*(rows[name] for name in ranked), *rest), categories=tuple(ranked), others=others
    )


def _moments(parts: Sequence[Column]) -> tuple[float, float, float, float]:
    """Mean, standard deviation, smallest, largest. Parts without a finite number have none."""
    weighed = [(part.finite, part) for part in parts if part.finite] or [(1, parts[0])]
    total = sum(rows for rows, _ in weighed)
    mean = sum((rows * Fraction(part.mean) for rows, part in weighed), Fraction(0)) / total
    squares = (rows * (Fraction(part.sd) ** 2 + (Fraction(part.mean) - mean) ** 2) for rows, part in weighed)
    low, high = min(part.minimum for _, part in weighed), max(part.maximum for _, part in weighed)
    return float(mean), _root(sum(squares, Fraction(0)) / total), low, high


def _root(square: Fraction) -> float:
    """Correct to the last bits at any magnitude."""
    shift = max(0, 128 - square.numerator.bit_length() + square.denominator.bit_length()) // 2 + 1
    return float(Fraction(math.isqrt(int(square * 4**shift)), 2**shift))
