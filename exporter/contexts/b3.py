"""B3, as Zipkin's clients send it: one header `b3`, or several that begin with `x-b3-` (openzipkin/b3-propagation)."""

import re
from collections.abc import Mapping
from typing import Final

from exporter.trace_context import NO_SPAN, NO_TRACE, Context

HEADERS: Final = ("b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags")
_IDS: Final = re.compile(r"([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})")
_SINGLE: Final = re.compile(rf"{_IDS.pattern}(?:-([01d])(?:-[0-9a-f]{{16}})?)?")
_SAMPLED: Final = {"1": True, "d": True, "true": True, "0": False, "false": False}
_DEBUG: Final = "1"


def read(headers: Mapping[str, str]) -> Context | None:
    """A decision alone, without ids, is of no trace yet. Ids of 64 bits are filled up with zeros."""
    single = _SINGLE.fullmatch(headers.get("b3", "").strip().lower())
    if single:
        return _context(single[1], single[2], _SAMPLED.get(single[3] or ""))
    ids = f"{headers.get('x-b3-traceid', '').strip()}-{headers.get('x-b3-spanid', '').strip()}".lower()
    several = _IDS.fullmatch(ids)
    if several is None:
        return None
    sampled = _SAMPLED.get(headers.get("x-b3-sampled", "").strip().lower())
    if headers.get("x-b3-flags", "").strip() == _DEBUG:
        sampled = True
    return _context(several[1], several[2], sampled)


def _context(trace: str, span: str, sampled: bool | None) -> Context | None:
    trace = trace.rjust(32, "0")
    return None if trace == NO_TRACE or span == NO_SPAN else Context(trace, span, sampled)
