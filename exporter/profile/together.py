"""Numeric features as one: from a sample of the rows to the axes and the scalars by which they are watched together.

The sample is that of the rows with the smallest hashes, whatever their order. One half of it says where the axes lie,
the other what the scalars are along them: axes that are fitted to chance would lie closer to the rows that they are
fitted to than to any that come later. Memory: the sample, at most 64 MiB.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.profile.embedded import counted_column
from exporter.profile.sample import Sample
from exporter.reference import Column, Profile, Together
from exporter.scalars.together import Measure, names, standardised
from exporter.scalars.vectors import rounded

NAME: Final = "_numeric"
LEAST_FEATURES: Final = 3
MOST_FEATURES: Final = 500
_MOST_ROWS: Final = 1 << 14
_LEAST_ROWS: Final = 500
_ROWS_PER_FEATURE: Final = 4
"""That a half must have for axes to mean anything."""
_MOST_OF_EACH: Final = 4
"""Axes along which rows vary much, and of those along which they vary little."""
_MUCH: Final = 1.5
_LITTLE: Final = 0.5
_LEAST: Final = 1e-3
"""Of a feature's variance: along less lies what rounding leaves, which differs from client to client."""
Array = NDArray[np.float64]


class Rows:
    """A sample of rows, standardised. It can be pickled, and merged with those of other parts of the table."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """`columns` are numeric features whose values differ."""
        fields = tuple(column.name for column in columns)
        centre, scales = (tuple(getattr(column, word) for column in columns) for word in ("mean", "sd"))
        self.together = Together(NAME, fields, centre, scales, ())
        """Without axes yet."""
        self.sample = Sample(len(columns), _MOST_ROWS)

    def add(self, values: Array) -> None:
        """Rows of shape (rows, features)."""
        centre, scales = np.array(self.together.centre), np.array(self.together.scales)
        self.sample.update(standardised(values, centre, scales))

    def merge(self, other: "Rows") -> None:
        """Add all that another one holds."""
        self.sample.merge(other.sample)

    def completed(self, profile: Profile) -> Profile:
        """The profile with the features as one; as it was where there are too few different rows.

        Of the columns of scalars are known as many rows as one half of the sample stands for; they come in bursts as
        the features do, those that do so most.
        """
        vectors, times = self.sample.vectors, self.sample.times
        if len(vectors) < _LEAST_ROWS:
            return profile
        one = self.together._replace(axes=_axes(vectors[::2], times[::2].astype(np.float64)))
        bursts = [column.dependence for column in profile.features if column.name in one.fields and column.dependence]
        counted = [replace(column, dependence=max(bursts, default=None)) for column in self._columns(one)]
        return replace(profile, features=(*profile.features, *counted), fields=profile.inputs, together=one)

    def _columns(self, one: Together) -> Iterator[Column]:
        vectors, times = self.sample.vectors[1::2], self.sample.times[1::2]
        alone = len(one.fields)
        scalars = Measure([0.0] * alone, [1.0] * alone, one.axes)(vectors)  # of what is standardised already
        for at, scalar in enumerate(names(len(one.axes))):
            yield counted_column(one.name, scalar, scalars[:, at], times)


def sampled(profile: Profile) -> Rows | None:
    """The numeric features that can be watched as one; None where they are too few or too many."""
    found = _varying(profile)
    return None if _is_taken(profile) or not LEAST_FEATURES <= len(found) <= MOST_FEATURES else Rows(found)


def _varying(profile: Profile) -> list[Column]:
    return [column for column in profile.features if column.kind == "numeric" and column.sd > 0]


def _is_taken(profile: Profile) -> bool:
    """Whether something else has the name."""
    return NAME in {*profile.inputs, *(one.name for one in profile.embeddings)}


def note(profile: Profile) -> str:
    """Why the features of a profile are not watched as one though somebody asked for it; empty where they are."""
    if profile.together is not None:
        return ""
    count = len(_varying(profile))
    why = f"it takes {_LEAST_ROWS} different rows, in a table that can be read twice"
    if _is_taken(profile):
        why = f"a column is called {NAME!r}"
    elif not LEAST_FEATURES <= count <= MOST_FEATURES:
        why = (
            f"it takes {LEAST_FEATURES} to {MOST_FEATURES} numeric features whose values differ, and there are {count}"
        )
    return f"--together: {why}: no features are watched as one"


def _axes(rows: Array, weights: Array) -> tuple[tuple[float, ...], ...]:
    """Axes of unit length: those along which rows vary most, then those along which they vary least.

    None along which they vary as features that have nothing to do with each other would (Marchenko and Pastur 1967).
    """
    count, features = rows.shape
    if count < _ROWS_PER_FEATURE * features:
        return ()
    centred = rows - (weights @ rows) / weights.sum()
    variances, vectors = np.linalg.eigh((centred * weights[:, None]).T @ centred / weights.sum())
    chance = np.sqrt(features / count)
    little = np.flatnonzero((variances < _LITTLE * (1 - chance) ** 2) & (variances >= _LEAST))[:_MOST_OF_EACH]
    much = np.flatnonzero(variances > _MUCH * (1 + chance) ** 2)[::-1][:_MOST_OF_EACH]
    found = vectors[:, [*much, *little]].T
    largest = np.take_along_axis(found, np.abs(found).argmax(axis=1)[:, None], axis=1)
    return tuple(map(tuple, rounded(found * np.sign(largest)).tolist()))
