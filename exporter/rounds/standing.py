"""What is known of golden requests: of each model and version that answers them counts, and how each case went last.

In arrays that can be kept, so that an analyser that goes on knows what the last one did. One thread's.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.checked import FAILING_FOR, CaseChecked, GoldenChecked, VersionChecked
from exporter.golden.cases import REASONS
from exporter.monitor.naming import OTHER, is_name
from exporter.records import DURATION_BOUNDS, Label
from exporter.rounds.news import Checked, Loaded, News, Over, Unusable
from exporter.snapshots import Histogram

_LOG = logging.getLogger("exporter.rounds")
Called = Callable[[str, str], Label]
"""Whose an answer is that names this model and version, either of which may be empty."""
MOST_SHOWN: Final = 100
"""Cases that are shown one by one, of all versions together; of more those that fail come first."""
_MOST_VERSIONS: Final = 8
_GONE_ROUNDS: Final = 5
"""So many rounds without an answer of it, while others of its model answer or none is asked, and a version is gone."""
_MOST_LINES: Final = 20
"""For the log, of one look."""
_UNASKED: Final = -1
_ROUNDS, _UNREACHABLE, _ROUND_NS = range(3)
_PASSED, _DURATION_NS, _RIGHT_NS, _ANSWERED_ROUND = range(4)
_FIRST_FAILURE: Final = 4
_FIRST_BUCKET: Final = _FIRST_FAILURE + len(REASONS)
_SIZE: Final = _FIRST_BUCKET + len(DURATION_BOUNDS) + 1
_ALL: Final = "golden"
_OF_VERSION: Final = "golden counts "
_OF_CASES: Final = "golden cases "
Arrays = Mapping[str, NDArray[Any]]


class _Standing:
    """One version's."""

    def __init__(self, cases: int) -> None:
        self.counts: NDArray[np.int64] = np.zeros(_SIZE, np.int64)
        self.streaks: NDArray[np.int64] = np.full(cases, _UNASKED, np.int64)
        """How often each case has failed one after the other by now."""
        self.failures: dict[int, tuple[str, str]] = {}
        """Reason and detail, by the case's place."""

    def count(self, place: int, found: Checked) -> bool:
        """Take in how a case went; whether it is another one than the last time."""
        before = max(int(self.streaks[place]), 0)
        if found.failure:
            self.counts[_FIRST_FAILURE + REASONS.index(found.failure)] += 1
            self.streaks[place] = before + 1
            self.failures[place] = found.failure, found.detail
        else:
            self.counts[_PASSED] += 1
            self.streaks[place] = 0
            self.failures.pop(place, None)
        bucket = int(np.searchsorted(DURATION_BOUNDS, found.duration_s))
        self.counts[_FIRST_BUCKET + bucket] += 1
        self.counts[_DURATION_NS] += round(found.duration_s * 1e9)
        return bool(before) != bool(found.failure)

    def failing(self, times: int) -> int:
        """How many cases have failed so many times at least, one after the other."""
        return int((self.streaks >= times).sum())


class Standings:
    """All versions'. Everything is of one thread, the caller's."""

    def __init__(self, interval_s: float, kept: Arrays) -> None:
        """`kept` is what was kept of `own`."""
        self._interval_s = interval_s
        self._kept = dict(kept)
        self._names: tuple[str, ...] = ()
        self._places: dict[str, int] = {}
        self._digest = ""
        self._fault = ""
        self._counts: NDArray[np.int64] = self._taken(_ALL, np.zeros(3, np.int64))
        self._standings: dict[Label, _Standing] = {}
        for name in kept:
            if name.startswith(_OF_VERSION):
                self._add(Label(*json.loads(name.removeprefix(_OF_VERSION))))

    def _taken(self, name: str, array: NDArray[np.int64]) -> NDArray[np.int64]:
        """An array with what was kept of it, once."""
        old = self._kept.pop(name, None)
        if old is not None and old.shape == array.shape:
            array[...] = old
        return array

    def _add(self, label: Label) -> _Standing:
        made = self._standings[label] = _Standing(len(self._names))
        self._taken(_counts_of(label), made.counts)
        return made

    @property
    def own(self) -> Arrays:
        """What is kept."""
        own = {_ALL: self._counts}
        for label, one in self._standings.items():
            own[_counts_of(label)] = one.counts
            own[self._cases_of(label)] = one.streaks
        return own

    def _cases_of(self, label: Label) -> str:
        return f"{_OF_CASES}{self._digest} {json.dumps(label)}"

    # in

    def count(self, news: Sequence[News], called: Called) -> Iterator[str]:
        """Take in what the thread told; lines for the log, a bounded number."""
        lines = [line for one in news for line in self._counted(one, called)]
        yield from lines[:_MOST_LINES]
        if len(lines) > _MOST_LINES:
            yield f"golden requests: {len(lines) - _MOST_LINES} more of them have changed"

    def _counted(self, one: News, called: Called) -> Iterator[str]:
        if isinstance(one, Checked):
            yield from self._check(one, called)
        elif isinstance(one, Over):
            self._over(one)
        elif isinstance(one, Loaded):
            self._load(one.names)
        else:
            yield from self._doubt(one)

    def _doubt(self, one: Unusable) -> Iterator[str]:
        self._fault = one.words
        yield f"golden requests: {one.words}; {'those before stay' if self._names else 'none are sent'}"

    def _load(self, names: tuple[str, ...]) -> None:
        self._fault = ""
        if names == self._names:
            return
        self._names, self._places = names, {name: place for place, name in enumerate(names)}
        self._digest = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16]
        for label, one in self._standings.items():
            fresh = np.full(len(names), _UNASKED, np.int64)
            one.streaks, one.failures = self._taken(self._cases_of(label), fresh), {}
        self._kept.clear()
        _LOG.info("golden requests: %d cases, every %g s", len(names), self._interval_s)

    def _check(self, found: Checked, called: Called) -> Iterator[str]:
        place = self._places.get(found.name)
        if place is None:
            return
        label = self._label(called(found.model, found.version))
        standing = self._standings.get(label) or self._add(label)
        standing.counts[_ANSWERED_ROUND] = self._counts[_ROUNDS]
        if standing.count(place, found):
            whose = f"golden request {found.name!r} of model {label.model!r}, version {label.version!r}"
            yield f"{whose}, fails: {found.failure}, {found.detail}" if found.failure else f"{whose}, passes again"

    def _label(self, label: Label) -> Label:
        """Under which it is counted: there are a few, and none that could not be shown."""
        fits = is_name(label.model) and is_name(label.version)
        if label in self._standings or (fits and len(self._standings) < _MOST_VERSIONS):
            return label
        return Label(OTHER, OTHER)

    def _over(self, one: Over) -> None:
        if not one.is_complete:
            self._counts[_UNREACHABLE] += 1
            return
        self._counts[_ROUNDS] += 1
        self._counts[_ROUND_NS] = round(one.wall_s * 1e9)
        for standing in self._standings.values():
            if not standing.failing(1) and (standing.streaks >= 0).any():
                standing.counts[_RIGHT_NS] = self._counts[_ROUND_NS]
        self._forget()

    def _forget(self) -> None:
        """Versions that answer no longer, where others of their model do, or that no case asks any more."""
        silent = {
            label: int(self._counts[_ROUNDS] - one.counts[_ANSWERED_ROUND]) for label, one in self._standings.items()
        }
        heard = {label.model for label, rounds in silent.items() if rounds <= 1}
        for label, rounds in silent.items():
            is_asked = bool((self._standings[label].streaks >= 0).any())
            if rounds > _GONE_ROUNDS and (label.model in heard or not is_asked):
                del self._standings[label]

    # out

    def snapshot(self) -> GoldenChecked:
        """How it stands."""
        rounds, unreachable, ended_ns = self._counts.tolist()
        known = sorted(self._standings.items())
        shown = _places_shown([one.streaks for _, one in known])
        versions = tuple(self._version(label, one, places) for (label, one), places in zip(known, shown, strict=True))
        return GoldenChecked(
            self._interval_s, len(self._names), self._fault, rounds, unreachable, ended_ns / 1e9, versions
        )  # fmt: skip

    def _version(self, label: Label, one: _Standing, places: Sequence[int]) -> VersionChecked:
        counts = one.counts.tolist()
        buckets = tuple(counts[_FIRST_BUCKET:])
        return VersionChecked(
            *label,
            asked=int((one.streaks >= 0).sum()),
            failing={times: one.failing(times) for times in FAILING_FOR},
            cases=tuple(self._case(one, place) for place in places),
            passed=counts[_PASSED],
            failed=dict(zip(REASONS, counts[_FIRST_FAILURE:_FIRST_BUCKET], strict=True)),
            duration=Histogram(buckets, counts[_DURATION_NS] / 1e9),
            right_wall_s=counts[_RIGHT_NS] / 1e9,
        )

    def _case(self, one: _Standing, place: int) -> CaseChecked:
        return CaseChecked(self._names[place], int(one.streaks[place]), *one.failures.get(place, ("", "")))


def _places_shown(streaks: Sequence[NDArray[np.int64]]) -> list[list[int]]:
    """Of each version the cases that are shown, in the order of the file: if there are too many, those that fail."""
    asked = [(at, place) for at, one in enumerate(streaks) for place in np.flatnonzero(one >= 0).tolist()]
    first = sorted(asked, key=lambda found: not streaks[found[0]][found[1]])[:MOST_SHOWN]
    return [sorted(place for at, place in first if at == version) for version in range(len(streaks))]


def _counts_of(label: Label) -> str:
    return _OF_VERSION + json.dumps(label)
