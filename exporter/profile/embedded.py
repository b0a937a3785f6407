"""Columns that are the dimensions of vectors: from a sample of the vectors to the scalars that they are watched by.

Centroid, principal axes and inner edges are those of the sample; the pass that follows counts every row in these bins,
and says where the outer edges are.
"""

import math
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.errors import ConfigError, DataError
from exporter.profile.lists import Widths, elements
from exporter.profile.numbers import Numbers
from exporter.profile.sample import Groups, Sample
from exporter.reference import Column, Embedding, Profile
from exporter.scalars import name, vector_scalars
from exporter.scalars.vectors import Measure, rounded

MOST_AXES: Final = 8
MOST_DIMENSIONS: Final = 4096
_LEAST_SHARE: Final = 1e-9
"""Of the variance of all: what is less is what rounding leaves."""
_ROUNDED: Final = 1e-12
"""Of the centroid's squared length: what rounding the centroid leaves of vectors that are all alike, and more."""
_LEAST_EXCESS: Final = 7.0
"""So that what fitting adds to an axis' variance stays under a tenth of what this varies by chance."""
Array = NDArray[np.float64]


def grouped(patterns: Mapping[str, str], names: Sequence[str], widths: Widths) -> Groups:
    """The columns that are of each embedding, by a pattern of their names in which * is anything. ConfigError.

    One without a pattern is the column of lists that is called so.
    """
    found: dict[str, tuple[str, ...]] = {}
    taken: dict[str, str] = {}
    for one, pattern in patterns.items():
        fields = _fields(one, pattern, names, widths)
        said = f"={pattern}" if pattern else ""
        if not 1 < len(fields) <= MOST_DIMENSIONS:
            raise ConfigError(f"--embedding {one}{said}: {len(fields)} columns fit, 2 to {MOST_DIMENSIONS} may")
        for field in fields:
            if taken.setdefault(field, one) != one:
                raise ConfigError(f"--embedding {one}{said}: column {field!r} is one of {taken[field]!r} already")
        if one in names:
            raise ConfigError(f"--embedding {one}{said}: a column is called {one!r}, give it another name")
        found[one] = fields
    return found


def _fields(one: str, pattern: str, names: Sequence[str], widths: Widths) -> tuple[str, ...]:
    if pattern:
        matches = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL).fullmatch
        return tuple(field for field in names if matches(field))
    if one not in widths:
        raise ConfigError(
            f"--embedding {one}: no column of this name has lists of numbers, most of them of one length; "
            f"of several columns say {one}=PATTERN"
        )
    known = {*names}
    return tuple(field for field in elements(one, widths[one]) if field in known)


class Made(NamedTuple):
    """What becomes of the columns of an embedding."""

    embedding: Embedding
    columns: tuple[Column, ...]
    """Its scalars, not counted yet."""


def made(groups: Groups, samples: Mapping[str, Sample]) -> dict[str, Made]:
    """The embeddings, by the first of their columns. DataError where a table holds no vector."""
    found = {}
    for called, fields in groups.items():
        one = _embedding(called, fields, samples[called])
        found[fields[0]] = Made(one, tuple(_columns(one, samples[called])))
    return found


def closed(profile: Profile) -> Profile:
    """The profile once all is counted: outer edges are where the smallest and the largest value are."""
    return replace(profile, features=tuple(map(_closed, profile.features)))


def _closed(column: Column) -> Column:
    if column.kind != "embedding" or not column.finite:
        return column
    above = math.nextafter(column.maximum, math.inf)
    return replace(column, edges=(min(column.minimum, column.edges[1]), *column.edges[1:-1], above))


# --- centroid and axes


def _embedding(called: str, fields: tuple[str, ...], sample: Sample) -> Embedding:
    if not sample.complete:
        raise DataError(
            f"embedding {called!r}: no row has a number in each of its {len(fields)} columns, or all are too large"
        )
    weights = sample.times.astype(np.float64)
    centroid = rounded((weights @ sample.vectors) / weights.sum())
    share = weights.sum() / max(sample.rows, 1)
    away, least = sample.vectors - centroid, _ROUNDED * float(centroid @ centroid)
    axes = _axes(away, weights / weights.sum(), share, least)
    return Embedding(called, fields, tuple(centroid.tolist()), tuple(map(tuple, rounded(axes).tolist())))


def _axes(away: Array, weights: Array, share: float, least: float) -> Array:
    """Principal axes of weighted vectors, the longest first; `share` of all rows are among the vectors.

    No axis has a variance of `least` or under.

    An axis that is fitted to chance lies closer to the rows that it is fitted to than to any that come later. It is
    left out where that would show: where its variance is not that much larger than the others'.
    """
    scaled = away * np.sqrt(weights)[:, None]
    rows, dimensions = scaled.shape
    turned = dimensions > rows
    variances, vectors = np.linalg.eigh(scaled @ scaled.T if turned else scaled.T @ scaled)
    variances, vectors = variances[::-1], vectors[:, ::-1]
    total, floor = float(variances.sum()), _LEAST_EXCESS * share * dimensions / math.sqrt(rows)
    kept = 0
    for variance in variances[: min(MOST_AXES, dimensions - 1)].tolist():
        rest = (total - float(variances[: kept + 1].sum())) / (dimensions - kept - 1)
        if variance <= max(least, _LEAST_SHARE * total) or variance <= floor * max(rest, 0.0):
            break
        kept += 1
    found = vectors[:, :kept].T @ scaled if turned else vectors[:, :kept].T
    lengths = np.sqrt(np.einsum("ij,ij->i", found, found))[:, None]
    largest = np.take_along_axis(found, np.abs(found).argmax(axis=1)[:, None], axis=1)
    return np.asarray(found / lengths * np.sign(largest))


def _columns(one: Embedding, sample: Sample) -> list[Column]:
    """Bins of the scalars, with what the sample has in them."""
    found = Measure(one.centroid, one.axes)(sample.vectors)
    return [
        counted_column(one.name, scalar, found[:, at], sample.times)
        for at, scalar in enumerate(vector_scalars(len(one.axes)))
    ]


def counted_column(called: str, scalar: str, values: Array, times: NDArray[np.int64]) -> Column:
    """The scalar of an embedding, or of what else is watched as a whole, in bins of its own.

    Open at both ends: nothing that comes lies outside.
    """
    numbers = Numbers()
    counted: Counter[float] = Counter()
    for value, rows in zip(values.tolist(), times.tolist(), strict=True):
        counted[value] += rows
    numbers.update_counted(counted)
    made = numbers.column(name(called, scalar), "embedding")
    edges = (-sys.float_info.max, *made.edges[1:-1], sys.float_info.max)
    return replace(made, edges=edges, origin=called, scalar=scalar)
