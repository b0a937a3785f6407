"""The trace and the span by which an exchange can be found."""

from typing import NamedTuple

from exporter.trace_context import Context


class Trace(NamedTuple):
    """Of ours where we send a span of it, else the caller's."""

    trace_id: str
    span_id: str


def of_caller(context: Context | None) -> Trace | None:
    """None where it said nothing."""
    return None if context is None else Trace(context.trace_id, context.span_id)
