"""Which exchanges are kept: those that failed, were slow or had unusual rows, as settings say, and a share of all."""

import random
from typing import Final

from exporter.traced import Tail
from exporter.witness.seeing import Seen
from exporter.witnessed import DRIFTED

ERROR, SLOW, UNUSUAL, GROWN, LOT, CALLER = "error", "slow", "unusual", "drifted", "ratio", "caller"
_DRAWN_FROM: Final = 1 << 56
"""The last 56 bits of a trace id are random (W3C Trace Context 2, section 3.3.3): who draws by them keeps the same."""


class Keeping:
    """A lot, and what is kept whatever it says."""

    def __init__(self, tail: Tail, ratio: float) -> None:
        self._errors, self._slow_ns = tail.errors, round(tail.slow * 1e9)
        self._unusual, self._drifted = tail.unusual, tail.drifted
        self._below = round(ratio * _DRAWN_FROM)

    def in_any_case(self, seen: Seen) -> str:
        """Why it is kept whatever a lot says; empty where it is not."""
        if self._errors and not 100 <= (seen.exchange.status or 200) < 400:
            return ERROR
        if 0 < self._slow_ns <= seen.exchange.duration_ns:
            return SLOW
        if self._unusual and any(flag.check != DRIFTED for flag in seen.flags):
            return UNUSUAL
        if self._drifted and any(flag.check == DRIFTED for flag in seen.flags):
            return GROWN
        return ""

    def is_drawn(self, trace_id: str) -> bool:
        """Whether the lot falls on it: of a trace on all or none of its exchanges."""
        if self._below >= _DRAWN_FROM:
            return True
        drawn = int(trace_id[-14:], 16) if trace_id else random.getrandbits(56)
        return drawn < self._below

    def why(self, seen: Seen) -> str:
        """Why it is kept; empty where it is not."""
        found = self.in_any_case(seen)
        return found or (LOT if self.is_drawn(seen.context.trace_id if seen.context else "") else "")
