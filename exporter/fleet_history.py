"""What a Prometheus has kept of a fleet, in a profile's bins: what its traffic shows of chance.

Rows that belong together meet in one process, so dependence is that of each replica's own counts, minute by minute.
How much hours differ is a matter of all traffic, so these are added up. Only samples as they were scraped are asked
for, as many as Prometheus gives at once and as memory holds: of a large fleet some of the hours, without a pattern.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter import catalogue
from exporter.calibration.dependence import factor, variation
from exporter.calibration.wander import wander
from exporter.errors import ConfigError, DataError
from exporter.evidence.terms import Terms
from exporter.families import Columns
from exporter.increments import increments, sampled
from exporter.profile.calendar import shuffled
from exporter.profile.calibrate import SIDES, Calibration, Shown, shown
from exporter.prometheus import PrometheusClient, Series
from exporter.reference import Column, Profile

MOST_HOURS: Final = 2160
"""Of a range."""
_FAMILIES: Final[Mapping[str, Columns]] = dict(zip(SIDES, (catalogue.FEATURES, catalogue.OUTPUTS), strict=True))
_AT_ONCE: Final = 500_000
"""Points of an answer, some 15 MiB and 100 once they are numbers."""
_IN_STEPS: Final = 10_000_000
"""Points of all answers that have every step."""
_MOST_IN_STEPS: Final = 168
_LEAST_IN_STEPS: Final = 8
_LEAST_PANES: Final = 4
_TOGETHER: Final = 60
"""Hours that are asked for at once, where they count as a whole."""
_MOST_NOTES: Final = 5
_NOT_THE_PROCESS: Final = frozenset(("__name__", "bin", *(one.label for one in _FAMILIES.values())))
Counts = NDArray[np.int64]
Watch = Callable[[float, int], None]
"""Is told the share that is done, and the rows so far."""


class Wish(NamedTuple):
    """Which history is meant."""

    end: float
    """Unix time: of the end of the last step, a multiple of it."""
    range_s: float
    step_s: float
    """A pane."""
    matchers: str = ""
    """Further ones, as between braces."""

    @property
    def panes(self) -> int:
        """Of an hour, which is what evidence takes for one."""
        return int(Terms(pane_s=self.step_s).hour_s // self.step_s)

    @property
    def hour_s(self) -> float:
        """How long it is."""
        return self.panes * self.step_s

    @property
    def hours(self) -> int:
        """How many there are; the last one ends at the end."""
        return int(self.range_s // self.hour_s)

    def start(self, hour: int) -> float:
        """Of one of them, counted from the first."""
        return self.end - (self.hours - hour) * self.hour_s


def calibrate(client: PrometheusClient, profile: Profile, wish: Wish, watch: Watch | None = None) -> Calibration:
    """What the history shows of a profile that is in force. ConfigError, DataError, PrometheusError.

    Memory: an answer of 500,000 points, or of one column of all replicas over an hour where that is more (from 500
    replicas on), and of each column its counts by hour.
    """
    if wish.panes < _LEAST_PANES:
        raise ConfigError("--step: must be 15m at most")
    if not 1 <= wish.hours <= MOST_HOURS:
        raise ConfigError(f"--range: must be 1 to {MOST_HOURS:,} times {wish.hour_s:g} s, an hour of panes")
    history = _History(client, profile, wish)
    if not history.columns:
        raise DataError(history.why_nothing())
    history.read(watch)
    there = {(one.side, one.column.name) for one in history.columns}
    absent = (one.name for side in SIDES for one in getattr(profile, side) if (side, one.name) not in there)
    rows = np.max([one.hours.sum(axis=1) for one in history.columns], axis=0)  # (hours,)
    held = np.flatnonzero(rows)
    first, last = (held[0], held[-1] + 1) if held.size else (0, wish.hours)
    return Calibration(
        tuple(one.shown() for one in history.columns if one.hours.any()), tuple(absent), int(rows.sum()), held.size,
        wish.start(int(first)), wish.start(int(last)), wish.hour_s, tuple(sorted(history.notes)[:_MOST_NOTES]),
    )  # fmt: skip


class _Watched:
    """A column, and what there is of it."""

    def __init__(self, side: str, column: Column, replicas: NDArray[np.float64]) -> None:
        """`replicas` that have it in each hour, shape (hours,)."""
        self.side = side
        self.column = column
        self.bins = len(column.counts)
        self.points = replicas * self.bins
        """Of each moment, by hour."""
        self.hours: Counts = np.zeros((replicas.size, self.bins), np.int64)
        self._varied, self._independent = 0.0, 0.0

    def add_panes(self, hour: int, panes: Counts) -> None:
        """An hour of a replica, shape (panes, bins)."""
        varied, independent = variation(panes[None])
        self._varied += varied
        self._independent += independent
        self.hours[hour] += panes.sum(axis=0)

    def shown(self) -> Shown:
        """What all of it shows."""
        dependence = factor(self._varied, self._independent)
        return shown(self.side, self.column, self.hours.sum(axis=0), (dependence, wander(self.hours, dependence)))


class _History:
    """The history of a profile's columns."""

    def __init__(self, client: PrometheusClient, profile: Profile, wish: Wish) -> None:
        self._client, self._wish, self._profile = client, wish, profile
        self.notes: set[str] = set()
        self.columns = [one for side in SIDES for one in self._there(side)]

    def _there(self, side: str) -> Iterator[_Watched]:
        """The columns that some replica has, and how many have them when."""
        label = _FAMILIES[side].label
        asked = f"count by ({label}) ({self._selector(side, bin='00')})"
        series = self._asked(asked, (0, self._wish.hours), every=self._wish.panes)
        found = {labels.get(label): points for labels, points in series}
        for column in getattr(self._profile, side):
            replicas = np.zeros(self._wish.hours + 1)
            for at, count in found.get(column.name, ()):
                replicas[round((at - self._wish.start(0)) / self._wish.hour_s)] = count
            if replicas.any():
                yield _Watched(side, column, np.maximum(replicas[:-1], replicas[1:]))

    def why_nothing(self) -> str:
        """What to tell who asked for a profile of which there is nothing."""
        wish = self._wish
        selector = _selector(catalogue.FEATURES.bins.name, 'bin="00"', wish.matchers)
        others = sorted({one.get("profile", "") for one in self._client.series(selector, wish.start(0), wish.end)})
        said = f", only of {', '.join(others[:_MOST_NOTES])}" if others else f", nor any other series {selector}"
        return f"{self._client.url}: nothing of profile {self._profile.short_digest} in that time{said}"

    # reading

    def read(self, watch: Watch | None) -> None:
        """Count all of it: some hours step by step and, where these are not all, every hour as a whole."""
        there = np.flatnonzero(sum(one.points for one in self.columns))
        chosen = self._chosen(there)
        whole = chosen.size < there.size
        for done, hour in enumerate(chosen.tolist(), 1):
            self._read_steps(hour)
            if watch:
                watch(done / chosen.size, int(self.columns[0].hours.sum()))
        if whole:
            for one in self.columns:
                one.hours[...] = 0
            self._read_hours()

    def _chosen(self, there: NDArray[np.int64]) -> NDArray[np.int64]:
        """Hours that are read step by step: those that come first when all are shuffled, in their order."""
        points = (self._wish.panes + 1) * np.sum([one.points for one in self.columns], axis=0)
        order = there[np.argsort(shuffled(there), kind="stable")]
        many = int(np.searchsorted(points[order].cumsum(), _IN_STEPS, side="right"))
        return np.sort(order[: min(_MOST_IN_STEPS, max(_LEAST_IN_STEPS, many))])

    def _read_steps(self, hour: int) -> None:
        for together in self._batches((hour, hour + 1), self._wish.panes + 1):
            for one, samples in self._samples(together, (hour, hour + 1), every=1):
                one.add_panes(hour, increments(samples)[0])

    def _read_hours(self) -> None:
        """Where a process began within an hour, it counts from the next."""
        for start in range(0, self._wish.hours, _TOGETHER):
            span = start, min(start + _TOGETHER, self._wish.hours)
            for together in self._batches(span, span[1] - start + 1):
                for one, samples in self._samples(together, span, every=self._wish.panes):
                    one.hours[span[0] : span[1]] += increments(samples)[0]

    def _batches(self, span: tuple[int, int], moments: int) -> Iterator[list[_Watched]]:
        """Columns of a side that an answer has room for."""
        for side in SIDES:
            batch, held = list[_Watched](), 0.0
            for one in (one for one in self.columns if one.side == side):
                points = moments * float(one.points[slice(*span)].max())
                if batch and held + points > _AT_ONCE:
                    yield batch
                    batch, held = [], 0.0
                batch.append(one)
                held += points
            if batch:
                yield batch

    def _samples(
        self, together: Sequence[_Watched], span: tuple[int, int], every: int
    ) -> Iterator[tuple[_Watched, NDArray[np.float64]]]:
        """Of each column and replica its counters at the moments of some hours, shape (moments, bins)."""
        side = together[0].side
        label = _FAMILIES[side].label
        names = "|".join(re.escape(one.column.name) for one in together)
        by_name = {one.column.name: one for one in together}
        found: defaultdict[tuple[str, frozenset[tuple[str, str]]], list[Series]] = defaultdict(list)
        for series in self._asked(self._selector(side, names=names), span, every):
            process = frozenset(pair for pair in series[0].items() if pair[0] not in _NOT_THE_PROCESS)
            found[series[0].get(label, ""), process].append(series)
        step_s = every * self._wish.step_s
        moments = round((span[1] - span[0]) * self._wish.hour_s / step_s) + 1
        for (name, _), of_process in found.items():
            if name in by_name:
                one = by_name[name]
                yield one, sampled(of_process, (self._wish.start(span[0]), step_s, moments), one.bins)

    def _asked(self, expression: str, span: tuple[int, int], every: int) -> list[Series]:
        start, end = (self._wish.start(hour) for hour in span)
        found = self._client.query_range(expression, start, end, every * self._wish.step_s)
        self.notes.update(f"{self._client.url} says: {one}" for one in self._client.warnings)
        return found

    def _selector(self, side: str, **asked: str) -> str:
        families = _FAMILIES[side]
        matchers = [f"profile={_quoted(self._profile.short_digest)}"]
        matchers += [f"bin={_quoted(asked['bin'])}"] if "bin" in asked else []
        matchers += [f"{families.label}=~{_quoted(asked['names'])}"] if "names" in asked else []
        return _selector(families.bins.name, *matchers, self._wish.matchers)


def _selector(family: str, *matchers: str) -> str:
    return f"{family}{{{','.join(filter(None, matchers))}}}"


def _quoted(text: str) -> str:
    """As PromQL writes a string: Go's and JSON's are alike in what they escape."""
    return json.dumps(text, ensure_ascii=False)
