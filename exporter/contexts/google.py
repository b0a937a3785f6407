"""Google Cloud's own header, `X-Cloud-Trace-Context: TRACE_ID/SPAN_ID;o=OPTIONS`, the span being a decimal number."""

import re
from collections.abc import Mapping
from typing import Final

from exporter.trace_context import NO_TRACE, Context

HEADERS: Final = ("x-cloud-trace-context",)
_CONTEXT: Final = re.compile(r"([0-9a-f]{32})/([0-9]{1,20})(?:;o=([0-9]))?")
_SPANS: Final = 1 << 64


def read(headers: Mapping[str, str]) -> Context | None:
    """Without options it is left to others whether to record."""
    found = _CONTEXT.fullmatch(headers.get("x-cloud-trace-context", "").strip().lower())
    if found is None or found[1] == NO_TRACE or not 0 < int(found[2]) < _SPANS:
        return None
    return Context(found[1], f"{int(found[2]):016x}", bool(int(found[3]) & 1) if found[3] else None)
