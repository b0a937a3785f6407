"""W3C Trace Context, level 1 (sections 3.2 and 3.3): `traceparent` and `tracestate`.

CloudEvents carry both as attributes (distributed tracing extension): `ce-traceparent`.
"""

import re
from collections.abc import Mapping
from typing import Final

from exporter.trace_context import NO_SPAN, NO_TRACE, Context

HEADERS: Final = ("traceparent", "tracestate", "ce-traceparent", "ce-tracestate")
_PARENT: Final = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_LONGEST_STATE: Final = 512
"""What everybody must pass on (section 3.3.1.5); a longer one is left out as a whole."""


def read(headers: Mapping[str, str]) -> Context | None:
    """A later version may have more behind the flags, the first one may not (section 3.2.2)."""
    prefix = "" if "traceparent" in headers else "ce-"
    found = _PARENT.fullmatch(headers.get(f"{prefix}traceparent", "").strip())
    if found is None or (found[1] == "00" and found[5]) or found[2] == NO_TRACE or found[3] == NO_SPAN:
        return None
    state = headers.get(f"{prefix}tracestate", "").strip()
    usable = len(state) <= _LONGEST_STATE and state.isascii() and state.isprintable()
    return Context(found[2], found[3], bool(int(found[4], 16) & 1), state if usable else "")
