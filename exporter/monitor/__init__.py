"""All that is known of one model: observe(), flush(), snapshot(now). No socket, no clock, no thread.

What it knows is integers in named arrays (`arrays()`), so that somebody else can keep them safe; adding is all that
is ever done to them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.config import Windows
from exporter.decode import REASONS
from exporter.monitor.block import Block
from exporter.monitor.traffic import TrafficCounts
from exporter.records import Decoding, Exchange, Failure, Observation, Snapshot, Table
from exporter.reference import Profile

_SIDES = ("request", "response")
_OFFERED, _DECODED, _FIRST_REASON = 0, 1, 2
_ROWS, _UNKNOWN_FIELDS = 0, 1
_PARTIAL_PAYLOADS, _PARTIAL_ROWS = 0, 1


class Monitor:
    """One model and version."""

    def __init__(self, profile: Profile | None, windows: Windows, probe_paths: tuple[str, ...]) -> None:
        self._traffic = TrafficCounts(probe_paths)
        self._decoding = np.zeros((len(_SIDES), _FIRST_REASON + len(REASONS)), np.int64)
        self._counts = np.zeros(2, np.int64)
        self._partial = np.zeros((len(_SIDES), 2), np.int64)
        self._profile = profile
        self._features = Block(profile.features, windows, by_name=True) if profile and profile.features else None
        self._outputs = Block(profile.outputs, windows, by_name=False) if profile and profile.outputs else None

    def arrays(self, series: str = "model") -> dict[str, NDArray[Any]]:
        """Everything counted so far, by name; call `flush` first.

        `series` stands for model and version: what has them as labels goes on with nobody else's.
        """
        digest = self._profile.digest if self._profile else "none"
        kept = {"probes": self._traffic.probes, "decoding": self._decoding, "partial": self._partial,
                f"{series}.counts": self._counts, **self._traffic.arrays(f"{series}.traffic")}  # fmt: skip
        for name, block in self._blocks():
            kept |= block.arrays(f"{series}.{digest}.{name}")
        return kept

    def _blocks(self) -> Iterator[tuple[str, Block]]:
        for name, block in (("features", self._features), ("outputs", self._outputs)):
            if block:
                yield name, block

    def held(self, now: float) -> dict[str, NDArray[Any]]:
        """What its windows hold at `now`, to be kept for another time; call `flush` first. No counts since start."""
        return {key: array for name, block in self._blocks() for key, array in block.held(name, now).items()}

    def put_back(self, held: Mapping[str, NDArray[Any]], shift_s: float, now: float) -> int:
        """Go on with windows that were held when the clock showed `shift_s` less: how many panes there were.

        What does not fit, or would have left the windows by `now`, is left out.
        """
        return sum(block.put_back(held, name, shift_s, now) for name, block in self._blocks())

    def observe(self, exchange: Exchange, observation: Observation) -> None:
        """Count an exchange and what was decoded of it. Its moment is its own, so that late ones land right."""
        if not self._traffic.add(exchange):
            return
        at = exchange.ended_ns / 1e9
        self._side(0, self._features, observation.features, at)
        self._side(1, self._outputs, observation.predictions, at)

    def _side(self, side: int, block: Block | None, table: Table | Failure | None, at: float) -> None:
        if table is None:
            return
        counts = self._decoding[side]
        counts[_OFFERED] += 1
        if isinstance(table, Table) and block:
            fitted = block.fit(table)
            if isinstance(fitted, Failure):
                table = fitted
            else:
                block.add(fitted, table.rows, at)
                self._counts[_UNKNOWN_FIELDS] += block.unknown_fields(table)
        if isinstance(table, Failure):
            counts[_FIRST_REASON + REASONS.index(table.reason)] += 1
            return
        counts[_DECODED] += 1
        if table.partial:
            self._partial[side] += (1, table.rows)
        if side == 0:
            self._counts[_ROWS] += table.rows

    def flush(self) -> None:
        """Bring what was observed into the counts."""
        for _, block in self._blocks():
            block.flush()

    def snapshot(self, now: float) -> Snapshot:
        """All that is known at `now` (seconds, the exchanges' monotonic clock)."""
        return Snapshot(
            traffic=self._traffic.snapshot(),
            decoding=self._decoding_snapshot(),
            rows=int(self._counts[_ROWS]),
            unknown_fields=int(self._counts[_UNKNOWN_FIELDS]),
            features=self._features.snapshot(now) if self._features else None,
            outputs=self._outputs.snapshot(now) if self._outputs else None,
        )

    def _decoding_snapshot(self) -> Decoding:
        table: Mapping[str, list[int]] = dict(zip(_SIDES, self._decoding.tolist(), strict=True))
        partial = self._partial.tolist()
        return Decoding(
            offered={side: counts[_OFFERED] for side, counts in table.items()},
            decoded={side: counts[_DECODED] for side, counts in table.items()},
            undecoded={
                (side, reason): count
                for side, counts in table.items()
                for reason, count in zip(REASONS, counts[_FIRST_REASON:], strict=True)
            },
            partial={side: partial[at][_PARTIAL_PAYLOADS] for at, side in enumerate(_SIDES)},
            partial_rows={side: partial[at][_PARTIAL_ROWS] for at, side in enumerate(_SIDES)},
        )
