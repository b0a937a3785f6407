"""What predictions are a part of, written behind each while it waits for its truth, and read again with it.

Behind the numbers of a prediction stand, where traffic is divided or searched: two bytes of a hash of what the rest
means; for each way to divide traffic three bytes of a hash of what the segment is called; for each column that is
searched its code, two in a byte. Numbers of segments are not written: they are given out as values come, and differ
between replicas. A prediction that has nothing behind it, or what was written when the settings or the profile were
others, counts as always; of its parts nothing is known.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import UNKNOWN_SEGMENT, Batch, Run, by_request
from exporter.monitor.cell_codes import CellCodes
from exporter.monitor.segments.places import Edged
from exporter.monitor.segments.ways import Way
from exporter.performance.extra import unpack
from exporter.performance.parts import UNKNOWN, Parts, unknown
from exporter.segmentations import OTHER
from exporter.truths import Joined

_MARK: Final = 2
"""Bytes of the hash of what is written."""
_HASH: Final = 3
"""And of that of a segment. Of fifty names two have the same in one case of 14,000: nobody knows which it is then."""
_WORD: Final = np.dtype("<u4")
_NOBODY: Final = 0
"""The hash of a segment that nobody knows; no segment's own."""
_NIBBLE: Final = 4
_NO_CODE: Final = 15
Tails = NDArray[np.uint8]


class Belonging:
    """Of one model's traffic."""

    def __init__(self, ways: Sequence[Way], codes: CellCodes) -> None:
        """`ways` as segments are numbered."""
        self._ways, self.codes = ways, codes
        self._starts = np.cumsum([0, *(way.segments for way in ways)]).tolist()
        self._columns = len(codes.names)
        self._at = _MARK, _MARK + _HASH * len(ways)
        """Where segments begin, and where cells do."""
        self.size = self._at[1] + (self._columns + 1) // 2 if ways or self._columns else 0
        """Bytes behind each prediction."""
        meaning = [way.said.name for way in ways], codes.meaning
        self._mark = np.frombuffer(hashlib.sha256(repr(meaning).encode()).digest()[:_MARK], np.uint8)

    def place(self, name: str | None) -> int | None:
        """Of a way to divide traffic by its name; None where it is not divided so."""
        return next((at for at, way in enumerate(self._ways) if way.said.name == name), None)

    def number(self, way: int, value: str) -> int | None:
        """Of a segment by the place of its way and what people call it; None where nobody is called so yet."""
        labels, salt = self._ways[way].labels, self._ways[way].hashing
        found = next((name for name in (value, salt.name(value) if salt else value) if name in labels), None)
        return None if found is None else self._starts[way] + labels.index(found)

    @property
    def ways(self) -> Sequence[Way]:
        """In which traffic is divided."""
        return self._ways

    # as they come

    def of(self, asked: Batch | None, answered: Batch, runs: Sequence[Run]) -> Parts:
        """Of the rows of answers; cells where they go together with a row of the request."""
        found = unknown(answered.rows, len(self._ways), self._columns)
        if self._ways and answered.segments.size:
            found = found._replace(segments=answered.segments)
        if self._columns and asked and runs:
            ours, theirs, _ = by_request(runs, answered.rows)
            found.cells[theirs] = self.codes.of_batch(asked)[ours]
        return found

    def written(self, parts: Parts) -> Tails:
        """What stands behind each prediction, shape (rows, size)."""
        found = np.zeros((len(parts.segments), self.size), np.uint8)
        if not self.size:
            return found
        segments, cells = self._at
        found[:, :segments] = self._mark
        hashes = np.full(UNKNOWN_SEGMENT + 1, _NOBODY, _WORD)
        hashes[: self._starts[-1]] = [hash_ for way in self._ways for hash_ in _hashes(way)]
        written = hashes.view(np.uint8).reshape(-1, _WORD.itemsize)[:, :_HASH]
        found[:, segments:cells] = written[parts.segments].reshape(len(found), -1)
        pairs = np.full((len(found), 2 * (self.size - cells)), _NO_CODE, np.uint8)
        pairs[:, : self._columns] = np.minimum(parts.cells, _NO_CODE)
        found[:, cells:] = pairs[:, ::2] << _NIBBLE | pairs[:, 1::2]
        return found

    # as their truth comes

    def read(self, joined: Sequence[Joined], behind: int) -> Parts:
        """Of predictions whose numbers take so many bytes; what their truths say of segments goes first."""
        found = unknown(len(joined), len(self._ways), self._columns)
        tails = [one.said[behind:] for one in joined]
        ours = np.array([len(tail) == self.size and tail[:_MARK] == self._mark.tobytes() for tail in tails], np.bool_)
        if self.size and ours.any():
            known = b"".join(tail for tail, own in zip(tails, ours.tolist(), strict=True) if own)
            self._read(np.frombuffer(known, np.uint8).reshape(-1, self.size), found, np.flatnonzero(ours))
        for row, one in enumerate(joined):
            if one.extra and self._ways:
                self._told(one.extra, found.segments[row])
        return found

    def _read(self, tails: Tails, found: Parts, rows: NDArray[np.int64]) -> None:
        segments, cells = self._at
        hashes = np.zeros((len(tails), len(self._ways), _WORD.itemsize), np.uint8)
        hashes[:, :, :_HASH] = tails[:, segments:cells].reshape(len(tails), -1, _HASH)
        words = hashes.view(_WORD)[:, :, 0]
        for at, (way, start) in enumerate(zip(self._ways, self._starts, strict=False)):
            found.segments[rows, at] = _numbers(words[:, at], way, start)
        pairs = np.stack([tails[:, cells:] >> _NIBBLE, tails[:, cells:] & _NO_CODE], axis=-1)
        codes = pairs.reshape(len(tails), -1)[:, : self._columns]
        found.cells[rows] = np.where(codes == _NO_CODE, UNKNOWN, codes)

    def _told(self, extra: bytes, segments: NDArray[np.uint8]) -> None:
        """Put in what a truth says of its segments, shape (ways,)."""
        said = dict(unpack(extra).segments)
        for at, (way, start) in enumerate(zip(self._ways, self._starts, strict=False)):
            if way.said.name in said:
                segments[at] = start + way.said_place(said[way.said.name])


def _hashes(way: Way) -> list[int]:
    """Of its segments, by place."""
    return [_NOBODY if label is None else _hash(label) for label in way.labels]


def _numbers(hashes: NDArray[np.uint32], way: Way, start: int) -> NDArray[np.uint8]:
    """The segments that hashes are of: what is called otherwise here is one of the others, where it is no interval."""
    ours = _hashes(way)
    own = {hash_: start + place if ours.count(hash_) == 1 else UNKNOWN for place, hash_ in enumerate(ours)}
    own[_NOBODY] = UNKNOWN
    strange = UNKNOWN if isinstance(way.naming, Edged) else own[_hash(OTHER)]
    different, at = np.unique(hashes, return_inverse=True)
    numbers = [own.get(hash_, strange) for hash_ in different.tolist()]
    return np.array(numbers, np.uint8)[at.ravel()]


@lru_cache(maxsize=1 << 12)
def _hash(label: str) -> int:
    digest = hashlib.blake2b(label.encode("utf-8", "surrogatepass"), digest_size=_HASH).digest()
    return int.from_bytes(digest, "little") or 1
