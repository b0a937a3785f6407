"""Predictions with their truths by segment of the traffic, added up by when their truth came.

A part may be served badly while the whole looks fine. The windows and their panes are those of the whole traffic; what
is added up of each segment is little (`performance.part_tally`). Memory: 30 panes of each window, of each segment at
most 55 words of 64 bits; with four ways of 50 values each and four windows 11 MB, with one way of ten values 0.6 MB.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.hindsight import Performance
from exporter.monitor.segments.tables import slices
from exporter.monitor.segments.ways import Way, fingerprint
from exporter.performance.concept import Reference
from exporter.performance.joining import Usable
from exporter.performance.part_levels import Terms, Trained, critical
from exporter.performance.part_tally import LAYOUT, Parted, PartTally, by_part
from exporter.performance.task import Rows, Task
from exporter.performed import SegmentJudged
from exporter.sketch.coarse import CoarseWindows
from exporter.values import format_duration

_PANES: Final = 30
"""Of a window, as of the whole."""
_AT_ONCE: Final = 1 << 12
Arrays = Mapping[str, NDArray[Any]]


class SegmentJudging:
    """Of one model and task."""

    def __init__(
        self, task: Task, ways: Sequence[Way], reference: Reference | None, settings: Performance, pane_s: float
    ) -> None:  # fmt: skip
        """`reference` says what is wrong in training, and of numbers how far off that is."""
        self._ways, self._at = ways, slices(ways)
        edge = reference.edge if reference else math.nan
        self._has_edge = reference is not None or task.is_classification
        self._tally = PartTally(task, edge)
        self._segments = sum(way.segments for way in ways)
        self._windows = CoarseWindows(settings.windows, pane_s, _PANES, (self._segments, self._tally.size), np.int64)
        self._enough, self._tolerance = settings.minimum_samples, settings.tolerance
        self._trained = [one for way in ways for one in _trained(way, reference)]
        self._name = f"judged.{LAYOUT}.{task.fingerprint}.{edge:g}.{fingerprint(ways)}"
        self._read: dict[bytes, Parted] = {}
        """By the words that they are of: of the last look, and of the one before."""
        self._before = self._read

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry how traffic is divided, and what is counted."""
        return self._windows.arrays(f"{prefix}.{self._name}")

    def held(self, prefix: str, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at a Unix time, and whose segments they are."""
        name = f"{prefix}.{self._name}"
        yield f"{name}.labels", np.frombuffer(json.dumps(self._labels()).encode(), np.uint8).copy()
        yield from self._windows.held(name, wall_s).items()

    def put_back(self, held: Arrays, prefix: str, wall_s: float) -> None:
        """Go on with windows that were held, each segment where it is now: names of segments are put back before."""
        name = f"{prefix}.{self._name}"
        if f"{name}.labels" not in held:
            return
        ours = {tuple(label): at for at, label in enumerate(self._labels()) if label is not None}
        theirs = enumerate(json.loads(held[f"{name}.labels"].tobytes()))
        moved = [(at, ours[tuple(label)]) for at, label in theirs if label is not None and tuple(label) in ours]
        panes = {
            key: self._placed(array, moved) if key.endswith(".panes") else array
            for key, array in held.items() if key.startswith(f"{name}.")
        }  # fmt: skip
        self._windows.put_back(panes, name, 0.0, wall_s)

    def _labels(self) -> list[tuple[str, str] | None]:
        """Of each segment what divides the traffic, and the value; None of a place that nobody has taken."""
        return [None if label is None else (way.said.name, label) for way in self._ways for label in way.labels]

    def _placed(self, panes: NDArray[Any], moved: Sequence[tuple[int, int]]) -> NDArray[Any]:
        """Panes whose segments are where they are now."""
        if panes.shape[1:] != (self._segments, self._tally.size):
            return panes  # of something else: nobody takes it
        found = np.zeros_like(panes)
        for there, here in moved:
            found[:, here] = panes[:, there]
        return found

    # in

    def add(self, usable: Usable, wall_s: float) -> None:
        """Add what was joined, by when its truth came."""
        for start in range(0, len(usable.joined), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            told = np.array([one.told_ms for one in usable.joined[part]], np.float64) / 1e3
            words = self._tally.of(Rows(*(side[part] for side in usable.rows)))
            self._count(words, usable.parts.segments[part], np.minimum(told, wall_s), wall_s)

    def _count(
        self, words: NDArray[np.int64], segments: NDArray[np.uint8], at: NDArray[np.float64], wall_s: float
    ) -> None:  # fmt: skip
        _, group = np.unique(self._windows.places(at, wall_s), axis=0, return_inverse=True)
        for number in range(int(group.max()) + 1):
            some = np.flatnonzero(group.ravel() == number)
            total = sum(by_part(words[some], places, self._segments) for places in segments[some].T)
            self._windows.add(float(at[some[0]]), np.asarray(total))

    # out

    def judged(self, wall_s: float, dependence: float) -> Iterator[SegmentJudged]:
        """Every segment that a window has truths of, at a Unix time; so many truths come as one."""
        self._windows.forget_after(wall_s)
        self._before, self._read = self._read, {}
        labels = self._labels()
        terms = Terms(self._tolerance, sum(one.rows > 0 for one in self._trained), dependence)
        for length in self._windows.lengths:
            total = self._windows.total(wall_s, length)
            for place in np.flatnonzero(total.any(axis=1)).tolist():
                label = labels[place]
                if label is not None:
                    yield self._judge(label, format_duration(length), (total[place], self._trained[place]), terms)

    def _judge(
        self, label: tuple[str, str], window: str, found: tuple[NDArray[np.int64], Trained], terms: Terms
    ) -> SegmentJudged:  # fmt: skip
        words, trained = found
        said = self._said(words)
        wrong = said.wrong / said.rows if said.rows and self._has_edge else math.nan
        return SegmentJudged(
            *label, window, said.rows, said.rows >= self._enough, said.measures,
            wrong, critical(trained, said.rows, terms), trained.share,
        )  # fmt: skip

    def _said(self, words: NDArray[np.int64]) -> Parted:
        key = words.tobytes()
        found = self._read.get(key) or self._before.get(key) or self._tally.read(words)
        self._read[key] = found
        return found


def _trained(way: Way, reference: Reference | None) -> list[Trained]:
    """How often predictions of each segment were wrong in training, by place."""
    found = [Trained(0, 0)] * way.segments
    if reference is None or way.own is None or not way.own.errors:
        return found
    wrong, rows = (way.gathered(counts) for counts in reference.split(way.own.errors))
    return [Trained(*one) for one in zip(wrong, rows, strict=True)]


def segment_judging(
    task: Task, ways: Sequence[Way], reference: Reference | None, settings: Performance, pane_s: float
) -> SegmentJudging | None:  # fmt: skip
    """None where nobody divides the traffic."""
    return SegmentJudging(task, ways, reference, settings, pane_s) if ways else None
