"""Target drift: the truths that come against those of the training data, in the target column's own bins."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.drift import STATISTICS
from exporter.drift.summary import Summary, of_bins
from exporter.hindsight import Performance
from exporter.monitor.binner import Binner
from exporter.monitor.match import Matcher
from exporter.performed import TargetMoved
from exporter.reference import Side
from exporter.scalars.salted import Salt
from exporter.sketch.binning import counted
from exporter.sketch.window import Arrays, Windows
from exporter.target import Target
from exporter.values import format_duration

_NAME: Final = "target"
_TOTAL_VARIATION, _PSI = (STATISTICS[name] for name in ("total_variation", "psi"))


class Truths:
    """Of one model, by when they come; each counts once, whatever it weighs. On any clock that does not go back."""

    def __init__(self, target: Target, settings: Performance, pane_s: float, salt: Salt | None = None) -> None:
        """`salt` is the one under which categories of the profile are hashed."""
        column = target.column
        side = Side((column,), (column.field,))
        self._binner, self._fit = Binner(side, salt), Matcher(side).bare(1)
        self._pane_s, self._enough, self._bins = pane_s, settings.minimum_samples, len(column.counts)
        self._reference = of_bins(np.array([column.counts], np.int64))
        self._dependence = np.array([column.dependence or 1.0])
        self._windows = Windows(settings.windows, pane_s, (1, self._bins), np.int32)

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return self._windows.arrays(f"{prefix}.{_NAME}")

    def held(self, prefix: str, now: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at `now`, to be kept for another time."""
        yield from self._windows.held(f"{prefix}.{_NAME}", now).items()

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> int:
        """Go on with windows that were held when the clock showed `shift_s` less: how many panes there were."""
        return self._windows.put_back(held, f"{prefix}.{_NAME}", shift_s, now)

    # in

    def add(self, contents: Sequence[bytes], at: NDArray[np.float64]) -> None:
        """Take truths as stores have them, and when they came, shape (truths,)."""
        if not contents or not self._binner.readable.all():
            return
        panes = (at // self._pane_s).astype(np.int64)
        bins = self._placed(contents)
        for pane in np.unique(panes).tolist():
            self._windows.add((pane + 0.5) * self._pane_s, counted(bins[panes == pane], self._bins))

    def _placed(self, contents: Sequence[bytes]) -> NDArray[np.uint8]:
        """The bin of each, shape (truths, 1)."""
        intake = self._binner.intake()
        intake.add(self._fit, [[json.loads(content) for content in contents]], 0, len(contents))
        return self._binner.batch(intake.take(), len(contents), 0.0).bins

    # out

    def snapshot(self, now: float) -> tuple[TargetMoved, ...]:
        """Every window that ends at `now`; scores are NaN where it is empty."""
        return tuple(self._moved(now, length) for length in self._windows.lengths)

    def _moved(self, now: float, length: float) -> TargetMoved:
        current = of_bins(self._windows.total(now, length))._replace(dependence=self._dependence)
        samples = int(current.samples[0])
        scores = self._scores(current) if samples else (np.nan,) * 4
        return TargetMoved(format_duration(length), samples, samples >= self._enough, *scores)

    def _scores(self, current: Summary) -> tuple[float, ...]:
        both = self._reference, current
        found = (_TOTAL_VARIATION.score, _TOTAL_VARIATION.critical, _PSI.score, _PSI.critical)
        return tuple(float(one(*both)[0]) if one else np.nan for one in found)


def truths_of(target: Target | None, settings: Performance, pane_s: float, salt: Salt | None = None) -> Truths | None:
    """None where the training data have no truths."""
    return Truths(target, settings, pane_s, salt) if target and sum(target.column.counts) else None
