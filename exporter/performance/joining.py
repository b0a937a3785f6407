"""Joined predictions as arrays: what was said and what turned out, row by row."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.extra import unpack as unpack_extra
from exporter.performance.parts import Parts, unknown
from exporter.performance.task import NUMBER_BYTES, RANKING, Rows, Task, unpack
from exporter.sketch.binning import category_name, truth_name
from exporter.truths import Joined

_MOST_KEPT: Final = 1 << 14
_LONGEST_KEPT: Final = 64
Known = float | tuple[float, ...] | None
Reading = Callable[[Sequence[Joined], int], Parts]


class Usable(NamedTuple):
    """Joined predictions of which the truth can be one of the model's."""

    rows: Rows
    joined: Sequence[Joined]
    """The same, in step."""
    parts: Parts
    """Of what they are a part, in step."""


class Joining:
    """Of one task."""

    def __init__(self, task: Task, hashed: Callable[[str], str] | None = None, parts: Reading | None = None) -> None:
        """`hashed` gives what classes are called here, where that is not what people call them.

        `parts` reads what stands behind so many bytes of each prediction.
        """
        self._task = task
        self._written = task.written
        self._hashed, self._parts = hashed, parts
        self._bytes = NUMBER_BYTES * task.width
        self._kept: dict[bytes, Known] = {}

    def usable(self, joined: Sequence[Joined]) -> Usable:
        """Those that can be one of the task; what is said or true in the words of another one is left out."""
        found = [(one, self._true(one.true)) for one in joined if self._is_ours(one)]
        known = [(one, true) for one, true in found if true is not None]
        kept = [one for one, _ in known]
        weights = np.array([_weight(one.extra) for one in kept])
        rows = Rows(self._said(kept), self._truths([true for _, true in known]), weights)
        return Usable(rows, kept, self._parts_of(kept))

    def _parts_of(self, joined: Sequence[Joined]) -> Parts:
        return self._parts(joined, self._bytes) if self._parts else unknown(len(joined))

    def _is_ours(self, joined: Joined) -> bool:
        return joined.owner.task == self._written and len(joined.said) >= self._bytes

    def _said(self, joined: Sequence[Joined]) -> NDArray[np.float64]:
        return filled(self._task, unpack([one.said for one in joined], self._task.width))

    def _truths(self, true: Sequence[float | tuple[float, ...]]) -> NDArray[np.float64]:
        if self._task.kind != RANKING:
            return np.array(true, np.float64)
        found = np.full((len(true), self._task.ranks), np.nan)
        for row, relevances in enumerate(true):
            shown = np.atleast_1d(relevances)[: self._task.ranks]
            found[row, : shown.size] = shown
        return found

    def _true(self, content: bytes) -> Known:
        if content in self._kept:
            return self._kept[content]
        true = self._read(content)
        if len(content) <= _LONGEST_KEPT:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[content] = true
        return true

    def _read(self, content: bytes) -> Known:
        """None for what cannot be, such as a word where numbers are predicted, or nothing at all."""
        try:
            true = self._code(content) if self._hashed and self._task.is_classification else self._task.truth(content)
        except (ValueError, TypeError, OverflowError, RecursionError):
            return None
        return true if true is not None and _is_finite(true) else None

    def _code(self, content: bytes) -> float | None:
        """Of a class that is called by its hash."""
        name = category_name(json.loads(content))
        if name is None or self._hashed is None:
            return None
        hashed = self._hashed(name)
        return self._task.code(hashed if hashed in self._task.classes else self._hashed(truth_name(name)))


def filled(task: Task, said: NDArray[np.float64]) -> NDArray[np.float64]:
    """What was said, as in Rows: what is no number is missing, and a label that scores must say is filled in."""
    found = np.where(np.isfinite(said), said, np.nan)
    if task.is_classification and not task.label:
        found[:, 0] = task.labels(found[:, 1:])
    return found


def _is_finite(true: float | tuple[float, ...]) -> bool:
    return all(map(math.isfinite, true)) if isinstance(true, tuple) else math.isfinite(true)


def _weight(extra: bytes) -> float:
    return unpack_extra(extra).weight if extra else 1.0
