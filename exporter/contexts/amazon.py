"""AWS X-Ray's header, `X-Amzn-Trace-Id: Root=1-TIME-ID;Parent=SPAN;Sampled=1`; `Self` is a load balancer's own."""

import re
from collections.abc import Mapping
from typing import Final

from exporter.trace_context import NO_SPAN, NO_TRACE, Context

HEADERS: Final = ("x-amzn-trace-id",)
_ROOT: Final = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_SPAN: Final = re.compile(r"[0-9a-f]{16}")
_SAMPLED: Final = {"1": True, "0": False}
_MOST: Final = 16


def read(headers: Mapping[str, str]) -> Context | None:
    """A root alone, as a load balancer sends it, has no span that could be a parent: it is of no use here."""
    parts = headers.get("x-amzn-trace-id", "").lower().split(";", _MOST)
    said = {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in parts)}
    root, parent = _ROOT.fullmatch(said.get("root", "")), said.get("parent", "")
    if root is None or not _SPAN.fullmatch(parent) or parent == NO_SPAN or root[1] + root[2] == NO_TRACE:
        return None
    return Context(root[1] + root[2], parent, _SAMPLED.get(said.get("sampled", "")))
