"""Of which predictions the truth is told, and what turns out where nobody followed the model: what truths rest on."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.hindsight import Performance
from exporter.looped import Covered, Gap, Selected
from exporter.loops import Loops
from exporter.monitor.belonging import Belonging
from exporter.monitor.exposing import exposing
from exporter.monitor.selecting import selecting
from exporter.performance.joining import Usable
from exporter.performance.task import Task
from exporter.reference import Profile

Arrays = Mapping[str, NDArray[Any]]


class Choosing:
    """Of one model and profile."""

    def __init__(
        self, profile: Profile, task: Task, belonging: Belonging, settings: tuple[Performance, Loops, float, bool]
    ) -> None:
        """`settings` end with the length of a pane in seconds, and whether truth may reach another replica."""
        performance, loops, pane_s, is_shared = settings
        self._belonging, self._holdout = belonging, loops.holdout
        way = belonging.place(loops.holdout.segment)
        self._selecting = selecting(task, profile, performance, (pane_s, is_shared)) if loops.enable else None
        is_kept = loops.enable and way is not None
        self._exposing = exposing(task, performance, pane_s, repr(loops.holdout)) if is_kept else None

    # what is kept

    def arrays(self, series: str) -> dict[str, NDArray[Any]]:
        """What must be kept: another profile of the same task goes on with it."""
        kept = self._selecting.arrays(series) if self._selecting else {}
        return kept | (self._exposing.arrays(series) if self._exposing else {})

    def held(self, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at a Unix time, to be kept for another time."""
        if self._selecting:
            yield from self._selecting.held(wall_s)
        if self._exposing:
            yield from self._exposing.held(wall_s)

    def put_back_opened(self, held: Arrays, wall_s: float) -> None:
        """Go on with the predictions that windows held."""
        if self._selecting:
            self._selecting.put_back_opened(held, wall_s)

    def put_back(self, held: Arrays, wall_s: float) -> None:
        """Go on with the truths that windows held."""
        if self._selecting:
            self._selecting.put_back(held, wall_s)
        if self._exposing:
            self._exposing.put_back(held, wall_s)

    # in

    def opened(self, said: NDArray[np.float64], at_s: NDArray[np.float64]) -> None:
        """Count predictions that wait for their truth from now on: as they were answered, and their Unix times."""
        if self._selecting:
            self._selecting.opened(said, at_s)

    def join(self, usable: Usable, wall_s: float) -> None:
        """Count those whose truth has come."""
        if self._selecting:
            self._selecting.join(usable, wall_s)
        way = self._belonging.place(self._holdout.segment)
        if self._exposing and way is not None:
            holdout = self._belonging.number(way, self._holdout.value or "")
            self._exposing.join(usable, usable.parts.segments[:, way], holdout, wall_s)

    # out

    def snapshot(self, wall_s: float) -> tuple[tuple[Covered, ...], tuple[Selected, ...], tuple[Gap, ...]]:
        """Of every window that ends at a Unix time."""
        covered, selected = self._selecting.snapshot(wall_s) if self._selecting else ((), ())
        return covered, selected, self._exposing.snapshot(wall_s) if self._exposing else ()
