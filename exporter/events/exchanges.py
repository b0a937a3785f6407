"""A pair of halves as an exchange, as the relay would have seen it; what nobody told stays unknown.

Times: a moment is when the event came, for the clocks of other hosts may be wrong by seconds or minutes. Only what its
sender calls older than `LATE_S` (it was kept and sent again) is placed in the past, as far as it says.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from exporter.events.halves import Half
from exporter.events.joining import Pair
from exporter.records import NO_BODY, Body, Capture, Exchange, Observation

_NS: Final = 1_000_000_000
LATE_S: Final = 300
_OLDEST_S: Final = 366 * 86_400
"""What is older than every window is as good as this."""
LONGEST_S: Final = 600
"""A difference of two senders' clocks beyond this is no duration."""
_ANSWERED: Final = 200
"""Loggers send no other answers than these."""


def exchange(pair: Pair) -> Exchange:
    """What is known of it, as if it had been answered well, so that it can be read."""
    last = pair.response or pair.request
    assert last is not None  # noqa: S101 (a pair has one half at least)
    age_ns = _age_ns(last)
    return Exchange(
        last.arrival.monotonic_ns - age_ns,
        last.arrival.wall_ns - age_ns,
        _duration_ns(pair),
        _ANSWERED,
        "POST",
        pair.request.path if pair.request else last.path,
        _headers(pair.request or last),
        _headers(pair.response),
        _body(pair.request),
        _body(pair.response),
    )


def known(pair: Pair, seen: Observation) -> Observation:
    """What was read of it, without the side that nobody told us of."""
    if pair.request is None:
        return replace(seen, features=None)
    return seen if pair.response else replace(seen, predictions=None)


def counted(pair: Pair, read: Exchange) -> Exchange:
    """As it is counted: without an answer nobody knows its status."""
    return read if pair.response else read._replace(status=0)


def _headers(half: Half | None) -> Mapping[str, str]:
    return half.headers if half else {}


def _body(half: Half | None) -> Body:
    return Body(len(half.body), Capture.WHOLE, half.body) if half else NO_BODY


def _age_ns(half: Half) -> int:
    age_ns = half.arrival.wall_ns - half.sent_ns if half.sent_ns else 0
    return min(age_ns, _OLDEST_S * _NS) if age_ns > LATE_S * _NS else 0


def _duration_ns(pair: Pair) -> int:
    """From one sender's clock; where it shows the same moment twice it is too coarse."""
    if pair.request is None or pair.response is None or not pair.request.sent_ns:
        return -1
    duration_ns = pair.response.sent_ns - pair.request.sent_ns
    return duration_ns if 0 < duration_ns <= LONGEST_S * _NS else -1
