"""How old one model is: since when it answers, and what has come since against the reference.

What came since the deployment is what is counted since this start, and what earlier runs had, by profile. Since when
the version answers is no profile's: another one goes on with it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from exporter.aged import Aged, SinceDeploy, Trend
from exporter.drift import total_variation
from exporter.drift.summary import Summary, of_bins
from exporter.monitor.block import Block
from exporter.records import Exchange, Label

_NAME: Final = "age"
_FIRST: Final = f"{_NAME}.first"
_RUN, _EARLIER = range(2)
_NOTHING: Final[NDArray[np.int64]] = np.zeros(0, np.int64)
Arrays = Mapping[str, NDArray[Any]]


class Since:
    """The counts of one side, of all runs of a version: those of this one, and of those before it."""

    def __init__(self, block: Block) -> None:
        """`block` counts since start."""
        columns = block.scope.columns
        self._totals, self._columns = block.totals, max(1, sum(not one.ignore for one in block.scope.said))
        self.earlier = np.zeros_like(block.totals)
        """Shape (columns, bins)."""
        counts = np.zeros_like(block.totals)
        for place, column in enumerate(columns):
            counts[place, : len(column.counts)] = column.counts
        self._reference = of_bins(counts)
        self._dependence = np.array([column.dependence or 1.0 for column in columns])

    @property
    def counts(self) -> NDArray[np.int64]:
        """Of all runs, shape (columns, bins)."""
        return np.asarray(self.earlier + self._totals)

    def told(self) -> SinceDeploy:
        """Against the reference."""
        current = of_bins(self.counts)._replace(dependence=self._dependence)
        samples, both = current.samples, (self._reference, current)
        with np.errstate(divide="ignore", invalid="ignore"):
            variation = np.where(samples > 0, total_variation.score(*both), np.nan)
            critical = np.where(samples > 0, self._critical(current), np.nan)
        return SinceDeploy(int(samples.max(initial=0)), variation, critical)

    def _critical(self, current: Summary) -> NDArray[np.float64]:
        return total_variation.critical_of(self._columns, self._reference, current)


class Ageing:
    """Of one model and profile. Times are kept as Unix times in nanoseconds, 0 where there is none."""

    def __init__(self, blocks: Iterable[tuple[str, Block]]) -> None:
        self._since = {name: Since(block) for name, block in blocks}
        self._first: NDArray[np.int64] = np.zeros(1, np.int64)
        """Of the first answer of the version, of any run."""
        self._clock: NDArray[np.int64] = np.zeros(2, np.int64)
        """Of the first one that is counted here, and of the first one of earlier runs."""
        self._run = self._clock.data  # the same memory, several times cheaper to look at one by one

    # what is kept

    def arrays(self, series: str, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept: another profile goes on with what begins with `series`."""
        earlier = {f"{prefix}.{_NAME}.{name}": one.earlier for name, one in self._since.items()}
        return {f"{series}.{_FIRST}": self._first, f"{prefix}.{_NAME}.clock": self._clock, **earlier}

    def held(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """What is to be kept for another time; counts since start are among it, as another start begins at 0."""
        yield _FIRST, self._first.copy()
        yield f"{_NAME}.clock", np.array([self._clock[_RUN], self._since_ns])
        for name, one in self._since.items():
            yield f"{_NAME}.{name}", one.counts

    def put_back(self, held: Arrays) -> None:
        """Go on with what an earlier run held, once; what this one has held itself is no news."""
        self.recall(held)
        clock = held.get(f"{_NAME}.clock")
        if clock is None or clock.shape != (2,) or self._clock[_EARLIER] or not clock[1]:
            return
        found = [(one, held.get(f"{_NAME}.{name}", _NOTHING)) for name, one in self._since.items()]
        is_own = clock[_RUN] and clock[_RUN] == self._clock[_RUN]  # one that was never asked knows of earlier ones, too
        if is_own or any(counts.shape != one.earlier.shape for one, counts in found):
            return
        self._clock[_EARLIER] = clock[1]
        for one, counts in found:
            one.earlier[...] = counts

    def recall(self, held: Arrays) -> None:
        """Go on with the version's first answer alone, whatever the profile was."""
        first = held.get(_FIRST)
        if first is not None and first.shape == (1,) and first[0] > 0:
            self._first[0] = min(int(first[0]), int(self._first[0]) or int(first[0]))

    # in

    def see(self, exchange: Exchange) -> None:
        """Take in that the model was asked."""
        at = exchange.wall_ns
        if 0 < self._run[_RUN] <= at or at <= 0 or not (not exchange.status or 200 <= exchange.status < 300):
            return
        self._run[_RUN] = at
        self._first[0] = min(at, int(self._first[0]) or at)

    # out

    @property
    def _since_ns(self) -> int:
        return min((at for at in self._clock.tolist() if at), default=0)

    def snapshot(self, trend: Trend | None) -> Aged:
        """What there is to say; when it is due `due` says."""
        sides = {name: one.told() for name, one in self._since.items()}
        return Aged(
            int(self._first[0]) / 1e9 or math.nan, self._since_ns / 1e9 or math.nan,
            sides.get("features"), sides.get("outputs"), trend,
        )  # fmt: skip


class Recalling(Protocol):
    """Whoever goes on with what is known of a version."""

    def recall(self, held: Arrays) -> None:
        """Take it."""


class Firsts:
    """Since when versions answer that this run has not met yet, and those that have another profile now."""

    def __init__(self) -> None:
        self._of: dict[Label, Arrays] = {}

    @staticmethod
    def among(held: Arrays) -> Arrays:
        """Of all that was kept what is no profile's."""
        return {_FIRST: held[_FIRST].copy()} if _FIRST in held else {}

    def of(self, label: Label) -> Arrays:
        """What there is of a version."""
        return self._of.get(label, {})

    def take(self, label: Label, held: Arrays, known: Recalling | None) -> None:
        """Remember it for whoever comes, or tell who is there. Of several the one kept last knows what was before."""
        if known is not None:
            known.recall(held)
        elif found := self.among(held):
            self._of.setdefault(label, found)
