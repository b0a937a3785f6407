"""SHELF: formats in which callers say of which trace a request is part.

A sibling has HEADERS, in lower case, and `read`, which gives None for what is missing or malformed: nobody may fail
because of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from exporter.contexts import amazon, b3, google, w3c
from exporter.trace_context import Context

Headers = Mapping[str, str]


class Format(NamedTuple):
    """One of them."""

    headers: tuple[str, ...]
    read: Callable[[Headers], Context | None]
    propagators: tuple[str, ...]
    """What OTEL_PROPAGATORS calls it."""


FORMATS: Final[Mapping[str, Format]] = {
    "w3c": Format(w3c.HEADERS, w3c.read, ("tracecontext",)),
    "b3": Format(b3.HEADERS, b3.read, ("b3", "b3multi")),
    "google": Format(google.HEADERS, google.read, ("gcp_trace", "cloud_trace_propagator")),
    "amazon": Format(amazon.HEADERS, amazon.read, ("xray", "xray-lambda")),
}
"""By name, in the order in which they are believed."""


def headers(names: Sequence[str]) -> tuple[str, ...]:
    """All that some of them need."""
    return tuple(header for name in names for header in FORMATS[name].headers)


class Reader:
    """Of some formats, the first that says anything being believed."""

    def __init__(self, names: Sequence[str]) -> None:
        self._reads = [FORMATS[name].read for name in names]
        self._needed = frozenset(headers(names))

    def __call__(self, found: Headers) -> Context | None:
        """What a request's headers say; None where they say nothing, or nothing that can be read."""
        if self._needed.isdisjoint(found):
            return None
        for read in self._reads:
            context = read(found)
            if context is not None:
                return context
        return None
