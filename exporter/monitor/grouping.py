"""Requests that belong together, such as those of one session, count once: the first row of each group and no other.

What is held against the reference are then rows that are independent of each other, and no dependence need be assumed.
A row without the key is a group of its own. Of an answer whose row of the request nobody knows, the header says the
group, and a field does not: it does not count then. Which row of a group is its first, the order says in which they
came; how many rows count does not depend on it.

Groups are known by 64 bits of a hash, under a salt that is made at the start and kept nowhere; what is remembered of
them is in memory alone and ends with us: then each counts once more. Memory: 8 bytes for each of 65,536 groups, twice.
A group is forgotten half an hour to an hour after it counted, so that one which never rests counts once in a while;
where there is no room, rows of other groups do not count, and it is counted how many these were.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.findings import Grouped
from exporter.guarantees import Evidence
from exporter.monitor.batch import Batch, Run, Scope, by_request
from exporter.monitor.segments.sources import Field, Noted, in_header
from exporter.reference import Profile
from exporter.segmentations import Segmentation
from exporter.sketch.binning import category_name, counted

GENERATION_S: Final = 1800.0
MOST_GROUPS: Final = 1 << 16
_HASH_BYTES: Final = 8
_OWN, _UNKNOWN, _HASHES = range(3)
"""What stands in place of a hash where each row is a group of its own, where nobody knows; and the least hash."""

Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]


class _Event(NamedTuple):
    """Rows of one group that came together."""

    key: int
    generation: int
    asked: int
    """Rows of the request."""
    alone: int
    """Answers of which nobody knows the request's row."""


class Grouping:
    """Of one model: its rows that are the first of their group."""

    def __init__(self, said: Segmentation, fields: Sequence[str], scopes: Mapping[str, Scope]) -> None:
        """`said` is the key, `fields` those of the profile in order, `scopes` the sides that there are, by name."""
        self._header = said.header
        self._field = Field(said.field, fields)
        self._salt = secrets.token_bytes(hashlib.blake2b.MAX_KEY_SIZE)
        self._scopes = scopes
        self._groups = Groups()
        self._events: list[_Event] = []
        self._totals = {side: np.zeros(_shape(scope), np.int64) for side, scope in scopes.items()}
        self._rows = np.zeros(3, np.int64)
        """Since start, as in Grouped."""
        self._name = called(said)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry by what rows are grouped."""
        prefix = f"{prefix}.{self._name}"
        return {f"{prefix}.rows": self._rows, **{f"{prefix}.{side}": one for side, one in self._totals.items()}}

    def totals(self, side: str) -> NDArray[np.int64]:
        """Values by bin since start of the rows that count, shape (columns, bins)."""
        return self._totals[side]

    def snapshot(self) -> Grouped:
        """What became of rows since start."""
        return Grouped(*self._rows.tolist())

    # in

    def note(self, noted: Noted, at: float) -> None:
        """Take what comes at a moment with rows that wait to be counted."""
        generation = int(at // GENERATION_S)
        if self._header:
            self._events.append(_Event(self._key(in_header(noted, self._header)), generation, noted.asked, noted.alone))
            return
        cells = self._field.cells(noted)
        self._events += [_Event(self._key(category_name(cell)), generation, 1, 0) for cell in cells]
        if noted.alone:
            self._events.append(_Event(_UNKNOWN, generation, 0, noted.alone))

    def _key(self, name: str | None) -> int:
        if name is None:
            return _OWN
        text = name.encode("utf-8", "surrogatepass")
        hashed = hashlib.blake2b(text, digest_size=_HASH_BYTES, key=self._salt)
        return max(_HASHES, int.from_bytes(hashed.digest()))

    def add(self, asked: Batch | None, answered: Batch | None, runs: Sequence[Run]) -> None:
        """Count those rows of batches that are the first of their group; rows in `runs` go together."""
        of_asked, of_alone = self._firsts()
        if asked:
            self._count("features", asked, of_asked)
        if answered:
            ours, theirs, alone = by_request(runs, answered.rows)
            of_answered = np.zeros(answered.rows, bool)
            of_answered[theirs] = of_asked[ours]
            of_answered[alone] = of_alone
            self._count("outputs", answered, of_answered)

    def _count(self, side: str, batch: Batch, firsts: Mask) -> None:
        totals = self._totals[side]
        found = counted(batch.bins[firsts], totals.shape[1])
        found[~self._scopes[side].readable] = 0
        totals += found

    def _firsts(self) -> tuple[Mask, Mask]:
        """Whether each row counts that was noted since: those of requests, and answers alone."""
        events, self._events = self._events, []
        if not events:
            return np.zeros(0, bool), np.zeros(0, bool)
        keys = np.array([one.key for one in events], np.uint64)
        generations, asked, alone = np.array([one[1:] for one in events], np.int64).T
        named = keys >= _HASHES
        first, beyond = np.zeros(keys.size, bool), np.zeros(keys.size, bool)
        first[named], beyond[named] = self._groups.meet(keys[named], generations[named])
        of_asked, of_alone = (_spread(keys == _OWN, first, rows) for rows in (asked, alone))
        total, counts = asked + alone, int(of_asked.sum() + of_alone.sum())
        unknown = int(total[beyond | (keys == _UNKNOWN)].sum())
        self._rows += (counts, int(total.sum()) - counts - unknown, unknown)
        return of_asked, of_alone


def called(said: Segmentation) -> str:
    """What is counted by a key has this in its name."""
    return hashlib.sha256(said.place.encode()).hexdigest()[:16]


def grouping(profile: Profile | None, settings: Evidence, scopes: Mapping[str, Scope]) -> Grouping | None:
    """None where each row stands for itself, or nobody gathers evidence."""
    if profile is None or settings.group_key is None or not settings.enable:
        return None
    return Grouping(settings.group_key, profile.inputs, scopes)


def _spread(own: Mask, first: Mask, rows: NDArray[np.int64]) -> Mask:
    """From events to their rows: all rows of some, the first row of others."""
    found = np.repeat(own, rows)
    found[(np.cumsum(rows) - rows)[first & (rows > 0)]] = True
    return found


def _shape(scope: Scope) -> tuple[int, int]:
    return len(scope.columns), max(len(column.counts) for column in scope.columns)


# --- which groups are known


class Groups:
    """Hashes of the groups that were seen of late, sorted; at most MOST_GROUPS."""

    def __init__(self) -> None:
        self._known: Hashes = np.zeros(0, np.uint64)
        """Those that began in this generation or the one before."""
        self._fresh: Hashes = self._known
        """Those in this one."""
        self._generation = 0

    @property
    def nbytes(self) -> int:
        """What they take."""
        return self._known.nbytes + self._fresh.nbytes

    def meet(self, hashes: Hashes, generations: NDArray[np.int64]) -> tuple[Mask, Mask]:
        """Which of some groups, in their order, were not known; and which of them there is no room to remember.

        A generation below one that was met is taken for that one: what comes late is as good as what comes now.
        """
        first, beyond = np.zeros(hashes.size, bool), np.zeros(hashes.size, bool)
        ages = np.maximum.accumulate(np.maximum(generations, self._generation))
        begins = np.flatnonzero(np.diff(ages, prepend=-1))
        for part in map(slice, begins.tolist(), [*begins.tolist()[1:], hashes.size]):
            self._age(int(ages[part.start]))
            first[part], beyond[part] = self._meet(hashes[part])
        return first, beyond

    def _age(self, generation: int) -> None:
        """Forget who did not begin in the generation before: one that never rests counts once in a while."""
        if generation > self._generation:
            none = self._known[:0]
            self._known = self._fresh if generation == self._generation + 1 else none
            self._fresh, self._generation = none, generation

    def _meet(self, hashes: Hashes) -> tuple[Mask, Mask]:
        groups, places, which = np.unique(hashes, return_index=True, return_inverse=True)
        is_new = ~_among(self._known, groups)
        begun = np.sort(places[is_new])[: MOST_GROUPS - self._known.size]
        first = np.zeros(hashes.size, bool)
        first[begun] = True
        without_room = is_new & ~first[places]
        if begun.size:
            self._known = np.union1d(self._known, hashes[begun])
            self._fresh = np.union1d(self._fresh, hashes[begun])
        return first, without_room[which]


def _among(known: Hashes, hashes: Hashes) -> Mask:
    """Which hashes are among sorted ones."""
    if not known.size:
        return np.zeros(hashes.size, bool)
    found: Mask = known[np.searchsorted(known, hashes).clip(max=known.size - 1)] == hashes
    return found
