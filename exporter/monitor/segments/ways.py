"""The ways in which a model's traffic is divided: where a row's value is from, and what the training data have."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.monitor.segments.places import Edged, Found, Listed, Naming
from exporter.profile.segmented import quarters
from exporter.reference import Column, Profile
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.sections import Segments as Settings
from exporter.segmentations import REST, Segmentation, Segmented

Counts = NDArray[np.int64]


class Way(NamedTuple):
    """One segmentation of one model's traffic."""

    said: Segmentation
    naming: Naming
    place: int | None = None
    """Of the feature that has the value, where one has it."""
    at: int | None = None
    """Its place among the ordered ones, where its values are numbers."""
    salt: Salt | None = None
    """Under which values are hashed that do not come hashed."""
    own: Segmented | None = None
    """What the training data have of it."""
    adopted: frozenset[tuple[str, str]] = frozenset()
    """Sides and names of columns of which the training data are no longer the normal."""
    hashing: Salt | None = None
    """Under which what people say of it is hashed, whoever hashes what comes."""

    @property
    def segments(self) -> int:
        """How many there may be."""
        return self.naming.room + len(REST)

    @property
    def labels(self) -> list[str | None]:
        """What they are called; None of places that nobody has taken."""
        return [*self.naming.labels(), *REST]

    def of_batch(self, batch: Batch) -> NDArray[np.uint8]:
        """Places of rows whose value a feature has."""
        if self.at is not None and isinstance(self.naming, Edged):
            return self.naming.of_numbers(batch.numbers[:, self.at])
        return self.naming.places(batch.names[self.place or 0])

    def said_place(self, value: str) -> int:
        """Of a value that somebody says beside a truth, as a segment is called here or as a row would have it."""
        labels = self.labels
        if value in labels:
            return labels.index(value)
        return self.naming.looked_up(self.hashing.name(value) if self.hashing else value)

    def named(self, name: str | None) -> str | None:
        """A value as the profile has it."""
        return name if name is None or self.salt is None else self.salt.name(name)

    def reference(self, side: str, columns: Sequence[Column]) -> Counts:
        """Rows of the training data by segment, column and bin of a side; 0 where there are none to compare with."""
        bins = max(len(column.counts) for column in columns)
        found = np.zeros((self.segments, len(columns), bins), np.int64)
        for at, column in enumerate(columns):
            if self.own is not None and self._says(side, column, self.own):
                counts = np.array(getattr(self.own, side)[at])
                np.add.at(found[:, at, : counts.shape[1]], self._theirs(self.own), counts)
        if self.own is not None and not set(self.naming.labels()) <= set(self.own.values):
            found[self.naming.room] = 0  # what has a segment here is among the others there
        return found

    def gathered(self, counts: Sequence[int]) -> list[int]:
        """Of counts that the training data have by segment those of each here; 0 where there are none to compare."""
        found = [0] * self.segments
        if self.own is not None:
            for place, count in zip(self._theirs(self.own), counts, strict=True):
                found[place] += count
            if not set(self.naming.labels()) <= set(self.own.values):
                found[self.naming.room] = 0  # as above
        return found

    def _says(self, side: str, column: Column, own: Segmented) -> bool:
        """Whether the column can drift within a segment: what divides the traffic cannot."""
        divides = side == "features" and column.name in {own.name, self.said.field}
        return not divides and (side, column.name) not in self.adopted

    def _theirs(self, own: Segmented) -> list[int]:
        """Here by place there: what is listed there alone is among the others."""
        here = {name: place for place, name in enumerate(self.naming.labels())}
        room = self.naming.room
        return [*(here.get(name, room) for name in own.values), room, room + 1]


def fingerprint(ways: Sequence[Way]) -> str:
    """Changes with whatever changes which segments there are; values that come live are not in it."""
    said = [(*way.said, way.naming.room, [*way.labels] if not way.naming.arrays("") else ()) for way in ways]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def ways(
    settings: Settings, profile: Profile, features: Scope, salt: Salt | None, private: Private | None = None
) -> Iterator[Way | str]:
    """Those that can be had of a profile; of the others why they cannot, for people."""
    adopted = frozenset((side, column.name) for side, column in profile.replaced)
    for said in settings.by:
        own = next((one for name in (said.name, said.field) for one in profile.segments if one.name == name), None)
        place = next((at for at, one in enumerate(features.columns) if one.name == said.field), None)
        hashed = private is not None and place is None and not said.edges and private.hashes_values(said)
        way = _Finding(said, own, place, settings.limit, hashed).way(features, salt)
        yield way if isinstance(way, str) else way._replace(adopted=adopted)


class _Finding(NamedTuple):
    """What is known of one of them."""

    said: Segmentation
    own: Segmented | None
    place: int | None
    limit: int
    hashed: bool
    """Whether its values are hashed where no profile has them."""

    def way(self, features: Scope, salt: Salt | None) -> Way | str:
        column = None if self.place is None else features.columns[self.place]
        hashed = (column and column.salt) or (self.own and self.own.salt) or ""
        if self.hashed and salt and self.own is None:
            hashed = salt.fingerprint
        if hashed and hashed != (salt.fingerprint if salt else ""):
            return "its values are hashed under a salt that salt_file does not hold"
        naming = self._naming(column, salt if hashed else None)
        if isinstance(naming, str):
            return naming
        at = None
        if column and column.ordered:
            if not isinstance(naming, Edged):
                return "is a feature of numbers: give edges instead of values"
            at = sum(one.ordered for one in features.columns[: self.place])
        elif column and isinstance(naming, Edged):
            return f"has edges, and its values are {column.kind}"
        raw = salt if hashed and column is None else None
        own = self._comparable(naming)
        return Way(self.said, naming, self.place, at, raw, own, hashing=salt if hashed else None)

    def _naming(self, column: Column | None, salt: Salt | None) -> Naming | str:
        said, own = self.said, self.own
        if said.values:
            return Listed([salt.name(value) for value in said.values] if salt else said.values)
        edges = said.edges or (own.edges if own else ()) or (quarters(column) if column and column.ordered else ())
        if edges:
            return Edged(edges)
        if column and column.ordered:
            return "is a feature of which all values lie in one bin: give edges"
        listed = own.values if own else column.categories if column else None
        if listed is None:
            return Found(self.limit)
        values = [name for name in listed if name not in REST][: self.limit]
        return Listed(values) if values else "no category of it is known"

    def _comparable(self, naming: Naming) -> Segmented | None:
        """What the training data have, where it is divided in the same way."""
        if self.own is None or bool(self.own.edges) != isinstance(naming, Edged):
            return None
        if isinstance(naming, Edged) and self.own.values != tuple(naming.labels()):
            return None
        return self.own
