"""What a caller says of the trace that its request is part of. Plain data; the standard library only."""

from typing import Final, NamedTuple

NO_TRACE: Final = "0" * 32
NO_SPAN: Final = "0" * 16


class Context(NamedTuple):
    """As any of the formats says it."""

    trace_id: str
    """32 hexadecimal digits in lower case, not all of them zeros."""
    span_id: str
    """The caller's span, 16 such digits."""
    sampled: bool | None
    """Whether the caller records the trace; None where it leaves that to others."""
    state: str = ""
    """`tracestate`, as it came."""
