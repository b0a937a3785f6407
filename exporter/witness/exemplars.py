"""The last request that a counter counted, by its trace, so that a graph leads to requests (OpenMetrics: exemplars).

Of traces alone that somebody records: the caller says so, or we send a span.
"""

from bisect import bisect_left
from typing import Final

from exporter import catalogue
from exporter.collect.exposition import Labels, ends
from exporter.families import Columns, Family
from exporter.records import DURATION_BOUNDS, Exchange
from exporter.reference import Profile
from exporter.witness.seeing import Seen
from exporter.witness.traces import Trace
from exporter.witnessed import NONFINITE, TYPE_ERROR

_BOUNDS_NS: Final = tuple(round(bound * 1e9) for bound in DURATION_BOUNDS)
_ENDS: Final = ends(DURATION_BOUNDS)
_SIDES: Final = {"feature": catalogue.FEATURES, "output": catalogue.OUTPUTS}
_CODES: Final = {code: str(code) for code in range(100, 600)}


class Kept:
    """As many as there are buckets, codes and columns."""

    def __init__(self) -> None:
        self.found: dict[str, dict[Labels, str]] = {}
        """What stands behind a sample, by family and labels; of a histogram with the bucket's end as the last one."""

    def take(self, seen: Seen, trace: Trace | None) -> None:
        """An exchange that was counted."""
        if trace is None:
            return
        exchange, label = seen.exchange, tuple(seen.watched.label)
        head = f' # {{trace_id="{trace.trace_id}",span_id="{trace.span_id}"}} '
        at = f" {exchange.wall_ns // 1_000_000 / 1e3!r}"
        one = f"{head}1{at}"
        self._put(catalogue.REQUESTS, (*label, _CODES.get(exchange.status, "other")), one)
        if exchange.duration_ns >= 0:
            self._put(_duration(exchange), (*label, _ENDS[bisect_left(_BOUNDS_NS, exchange.duration_ns)]),
                      f"{head}{exchange.duration_ns / 1e9!r}{at}")  # fmt: skip
        if seen.watched.profile is not None and seen.flags and 200 <= exchange.status < 300:
            self._flags(seen, seen.watched.profile, one)

    def _flags(self, seen: Seen, profile: Profile, one: str) -> None:
        for flag in seen.flags:
            for family in _families(_SIDES[flag.side], flag.check):
                self._put(family, (*seen.watched.label, profile.short_digest, flag.column), one)

    def _put(self, family: Family, labels: Labels, text: str) -> None:
        self.found.setdefault(family.name, {})[labels] = text


def _duration(exchange: Exchange) -> Family:
    return catalogue.REQUEST_DURATION if 100 <= exchange.status < 400 else catalogue.FAILED_DURATION


def _families(of: Columns, check: str) -> tuple[Family, ...]:
    """That count a value which failed a check: one of a wrong type is not finite either."""
    if check == TYPE_ERROR:
        return (of.type_errors, of.quality_values[NONFINITE])
    return (of.quality_values[check],) if check in of.quality_values else ()
