"""Of which predictions the truth is told: by what was predicted, those that wait for it, and those that have it.

Outcomes are often seen for some predictions alone, those that were acted upon, say (selective labels; Lakkaraju et al.
2017). Then measures are of these, and a model that is trained on them learns of no others. Both counts go by when it
was predicted, on Unix time, as those of `judging`. Memory: two numbers for each kind and pane.

Where truths may reach another replica than the one that predicted, those that are told here are no part of those that
were opened here: told ones less opened ones would be noise. There the two are held against each other as they are, and
are 1 - coverage times as far apart as told ones and the others would be.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.drift import total_variation
from exporter.drift.summary import of_bins
from exporter.hindsight import Performance
from exporter.looped import Covered, Selected
from exporter.performance.joining import Usable, filled
from exporter.performance.kinds import Kinds, kinds_of
from exporter.performance.task import Task
from exporter.reference import Profile
from exporter.sketch.coarse import CoarseWindows
from exporter.values import format_duration

_NAME: Final = "selection"
_PANES: Final = 30
Arrays = Mapping[str, NDArray[Any]]


class Source(NamedTuple):
    """What is counted."""

    kinds: Kinds
    dependence: float
    """How many predictions come as one."""
    is_shared: bool
    """Whether truth may reach another replica than the one that predicted."""


class Selecting:
    """Of one model and task."""

    def __init__(self, task: Task, source: Source, settings: Performance, pane_s: float) -> None:
        """`pane_s` is in seconds."""
        self._task, self._source, self._enough = task, source, settings.minimum_samples
        kinds = self._kinds = source.kinds
        self._name = f"{_NAME}.{hashlib.sha256(repr((task.written, kinds)).encode()).hexdigest()[:8]}"
        shape = (len(kinds.names),)
        self._opened, self._told = (CoarseWindows(settings.windows, pane_s, _PANES, shape, np.int64) for _ in range(2))

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry what the kinds are."""
        name = f"{prefix}.{self._name}"
        return {**self._opened.arrays(f"{name}.opened"), **self._told.arrays(f"{name}.told")}

    def held(self, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at a Unix time, to be kept for another time."""
        yield from self._opened.held(f"{self._name}.opened", wall_s).items()
        yield from self._told.held(f"{self._name}.told", wall_s).items()

    def put_back_opened(self, held: Arrays, wall_s: float) -> None:
        """Go on with the predictions that windows held."""
        self._opened.put_back(held, f"{self._name}.opened", 0.0, wall_s)

    def put_back(self, held: Arrays, wall_s: float) -> None:
        """Go on with those of them that had their truth."""
        self._told.put_back(held, f"{self._name}.told", 0.0, wall_s)

    # in

    def opened(self, said: NDArray[np.float64], at_s: NDArray[np.float64]) -> None:
        """Count predictions that wait for their truth from now on: as they were answered, and their Unix times."""
        self._add(self._opened, filled(self._task, said), at_s)

    def join(self, usable: Usable, wall_s: float) -> None:
        """Count those whose truth has come."""
        at_s = np.minimum(np.array([one.at_ms for one in usable.joined], np.float64) / 1e3, wall_s)
        self._add(self._told, usable.rows.said, at_s)

    def _add(self, windows: CoarseWindows, said: NDArray[np.float64], at_s: NDArray[np.float64]) -> None:
        for at in np.unique(at_s).tolist():
            kinds = self._kinds.of(said[at_s == at])
            windows.add(at, np.bincount(kinds, minlength=len(self._kinds.names)))

    # out

    def snapshot(self, wall_s: float) -> tuple[tuple[Covered, ...], tuple[Selected, ...]]:
        """Of every window that ends at a Unix time and has predictions."""
        covered, selected = list[Covered](), list[Selected]()
        for windows in (self._opened, self._told):
            windows.forget_after(wall_s)
        for length in self._opened.lengths:
            window, told = format_duration(length), self._told.total(wall_s, length)
            opened = np.maximum(self._opened.total(wall_s, length), told)  # another replica has made some, maybe
            if opened.any():
                counts = zip(self._kinds.names, opened.tolist(), told.tolist(), strict=True)
                covered += [Covered(name, window, *both) for name, *both in counts]
                selected.append(self._selected(window, told, self._opened.total(wall_s, length)))
        return tuple(covered), tuple(selected)

    def _selected(self, window: str, told: NDArray[np.int64], opened: NDArray[np.int64]) -> Selected:
        is_shared = self._source.is_shared
        others = opened - told if is_shared else np.maximum(opened - told, 0)
        fewest = int(min(told.sum(), others.sum()))
        if fewest <= 0:
            return Selected(window, False, np.nan, np.nan)
        dependence = np.array([self._source.dependence])
        pair = (opened, told) if is_shared else (others, told)
        both = [of_bins(one[None])._replace(dependence=dependence) for one in pair]
        times = opened.sum() / others.sum() if is_shared else 1.0
        found, critical = (float(one(*both)[0]) for one in (total_variation.score, total_variation.critical))
        return Selected(window, fewest >= self._enough, min(times * found, 1.0), min(times * critical, 1.0))


def selecting(
    task: Task, profile: Profile, settings: Performance, panes: tuple[float, bool]
) -> Selecting | None:  # fmt: skip
    """None where predictions are of no kinds; `panes` are their length in seconds, and `Source.is_shared`."""
    columns = {column.name: column for column in profile.outputs}
    column = columns.get(task.label) or next((columns[name] for name in task.scores if name in columns), None)
    kinds = kinds_of(task, columns.get(task.label))
    dependence = (column.dependence if column else None) or 1.0
    pane_s, is_shared = panes
    return Selecting(task, Source(kinds, dependence, is_shared), settings, pane_s) if kinds else None
