"""Traffic divided into segments, such as countries or tenants: a part may go bad while the whole looks fine.

Every segment is held against the same segment of the training data, which `profile build --segment` has counted: it
differs from the whole by its nature. Of a way to divide that the profile does not know, rows are counted and nothing is
scored. A row of the answer is of the segment that its row of the request is of.

Memory: for each segment, column and window twelve panes of counts, four bytes a bin. What takes more than there is room
for is left out, and said.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.findings import SegmentRows, SegmentSnapshot
from exporter.monitor.batch import UNKNOWN_SEGMENT, Batch, Run, Scope, by_request
from exporter.monitor.said import Said
from exporter.monitor.segments.sources import Noted, source
from exporter.monitor.segments.tables import MOST_PANES, Tables, shape, slices
from exporter.monitor.segments.ways import Way, fingerprint, ways
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.sketch.coarse import panes_of

_LOG = logging.getLogger("exporter.monitor")
_FEATURES: Final = "features"
_OUTPUTS: Final = "outputs"
Batches = tuple[Batch | None, Batch | None]


class Segments:
    """Of one model."""

    def __init__(
        self, found: Sequence[Way], profile: Profile, scopes: Mapping[str, Scope], lengths: tuple[float, ...]
    ) -> None:
        """`scopes` of the sides that there are, `lengths` of the windows."""
        self._ways = found
        self._at = slices(found)
        self._sources = [source(way, profile.inputs) for way in found]
        self._tables = {side: Tables(side, found, scope, lengths) for side, scope in scopes.items()}
        self._rows = np.zeros(sum(way.segments for way in found), np.int64)
        """Of requests, since start."""
        self._name = fingerprint(found)

    @property
    def ways(self) -> Sequence[Way]:
        """In which the traffic is divided; segments are numbered on in this order."""
        return self._ways

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry how traffic is divided."""
        prefix = f"{prefix}.{self._name}"
        kept = {f"{prefix}.rows": self._rows} | self._names(prefix)
        for side, tables in self._tables.items():
            kept |= tables.arrays(f"{prefix}.{side}")
        return kept

    def _names(self, prefix: str) -> dict[str, NDArray[Any]]:
        named = (way.naming.arrays(f"{prefix}.{at}") for at, way in enumerate(self._ways))
        return {name: array for arrays in named for name, array in arrays.items()}

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`, and what its segments are called."""
        prefix = f"{prefix}.{self._name}"
        held = {name: array.copy() for name, array in self._names(prefix).items()}
        for side, tables in self._tables.items():
            held |= tables.held(f"{prefix}.{side}", now)
        return held

    def put_back(self, held: Mapping[str, NDArray[Any]], prefix: str, shift_s: float, now: float) -> None:
        """Go on with windows that were held when the clock showed `shift_s` less, where traffic is divided alike."""
        prefix = f"{prefix}.{self._name}"
        if not any(name.startswith(f"{prefix}.") for name in held):
            return
        moved = [way.naming.moved(held, f"{prefix}.{at}") for at, way in enumerate(self._ways)]
        found = [own + at.start for own, at in zip(moved, self._at, strict=True) if own is not None]
        if len(found) == len(moved):
            for side, tables in self._tables.items():
                tables.put_back(held, f"{prefix}.{side}", np.concatenate(found), (shift_s, now))

    # in

    def note(self, noted: Noted) -> None:
        """Take what comes with rows that wait to be counted."""
        for one in self._sources:
            one.note(noted)

    def add(self, asked: Batch | None, answered: Batch | None, runs: Sequence[Run]) -> Batches:
        """Count rows, of which those in `runs` go together; the same batches with the segment of every row."""
        total = answered.rows if answered else 0
        ours, theirs, alone = by_request(runs, total)
        of_asked = np.zeros((asked.rows if asked else 0, len(self._ways)), np.uint8)
        of_answered = np.full((total, len(self._ways)), UNKNOWN_SEGMENT, np.uint8)
        for way, (one, at) in enumerate(zip(self._sources, self._at, strict=True)):
            places, answers = one.places(asked, alone.size)
            of_asked[:, way] = places + at.start
            if answered:
                of_answered[alone, way] = np.where(answers == UNKNOWN_SEGMENT, answers, answers + at.start)
        of_answered[theirs] = of_asked[ours]
        self._rows += np.bincount(of_asked.ravel(), minlength=self._rows.size)
        return self._counted(_FEATURES, asked, of_asked), self._counted(_OUTPUTS, answered, of_answered)

    def _counted(self, side: str, batch: Batch | None, segments: NDArray[np.uint8]) -> Batch | None:
        if batch is None:
            return None
        known = batch._replace(segments=segments)
        self._tables[side].add(known)
        return known

    # out

    def snapshot(self, now: float) -> SegmentSnapshot:
        """Rows since start, and the scores of every window that ends at `now`."""
        return SegmentSnapshot(
            tuple(row for way, at in zip(self._ways, self._at, strict=True) for row in _rows(way, self._rows[at])),
            *(
                tuple(self._tables[side].snapshot(now)) if side in self._tables else ()
                for side in (_FEATURES, _OUTPUTS)
            ),
        )


def _rows(way: Way, counted: NDArray[np.int64]) -> list[SegmentRows]:
    own = way.own
    known = dict(zip((*own.values, *way.labels[-2:]), own.rows, strict=True)) if own else {}
    return [
        SegmentRows(way.said.name, label, rows, known.get(label))
        for label, rows in zip(way.labels, counted.tolist(), strict=True) if label is not None
    ]  # fmt: skip


# --- what fits


def made(profile: Profile, said: Said, scopes: Mapping[str, Scope]) -> Segments | None:
    """Those of a model, as far as they can be had and there is room; None where nobody asks for any."""
    if not said.segments.by or _FEATURES not in scopes:
        return None
    found, lines = divided(profile, said, scopes)
    for line in lines:
        _LOG.warning("segments of the model %r: %s", profile.model, line)
    return Segments(found, profile, scopes, lengths(said, scopes[_FEATURES].windows)) if found else None


def told(profile: Profile, said: Said, scopes: Mapping[str, Scope]) -> list[str]:
    """What people should know of the ways that are asked for, a line each."""
    if not said.segments.by or _FEATURES in scopes:
        return divided(profile, said, scopes)[1]
    return ["the profile has no features: traffic is not divided"]


def divided(profile: Profile, said: Said, scopes: Mapping[str, Scope]) -> tuple[list[Way], list[str]]:
    """The ways in which a model's traffic is divided, and what people should know of them."""
    found, lines, size = list[Way](), list[str](), 0
    for one, way in zip(
        said.segments.by, ways(said.segments, profile, scopes[_FEATURES], said.salt, said.private), strict=True
    ):
        if isinstance(way, str):
            lines.append(f"{one.name}: {way}: it is left out")
            continue
        size += _size(way, said, scopes)
        if size > said.segment_bytes:
            lines.append(
                f"{one.name}: the counts would take {size >> 20} MiB of {said.segment_bytes >> 20} that analyser."
                "memory_limit leaves for segments: it is left out"
            )
            size -= _size(way, said, scopes)
            continue
        found.append(way)
        if way.own is None:
            lines.append(
                f"{one.name}: the profile does not divide the training data so: rows are counted and nothing is scored;"
                f" build it with --segment {one.name}"
            )
    return found, lines


def lengths(said: Said, windows: Windows) -> tuple[float, ...]:
    """Of the windows that there are those nearest to what is asked for."""
    asked = said.segments.windows
    return tuple(sorted({min(windows.lengths, key=lambda one: (abs(one - length), one)) for length in asked}))


def _size(way: Way, said: Said, scopes: Mapping[str, Scope]) -> int:
    """Bytes of its panes."""
    total = 0
    for scope in scopes.values():
        segments, columns, bins = shape([way], scope)
        windows = scope.windows
        panes = sum(panes_of(length, windows.pane, MOST_PANES)[0] for length in lengths(said, windows))
        total += panes * segments * columns * bins
    return total * np.dtype(np.int32).itemsize
