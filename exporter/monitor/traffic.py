"""Requests as requests: codes, latency, sizes. Health probes are traffic of the platform, not of the model."""

from bisect import bisect_left
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.records import DURATION_BOUNDS, SIZE_BOUNDS, Exchange, Histogram, Traffic

_DURATION_BOUNDS_NS: Final = tuple(round(bound * 1e9) for bound in DURATION_BOUNDS)
_PROBERS: Final = ("kube-probe/", "GoogleHC/", "ELB-HealthChecker/")
_FIRST_CODE, _CODES = 100, 501
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
        self.probes = np.zeros(1, np.int64)
        """Of the platform, whichever model it asks for."""

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept of the model's requests."""
        return {
            f"{prefix}.codes": self._codes, f"{prefix}.durations": self._durations,
            f"{prefix}.sizes": self._sizes, f"{prefix}.sums": self._sums,
        }  # fmt: skip

    def add(self, exchange: Exchange) -> bool:
        """Count an exchange; False for a probe, which says nothing about the model."""
        sums = self._sums
        agent = exchange.request_headers.get("user-agent", "")
        if exchange.path in self._probe_paths or agent.startswith(_PROBERS):
            self.probes += 1
            return False
        status = exchange.status
        self._codes[status - _FIRST_CODE if _FIRST_CODE <= status < 600 else _CODES - 1] += 1
        failed = status not in _SUCCESSES
        if exchange.duration_ns >= 0:
            self._durations[int(failed), bisect_left(_DURATION_BOUNDS_NS, exchange.duration_ns)] += 1
            sums[_FAILED_DURATION_NS if failed else _DURATION_NS] += exchange.duration_ns
        if exchange.request.size >= 0:
            self._sizes[0, bisect_left(SIZE_BOUNDS, exchange.request.size)] += 1
            sums[_REQUEST_BYTES] += exchange.request.size
        if exchange.response.size >= 0:
            self._sizes[1, bisect_left(SIZE_BOUNDS, exchange.response.size)] += 1
            sums[_RESPONSE_BYTES] += exchange.response.size
        # The last one by the clock that nobody can set: a wall clock that was ahead for a moment must not stay shown.
        last = max((int(sums[_LAST_NS]), int(sums[_LAST_WALL_NS])), (exchange.ended_ns, exchange.wall_ns))
        sums[_LAST_NS], sums[_LAST_WALL_NS] = last
        return True

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
