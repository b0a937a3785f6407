"""Rows of model input: how many were served, and of how many of these something is known."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.findings import FAILURE_CLASSES, RowCounts
from exporter.records import Capture, Exchange, Failure, Table

_OBSERVED, _SERVED_MILLI, _UNKNOWN_FIELDS, _WITHOUT_ID = range(4)
_WHOLE_PAYLOADS, _WHOLE_ROWS, _WHOLE_BYTES, _FIRST_FAILED = range(4, 8)
_MILLI: Final = 1000
_OF_KNOWN_FORM: Final = frozenset((Capture.TRUNCATED, Capture.SHED, Capture.SAMPLED))
"""Bodies that are missing for what they cost us, not for what they are."""


class Rows:
    """Counts since start, as one array. Rows that were not seen are estimated, in thousandths."""

    def __init__(self) -> None:
        self.counts = np.zeros(_FIRST_FAILED + len(FAILURE_CLASSES), np.int64)
        self._numbers = self.counts.data
        """The very same: to add to one of them costs a third this way."""

    def served(self, exchange: Exchange, result: Table | Failure) -> None:
        """Count the rows of a request that was answered with success."""
        counts, body = self._numbers, exchange.request
        if isinstance(result, Failure):
            counts[_SERVED_MILLI] += self._estimate(body.size, body.capture)
            return
        rows = result.rows
        counts[_OBSERVED] += rows
        if result.partial:
            seen = len(body.content) if body.capture is Capture.TRUNCATED else body.size
            counts[_SERVED_MILLI] += _MILLI * rows * body.size // max(seen, 1)
            return
        counts[_SERVED_MILLI] += _MILLI * rows
        counts[_WHOLE_PAYLOADS] += 1
        counts[_WHOLE_ROWS] += rows
        counts[_WHOLE_BYTES] += body.size

    def _estimate(self, size: int, capture: Capture) -> int:
        """Thousandths of rows in a body of which none was read: a row, as long as nothing is known of others."""
        payloads, rows, length = (self._numbers[place] for place in (_WHOLE_PAYLOADS, _WHOLE_ROWS, _WHOLE_BYTES))
        if capture in _OF_KNOWN_FORM and rows:
            return max(_MILLI * rows * size // max(length, 1), _MILLI)
        return _MILLI * rows // payloads if payloads else _MILLI

    def failed(self, failure: int, rows: int) -> None:
        """Count the rows of a request that failed; `failure` is a place in FAILURE_CLASSES."""
        self._numbers[_FIRST_FAILED + failure] += rows

    def unknown_fields(self, values: int) -> None:
        """Count values under names that the profile does not have."""
        self._numbers[_UNKNOWN_FIELDS] += values

    def without_id(self, rows: int) -> None:
        """Count predictions that no truth will ever find."""
        self._numbers[_WITHOUT_ID] += rows

    def snapshot(self) -> RowCounts:
        """The counts so far."""
        counts: list[Any] = self.counts.tolist()
        failed: NDArray[np.int64] = self.counts[_FIRST_FAILED:]
        return RowCounts(
            observed=counts[_OBSERVED],
            served=counts[_SERVED_MILLI] / _MILLI,
            unknown_fields=counts[_UNKNOWN_FIELDS],
            predictions_without_id=counts[_WITHOUT_ID],
            failed=dict(zip(FAILURE_CLASSES, failed.tolist(), strict=True)),
        )
