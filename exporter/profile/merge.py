"""Finished profiles of equal edges, added up."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from exporter.calibration import rounded
from exporter.errors import DataError
from exporter.profile import importance, segmented, target_parts, whole
from exporter.profile.parsing import LONGEST_TEXT
from exporter.reference import Association, Column, Profile, TimeSpan
from exporter.target import Target

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
    profiles = _comparable([profile for _, profile in named])
    trained = [profile.trained_at for profile in profiles if profile.trained_at is not None]
    merged = replace(
        first,
        trained_at=max(trained, default=None),
        rows=sum(profile.rows for profile in profiles),
        source=_sources(profiles),
        features=tuple(_column(parts) for parts in zip(*(profile.features for profile in profiles), strict=True)),
        outputs=tuple(_column(parts) for parts in zip(*(profile.outputs for profile in profiles), strict=True)),
        time=_span([profile.time for profile in profiles]),
        influenced=_mean([(profile.rows, profile.influenced) for profile in profiles]),
        performance=first.performance if all(one.performance == first.performance for one in profiles) else {},
        unusual=None if rest else first.unusual,  # of rows that nobody has any more
        provisional=any(profile.provisional for profile in profiles),
        target=target_parts.merged([profile.target for profile in profiles], _column),
    )
    segments = (segmented.in_order_of(profile, merged) for profile in profiles)
    return whole.complete(replace(merged, segments=tuple(map(segmented.merged, zip(*segments, strict=True)))), {})


def _comparable(profiles: list[Profile]) -> list[Profile]:
    """The same, without mean answers that mean something else in each: shares of other categories."""
    outputs = zip(*(profile.outputs for profile in profiles), strict=True)
    other = {parts[0].name for parts in outputs if len({part.categories[:1] for part in parts}) > 1}
    return [replace(profile, features=tuple(_unassociated(column, other) for column in profile.features))
            for profile in profiles]  # fmt: skip


def _unassociated(column: Column, outputs: set[str]) -> Column:
    return replace(column, association=tuple(one for one in column.association if one.output not in outputs))


def _require_alike(names: str, one: Profile, other: Profile) -> None:
    for fault in _faults(one, other):
        raise DataError(f"{names}: {fault}")
    for word, mine, theirs in (("features", one.features, other.features), ("outputs", one.outputs, other.outputs)):
        if [column.name for column in mine] != [column.name for column in theirs]:
            raise DataError(f"{names}: {word}: {_first_difference(mine, theirs)}")
        for a, b in zip(mine, theirs, strict=True):
            fault = _fault(a, b)
            if fault:
                raise DataError(f"{names}: {word}: {a.name!r} {fault}")


def _faults(one: Profile, other: Profile) -> Iterator[str]:
    """Why two profiles cannot be added, but for their columns."""
    if (one.model, one.version) != (other.model, other.version):
        yield "of different models or versions"
    if one.adoptions or other.adoptions:
        yield "something was adopted in one of them: merge the training's profiles first, then adopt"
    if (one.fields, one.embeddings, one.together) != (other.fields, other.embeddings, other.together):
        yield "of other fields or embeddings: build one with --like the other"
    if len(one.segments) != len(other.segments) or not all(map(segmented.alike, one.segments, other.segments)):
        yield "of other segments: build one with --like the other"
    if one.target and other.target and not _of_one_truth(one.target, other.target):
        yield "of other truths, or of errors with other edges: build one with --like the other"
    if one.time and other.time and one.time[:2] != other.time[:2]:
        yield "their times are of different columns or zones"
    if importance.GIVEN in {one.importance, other.importance}:
        stated = [(profile.importance, [column.importance for column in profile.features]) for profile in (one, other)]
        if stated[0] != stated[1]:
            yield "the importance that was given for features differs"


def _of_one_truth(one: Target, other: Target) -> bool:
    alike = target_parts.alike(one, other) and one.column.name == other.column.name
    return alike and not _fault(one.column, other.column)


def _first_difference(mine: Sequence[Column], theirs: Sequence[Column]) -> str:
    alone = sorted({column.name for column in mine} ^ {column.name for column in theirs})
    return f"{alone[0]!r} is in one alone" if alone else "not in the same order"


def _fault(one: Column, other: Column) -> str:
    """Why the bins of two columns cannot be added; nothing where they can."""
    if one.kind != other.kind:
        return f"is {one.kind} in one and {other.kind} in the other"
    if (one.field, one.scalar, one.salt) != (other.field, other.scalar, other.salt):
        return "is computed of something else, or hashed under another salt, in one of them"
    if one.edges != other.edges:
        return "has other edges: build one with --like the other"
    if {*one.categories} != {*other.categories} or {*one.others} != {*other.others}:
        return "has other categories: build one with --like the other"
    if (one.origin, one.scalar, one.salt) != (other.origin, other.scalar, other.salt):
        return "is made of something else, or hashed with another salt"
    return ""


def _sources(profiles: Sequence[Profile]) -> str:
    names = sorted({profile.source for profile in profiles})
    shown = " + ".join(names)
    return shown if len(shown) <= LONGEST_TEXT else f"{len(names)} sources"


def _column(parts: Sequence[Column]) -> Column:
    first = parts[0]
    if not first.ordered:
        parts = _ranked_alike(parts)
        first = parts[0]
    moments = _moments(parts) if first.ordered else (0.0, 0.0, 0.0, 0.0)
    mean, sd, low, high = moments
    wanders = [part.wander for part in parts if part.wander is not None]
    return replace(
        first, counts=_sum([part.counts for part in parts]), mean=mean, sd=sd, minimum=low, maximum=high,
        dependence=_dependence(parts), wander=max(wanders, default=None),
        distinct=first.distinct if len(parts) == 1 else None,
        hours=_hours(parts), association=_associations(parts),
    )  # fmt: skip


def _dependence(parts: Sequence[Column]) -> float | None:
    mean = _mean([(part.rows, part.dependence) for part in parts])
    return None if mean is None else rounded(mean)


def _sum(parts: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*parts, strict=True)))


def _ranked_alike(parts: Sequence[Column]) -> list[Column]:
    """Columns of categories with these in the same order: that of their rows in all, where the columns disagree."""
    first = parts[0]
    rows = dict.fromkeys(first.categories, 0)
    for part in parts:
        for category, count in zip(part.categories, part.counts, strict=False):
            rows[category] += count
    alike = all(part.categories == first.categories for part in parts)
    ranked = list(rows) if alike else sorted(rows, key=lambda name: (-rows[name], name))
    others = first.others if all(part.others == first.others for part in parts) else tuple(sorted(first.others))
    return [_ranked(part, ranked, others) for part in parts]


def _ranked(column: Column, categories: Sequence[str], others: tuple[str, ...]) -> Column:
    """The column with its categories, and all that is counted by them, in another order."""
    places = [*map(column.categories.index, categories), *range(len(categories), len(categories) + 3)]

    def turned(counts: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(counts[place] for place in places)

    return replace(
        column, categories=tuple(categories), others=others, counts=turned(column.counts),
        hours=tuple(map(turned, column.hours)),
        association=tuple(one._replace(counts=turned(one.counts), means=turned(one.means))
                          for one in column.association),
    )  # fmt: skip


def _hours(parts: Sequence[Column]) -> tuple[tuple[int, ...], ...]:
    """Empty where one of them has none."""
    if not all(part.hours for part in parts):
        return ()
    return tuple(_sum(hours) for hours in zip(*(part.hours for part in parts), strict=True))


def _associations(parts: Sequence[Column]) -> tuple[Association, ...]:
    """With the outputs that all of them know."""
    by_output = [{one.output: one for one in part.association} for part in parts]
    shared = [name for name in by_output[0] if all(name in known for known in by_output)]
    return tuple(_association([known[name] for known in by_output]) for name in shared)


def _association(parts: Sequence[Association]) -> Association:
    counts = _sum([part.counts for part in parts])
    sums = [sum((count * Fraction(mean) for count, mean in zip(counted, means, strict=True)), Fraction(0))
            for counted, means in zip(zip(*(part.counts for part in parts), strict=True),
                                      zip(*(part.means for part in parts), strict=True), strict=True)]  # fmt: skip
    means = tuple(float(total / count) if count else 0.0 for total, count in zip(sums, counts, strict=True))
    return Association(parts[0].output, counts, means)


def _mean(weighed: Sequence[tuple[int, float | None]]) -> float | None:
    """The mean of what is known, weighted with rows, rounded once."""
    known = [(rows, Fraction(one)) for rows, one in weighed if one is not None]
    total = sum(rows for rows, _ in known)
    return float(sum((rows * one for rows, one in known), Fraction(0)) / total) if total else None


def _span(spans: Sequence[TimeSpan | None]) -> TimeSpan | None:
    """From the first of all to the last; None where one of them has none, as hours are then."""
    known = [span for span in spans if span is not None]
    if not known or len(known) < len(spans):
        return None
    return known[0]._replace(first=min(span.first for span in known), last=max(span.last for span in known))


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
