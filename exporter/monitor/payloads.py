"""Payloads as payloads: which were read, which were not and why, and the last ones that were not."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.decode import PROTOCOLS, REASONS
from exporter.findings import Unread
from exporter.records import SIDES, UNKNOWN_PROTOCOL, Exchange, Failure, Table
from exporter.snapshots import Decoding

_OFFERED, _DECODED, _FIRST_REASON = 0, 1, 2
_PARTIAL_PAYLOADS, _PARTIAL_ROWS = 0, 1
_NAMES: Final = (UNKNOWN_PROTOCOL, *PROTOCOLS)
_PER_PROTOCOL: Final = _FIRST_REASON + len(REASONS)
_PER_SIDE: Final = len(_NAMES) * _PER_PROTOCOL
_STARTS: Final = tuple(
    {name: side * _PER_SIDE + place * _PER_PROTOCOL for place, name in enumerate(_NAMES)} for side in range(len(SIDES))
)
"""By side and protocol: where its counts begin."""
_PLACE_OF_REASON: Final = {reason: place for place, reason in enumerate(REASONS, _FIRST_REASON)}
_EXPECTED: Final = frozenset(("error_status", "shed", "sampled"))
"""Reasons that have metrics of their own and are nobody's mistake: no news."""
_NEWS_EVERY_S: Final = 60.0
_LONGEST_PATH: Final = 200
_LONGEST_DETAIL: Final = 200


class Payloads:
    """Counts since start, as arrays; the last failures are in memory only."""

    def __init__(self) -> None:
        self._counts = np.zeros((len(SIDES), len(_NAMES), _PER_PROTOCOL), np.int64)
        self._counting = self._counts.reshape(-1).data  # the same memory, several times cheaper to add to one by one
        self._partial = np.zeros((len(SIDES), 2), np.int64)
        self._last: dict[tuple[str, str], Unread] = {}
        self._untold: dict[tuple[str, str], int] = {}
        self._told: dict[tuple[str, str], float] = {}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return {"decoding": self._counts, "partial": self._partial}

    def add(self, side: int, result: Table | Failure, protocol: str, exchange: Exchange) -> None:
        """Count one side of an exchange; `side` is a place in SIDES."""
        counts, start = self._counting, _STARTS[side].get(protocol, side * _PER_SIDE)
        counts[start + _OFFERED] += 1
        if isinstance(result, Failure):
            counts[start + _PLACE_OF_REASON[result.reason]] += 1
            if result.reason not in _EXPECTED:
                self._note(SIDES[side], result, protocol, exchange)
            return
        counts[start + _DECODED] += 1
        if result.partial:
            self._partial[side] += (1, result.rows)

    def _note(self, side: str, failure: Failure, protocol: str, exchange: Exchange) -> None:
        key = side, failure.reason
        self._last[key] = Unread(
            exchange.wall_ns / 1e9, side, failure.reason, protocol or UNKNOWN_PROTOCOL, exchange.path, failure.detail
        )
        self._untold[key] = self._untold.get(key, 0) + 1

    def news(self, now: float) -> Iterator[str]:
        """A line for each reason on each side with failures that no line has told, once a minute at most."""
        for key in [key for key in self._untold if now - self._told.get(key, -_NEWS_EVERY_S) >= _NEWS_EVERY_S]:
            count, self._told[key] = self._untold.pop(key), now
            yield _line(self._last[key], count)

    def last(self) -> tuple[Unread, ...]:
        """The last failure of each reason on each side, the newest first."""
        newest = sorted(self._last.values(), key=lambda one: (-one.wall_s, one.side, one.reason))
        return tuple(
            one._replace(path=printable(one.path, _LONGEST_PATH), detail=printable(one.detail, _LONGEST_DETAIL))
            for one in newest
        )

    def snapshot(self) -> Decoding:
        """The counts so far. Of a protocol that was never met nothing is shown but of `unknown`."""
        table: Mapping[str, NDArray[np.int64]] = dict(zip(SIDES, self._counts, strict=True))
        met = [place for place in range(len(_NAMES)) if place == 0 or self._counts[:, place, _OFFERED].any()]
        partial = self._partial.tolist()
        return Decoding(
            offered={side: int(counts[:, _OFFERED].sum()) for side, counts in table.items()},
            decoded={side: int(counts[:, _DECODED].sum()) for side, counts in table.items()},
            undecoded={
                (side, reason, _NAMES[place]): count
                for side, counts in table.items()
                for place in met
                for reason, count in zip(REASONS, counts[place, _FIRST_REASON:].tolist(), strict=True)
            },
            partial={side: partial[at][_PARTIAL_PAYLOADS] for at, side in enumerate(SIDES)},
            partial_rows={side: partial[at][_PARTIAL_ROWS] for at, side in enumerate(SIDES)},
        )


def _line(last: Unread, count: int) -> str:
    path, detail = printable(last.path, _LONGEST_PATH), printable(last.detail, _LONGEST_DETAIL)
    times = "1 payload" if count == 1 else f"{count} payloads"
    return (
        f"{times} could not be decoded ({last.side}, {last.reason}); the last one: protocol {last.protocol},"
        f" path {path}{f', {detail}' if detail else ''}"
    )


def printable(text: str, most: int) -> str:
    """A stranger's text on one line, without what a terminal or a page would obey, and cut."""
    shown = "".join(one if one.isprintable() else "�" for one in text[:most])
    return f"{shown}…" if len(text) > most else shown
