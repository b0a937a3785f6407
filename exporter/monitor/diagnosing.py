"""Which columns of a side drift, what happened to each, and since when: said once, and held for as long as it drifts.

A column drifts where, in its shortest window that holds enough, its total variation is beyond chance and beyond what is
tolerated; or where somebody who knows better says so. One that moved nearly as far is looked at, too: some faults are
plain to see in its values. A text changes with what it says: another fault, or a number in it by more than a fifth; and
with four times as many rows, which may also withdraw it.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.diagnosis import LEAST_ROWS, Diagnosis, diagnose
from exporter.diagnosis.changes import Changes
from exporter.diagnosis.seen import Part
from exporter.evidence.verdict import Verdict
from exporter.findings import SegmentScores
from exporter.monitor.batch import Batch, Scope
from exporter.monitor.lens import Lens, Look
from exporter.snapshots import DIAGNOSIS, Listed, Scores

_TOLERANCE: Final = 0.1
_ANOTHER: Final = 0.2
"""By so large a part a number must have changed for another text."""
_BETTER: Final = 4
"""A diagnosis of so many times the rows is a better one."""
_MORE: Final = 1.3
"""Of so many times the rows there is a new one, of which there may be a new thing to say."""

_WORTH_A_LOOK: Final = 0.6
"""Of what chance exceeds once in 1000 windows, and of the tolerance: beyond this part of both a column is looked at."""
NOTHING_KNOWN: Final[Mapping[int, float]] = {}


class _Held(NamedTuple):
    diagnosis: Diagnosis
    text: str
    rows: int
    """It was made of."""


class Diagnosing:
    """Of one side. Memory: that of the lens, and a text for each column that drifts."""

    def __init__(self, scope: Scope, clients: frozenset[str] = frozenset()) -> None:
        """`clients` names the ways to divide traffic that are headers of the request."""
        self._columns, self._clients = scope.columns, clients
        self._ignored = np.array([bool(rule.ignore) for rule in scope.said])
        self._tolerance = np.array([_TOLERANCE if rule.tolerance is None else rule.tolerance for rule in scope.said])
        self._lens = Lens(scope)
        self._sure: AbstractSet[int] = frozenset()
        """Columns that drifted when it was asked last."""
        self._onsets: dict[int, float] = {}
        """Since when each column drifts, Unix time."""
        self._held: dict[int, _Held] = {}
        self._looked: dict[int, int] = {}
        """How many rows each column's last diagnosis was made of."""
        self._rest_s = min(scope.windows.lengths, default=0.0)
        self._due: dict[int, float] = {}
        """When columns of which enough was seen are to be looked at again, Unix time."""

    def add(self, batch: Batch) -> None:
        """Take rows, of which those of columns that drift are looked at."""
        if self._lens.looks:
            self._lens.add(batch)

    def told(
        self, wall_s: float, scores: Sequence[Scores], parts: Sequence[SegmentScores], changes: Changes,
        known: Mapping[int, float] = NOTHING_KNOWN,
    ) -> Iterator[Listed]:  # fmt: skip
        """What there is to say now, which is `wall_s` in Unix time; to be asked again and again.

        `known` are columns that drift whatever the scores say, with the Unix time of the beginning.
        """
        drifting, sure = self._drifting(scores, known)
        self._anew(sure - self._sure)
        self._sure = sure
        begun = {place: onset for place, onset in self._onsets.items() if place in sure or place in self._held}
        self._onsets = {place: known.get(place, begun.get(place, wall_s)) for place in drifting}
        self._held = {place: held for place, held in self._held.items() if place in drifting}
        self._due = {place: due for place, due in self._due.items() if place in drifting and due > wall_s}
        if drifting:
            self._diagnose(sure, parts, changes)
        self._due |= {place: wall_s + self._rest_s for place, look in self._lens.looks.items() if look.is_whole}
        self._lens.look_at(self._wanted(drifting))
        for place, held in sorted(self._held.items()):
            yield Listed(DIAGNOSIS, place, (held.diagnosis.code, held.text), 1)

    def _anew(self, places: AbstractSet[int]) -> None:
        """Forget the rows of columns that drift from now on: there may be some from before it."""
        self._lens.forget(places)
        for place in places:
            self._looked.pop(place, None)
            self._due.pop(place, None)

    def _drifting(self, scores: Sequence[Scores], known: Mapping[int, float]) -> tuple[list[int], set[int]]:
        """Columns by place that may drift, the surest and farthest moved first; and those that do."""
        if not scores:
            return [], set()
        moved, sure = _moved(scores, self._tolerance)
        sure[list(known)] = True
        moved += sure
        moved[self._ignored] = 0.0
        places = np.flatnonzero(moved)
        ranked = places[np.argsort(-moved[places], kind="stable")]
        return ranked.tolist(), set(np.flatnonzero(sure).tolist())

    def _wanted(self, drifting: Sequence[int]) -> list[int]:
        """What to look at next: what is being looked at, then what has no name yet, then what moved farthest."""
        open_ = [place for place in drifting if place not in self._due]
        going = [place for place in open_ if place in self._lens.looks]
        return list(dict.fromkeys([*going, *(place for place in open_ if place not in self._held), *open_]))

    def _diagnose(self, sure: AbstractSet[int], parts: Sequence[SegmentScores], changes: Changes) -> None:
        looks = self._lens.looks
        if not any(_is_due(look, self._looked.get(place, 0)) for place, look in looks.items()):
            return
        seen = {place: look.seen()._replace(parts=self._parts(place, parts)) for place, look in looks.items()}
        found = diagnose(self._columns, seen)
        self._looked = {place: 0 if look.is_whole else look.rows for place, look in looks.items()}
        for place in seen:
            self._hold(place, found.get(place), is_sure=place in sure, changes=changes)

    def _hold(self, place: int, one: Diagnosis | None, *, is_sure: bool, changes: Changes) -> None:
        """Say what was found, where it is better than what is said already: that may be nothing."""
        held, rows = self._held.get(place), self._lens.looks[place].rows
        is_better = held is not None and rows >= _BETTER * held.rows
        if one is None:
            if is_better:
                del self._held[place]
            return
        if held is None:
            is_told = is_sure or one.is_evident
        else:
            is_told = is_better or (rows * _BETTER >= held.rows and _is_another(one, held.diagnosis))
        if is_told:
            self._held[place] = _Held(one, one.text + _since(self._onsets[place], changes), rows)

    def _parts(self, place: int, scores: Sequence[SegmentScores]) -> tuple[Part, ...]:
        """By segment, of the first window in which enough is known."""
        found: dict[str, tuple[Part, ...]] = {}
        for one in scores:
            if one.segment not in found and (some := tuple(self._of_segments(place, one))):
                found[one.segment] = some
        return tuple(part for some in found.values() for part in some)

    def _of_segments(self, place: int, one: SegmentScores) -> Iterator[Part]:
        for at, value in enumerate(one.values):
            score, critical = float(one.total_variation[at, place]), float(one.critical[at, place])
            if value is not None and one.sufficient[at] and not np.isnan(score):
                yield Part(one.segment, value, one.segment in self._clients, int(one.samples[at]), score, critical)


def evident(found: Verdict, own: slice) -> dict[int, float]:
    """Columns of a side, by place, that drift by the evidence, with the Unix time of the beginning.

    What differed from the training data from the first row on began when the traffic did.
    """
    nats, slow = found.streams[own], found.slow_streams[own]
    drifts = (nats >= found.threshold) | (slow >= found.slow_threshold)
    skewed = (found.skew[own] > found.skew_critical[own]) & (found.skew[own] > _TOLERANCE)
    places = np.flatnonzero((drifts | skewed) & found.monitored[own]).tolist()
    return {place: max(float(found.onset_s[own][place]) if drifts[place] else 0.0, found.began_s) for place in places}


def _moved(scores: Sequence[Scores], tolerance: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """By how much each column has moved in its shortest window that holds enough; and whether that is beyond chance.

    0 where it is within what is tolerated, or what chance does often.
    """
    found, sure, left = np.zeros(tolerance.size), np.zeros(tolerance.size, bool), np.ones(tolerance.size, bool)
    for one in sorted(scores, key=lambda one: int(one.samples.max(initial=0))):
        score, critical = one.values["total_variation"], one.critical["total_variation"]
        judged = left & one.sufficient & ~np.isnan(score)
        beyond = judged & (score > _WORTH_A_LOOK * np.maximum(critical, tolerance))
        found[beyond], sure[beyond] = score[beyond], (score > np.maximum(critical, tolerance))[beyond]
        left &= ~judged
        if not left.any():
            break
    return found, sure


def _is_due(look: Look, looked: int) -> bool:
    """Whether there are enough more rows than there were at the last diagnosis."""
    return look.rows >= max(LEAST_ROWS, _MORE * looked) or (look.is_whole and looked < look.rows)


def _is_another(one: Diagnosis, held: Diagnosis) -> bool:
    if one.code != held.code:
        return True
    return abs(one.size - held.size) > _ANOTHER * max(abs(held.size), abs(one.size))


def _since(onset_wall_s: float, changes: Changes) -> str:
    """Behind a sentence: since when, and what was changed then."""
    near = changes.told(onset_wall_s)
    return f" since {datetime.fromtimestamp(onset_wall_s, UTC):%H:%M UTC (%d %b)}" + (f", {near}" if near else "")
