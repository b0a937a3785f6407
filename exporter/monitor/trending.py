"""How the errors of one model go from day to day, by when was predicted: a ring of sums, as they are in `daily`.

Days that are not over are left out, and so are those most of whose truths are still to come: the truths that come first
are not like the others. Their share must be half of what is usual among days at least.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.aged import Trend
from exporter.ageing import Staleness
from exporter.hindsight import Performance
from exporter.performance.concept import is_alike, reference_of
from exporter.performance.daily import SIZE, DailyTally, Day
from exporter.performance.joining import Usable
from exporter.performance.task import RANKING, REGRESSION, Rows, Task
from exporter.performance.trend import counts, line
from exporter.sketch.coarse import panes_of
from exporter.sketch.window import OUTSIDE, PaneRing
from exporter.target import Target

_PANES: Final = 90
_TOLD: Final = 0.5
_DAY_S: Final = 86400.0
_YEAR_S: Final = 366 * _DAY_S
Arrays = Mapping[str, NDArray[Any]]


class _Some(NamedTuple):
    """Days that count."""

    middles_s: list[float]
    """Unix times."""
    days: list[Day]


class Trending:
    """Of one model and task. Memory: less than 40 KiB. Times are Unix times."""

    def __init__(self, task: Task, length_s: float, pane_s: float, limit: float) -> None:
        """`length_s` is how far back it looks, `limit` the error that is tolerated, NaN where it is not known."""
        slots, wide = panes_of(length_s, pane_s, _PANES)
        self._slots, self._pane_s, self._limit = slots + 1, wide * pane_s, limit  # and the one that is not over
        self._tally = DailyTally(task)
        self._sums = PaneRing(self._slots, self._pane_s, (SIZE,), np.int64)
        self._opened = PaneRing(self._slots, self._pane_s, (1,), np.int64)
        self._told: tuple[bytes, Trend | None] = b"", None
        """What was said last, and the sums that it was of."""

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry how wide a pane is."""
        prefix = self._called(prefix)
        return {**self._sums.arrays(f"{prefix}.sums"), **self._opened.arrays(f"{prefix}.opened")}

    def _called(self, prefix: str) -> str:
        return f"{prefix}.trend.{self._pane_s:g}"

    def held(self, prefix: str, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What there is at a Unix time, to be kept for another time."""
        prefix = self._called(prefix)
        yield from self._sums.held(f"{prefix}.sums", wall_s).items()
        yield from self._opened.held(f"{prefix}.opened", wall_s).items()

    def put_back_opened(self, held: Arrays, prefix: str, wall_s: float) -> None:
        """Go on with the predictions that were held."""
        self._opened.put_back(held, f"{self._called(prefix)}.opened", 0.0, wall_s)

    def put_back(self, held: Arrays, prefix: str, wall_s: float) -> None:
        """Go on with the truths that were held."""
        self._sums.put_back(held, f"{self._called(prefix)}.sums", 0.0, wall_s)

    # in

    def opened(self, at_s: NDArray[np.float64]) -> None:
        """Count predictions that wait for their truth from now on."""
        for number, rows in zip(*np.unique(at_s // self._pane_s, return_counts=True), strict=True):
            pane = self._opened.pane((float(number) + 0.5) * self._pane_s)
            if pane is not None:
                pane += rows

    def join(self, usable: Usable, wall_s: float) -> None:
        """Add predictions with their truths."""
        at_s = np.minimum(np.array([one.at_ms for one in usable.joined], np.float64) / 1e3, wall_s)
        places = self._sums.places(at_s, wall_s)
        for place in np.unique(places[places != OUTSIDE]).tolist():
            some = np.flatnonzero(places == place)
            pane = self._sums.pane(float(at_s[some[0]]))
            if pane is not None:
                pane += self._tally.of(Rows(*(part[some] for part in usable.rows)))

    # out

    def told(self, wall_s: float) -> Trend | None:
        """What there is to say at a Unix time; None without any truth."""
        for ring in (self._sums, self._opened):
            ring.forget_after(wall_s)
        sums, opened = (ring.recent(wall_s, self._slots)[:-1] for ring in (self._sums, self._opened))
        first_s = (wall_s // self._pane_s - len(sums)) * self._pane_s
        key = sums.tobytes() + opened.tobytes() + str(first_s).encode()
        if key != self._told[0]:  # truth is rare beside looks
            self._told = key, self._trend(self._counting(sums, opened, first_s))
        found = self._told[1]
        return found and self._at(found, wall_s)

    def _counting(self, sums: NDArray[np.int64], opened: NDArray[np.int64], first_s: float) -> _Some:
        days = [self._tally.read(words) for words in sums]
        rows = np.array([day.rows for day in days], np.float64)
        coverage = rows / np.maximum(np.maximum(opened[:, 0], rows), 1)
        usual = float(np.median(coverage[rows > 0])) if rows.any() else 0.0
        kept = [at for at, day in enumerate(days) if counts(day) and coverage[at] >= _TOLD * usual]
        return _Some([first_s + (at + 0.5) * self._pane_s for at in kept], [days[at] for at in kept])

    def _trend(self, some: _Some) -> Trend | None:
        """With the line's height at the last moment of the days."""
        if not some.days:
            return None
        bare = Trend(self._tally.measure, sum(day.rows for day in some.days), len(some.days), limit=self._limit)
        first = some.middles_s[0]
        found = line([(at - first) / _DAY_S for at in some.middles_s], some.days)
        if found is None:
            return bare
        crossing_s = first + float(np.maximum(found.reaches(self._limit), 0.0)) * _DAY_S  # of before nothing is known
        level = found.at((some.middles_s[-1] - first) / _DAY_S)
        return bare._replace(
            per_day=found.slope, lower=found.lower, upper=found.upper, level=level, crossing_s=crossing_s
        )

    @staticmethod
    def _at(found: Trend, wall_s: float) -> Trend:
        """A line is followed for a year at the most."""
        if math.isnan(found.crossing_s):
            return found
        return found._replace(crossing_s=min(found.crossing_s, wall_s + _YEAR_S))


def limit_of(
    task: Task, target: Target | None, training: Sequence[tuple[str, str, float]],
    settings: tuple[Performance, Staleness],
) -> float:  # fmt: skip
    """The error of the training and what is tolerated on top; NaN where the profile does not say what it was.

    Of several that the training calls alike, as of rows that it has learnt from and others, the largest.
    """
    performance, staleness = settings
    if task.kind == REGRESSION:
        return _largest(training, "mae", 0.0, 1.0) * (1 + staleness.tolerance)
    if task.kind == RANKING:
        return _largest(training, "hit_rate", 1.0, -1.0) + performance.tolerance
    reference = reference_of(target) if target and is_alike(target, task) else None
    share = reference.share if reference else _largest(training, "accuracy", 1.0, -1.0)
    return share + performance.tolerance


def _largest(training: Sequence[tuple[str, str, float]], measure: str, base: float, sign: float) -> float:
    return max((base + sign * value for name, _, value in training if name == measure), default=math.nan)
