"""Requests as requests: codes, latency, sizes. Health probes are traffic of the platform, not of the model."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.records import DURATION_BOUNDS, SIZE_BOUNDS, Exchange
from exporter.snapshots import Histogram, Traffic

_DURATION_BOUNDS_NS: Final = tuple(round(bound * 1e9) for bound in DURATION_BOUNDS)
_PROBERS: Final = ("kube-probe/", "GoogleHC/", "ELB-HealthChecker/")
_FIRST_CODE, _CODES = 100, 501
_MOST_WAITING: Final = 4096
_SUCCESSES: Final = range(100, 400)
_REQUEST_BYTES, _RESPONSE_BYTES, _LAST_NS, _LAST_WALL_NS, _DURATION_NS, _FAILED_DURATION_NS = range(6)


class TrafficCounts:
    """Counts since start, as arrays."""

    def __init__(self, probe_paths: tuple[str, ...]) -> None:
        self._probe_paths = frozenset(probe_paths)
        self._codes = np.zeros(_CODES, np.int64)
        self._durations = np.zeros((2, len(DURATION_BOUNDS) + 1), np.int64)
        """Of successes, and of failures: many quick refusals would hide slow answers."""
        self._sizes = np.zeros((2, len(SIZE_BOUNDS) + 1), np.int64)
        self._sums = np.zeros(6, np.int64)
        self._waiting: list[tuple[int, ...]] = []
        self.probes = np.zeros(1, np.int64)
        """Of the platform, whichever model it asks for."""

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept of the model's requests."""
        return {
            f"{prefix}.codes": self._codes, f"{prefix}.durations": self._durations,
            f"{prefix}.sizes": self._sizes, f"{prefix}.sums": self._sums,
        }  # fmt: skip

    def add(self, exchange: Exchange) -> bool:
        """Count an exchange, at the next flush; False for a probe, which says nothing about the model."""
        agent = exchange.request_headers.get("user-agent", "")
        if exchange.path in self._probe_paths or agent.startswith(_PROBERS):
            self.probes += 1
            return False
        self._waiting.append((
            exchange.status, exchange.duration_ns, exchange.request.size, exchange.response.size,
            exchange.ended_ns, exchange.wall_ns,
        ))  # fmt: skip
        if len(self._waiting) >= _MOST_WAITING:
            self.flush()
        return True

    def flush(self) -> None:
        """Bring what waits into the counts: many at once cost a third of one by one."""
        if not self._waiting:
            return
        status, duration, asked, answered, ended, wall = np.array(self._waiting, np.int64).T
        self._waiting.clear()
        sums = self._sums
        codes = np.where((status >= _FIRST_CODE) & (status < 600), status - _FIRST_CODE, _CODES - 1)
        self._codes += np.bincount(codes, minlength=_CODES)
        failed = (status < _SUCCESSES.start) | (status >= _SUCCESSES.stop)
        sums[_DURATION_NS] += _count(self._durations[0], duration[~failed], _DURATION_BOUNDS_NS)
        sums[_FAILED_DURATION_NS] += _count(self._durations[1], duration[failed], _DURATION_BOUNDS_NS)
        sums[_REQUEST_BYTES] += _count(self._sizes[0], asked, SIZE_BOUNDS)
        sums[_RESPONSE_BYTES] += _count(self._sizes[1], answered, SIZE_BOUNDS)
        # The last one by the clock that nobody can set: a wall clock that was ahead for a moment must not stay shown.
        newest = ended.max()
        last = int(newest), int(wall[ended == newest].max())
        sums[_LAST_NS], sums[_LAST_WALL_NS] = max((int(sums[_LAST_NS]), int(sums[_LAST_WALL_NS])), last)

    def snapshot(self) -> Traffic:
        """The counts so far."""
        sums = self._sums.tolist()
        codes = {
            str(_FIRST_CODE + place) if place < _CODES - 1 else "other": int(self._codes[place])
            for place in np.flatnonzero(self._codes).tolist()
        }
        return Traffic(
            codes={"200": 0} | codes,
            duration=Histogram(tuple(self._durations[0].tolist()), sums[_DURATION_NS] / 1e9),
            failed_duration=Histogram(tuple(self._durations[1].tolist()), sums[_FAILED_DURATION_NS] / 1e9),
            request_size=Histogram(tuple(self._sizes[0].tolist()), sums[_REQUEST_BYTES]),
            response_size=Histogram(tuple(self._sizes[1].tolist()), sums[_RESPONSE_BYTES]),
            last_wall_s=sums[_LAST_WALL_NS] / 1e9,
            probes=int(self.probes[0]),
        )


def _count(buckets: NDArray[np.int64], values: NDArray[np.int64], bounds: Sequence[int]) -> np.int64:
    """Add values to their buckets, a bound to the one below it; their sum. Negative ones are not known."""
    known = values[values >= 0]
    buckets += np.bincount(np.searchsorted(bounds, known), minlength=len(bounds) + 1)
    total: np.int64 = known.sum()
    return total
