"""An event as one half of an exchange: what it is, whose, when, and by what the other half is found.

KServe (pkg/logger/worker.go): `org.kubeflow.serving.inference.request|response`, one `ce-id` for both, the name in
`ce-inferenceservicename`. Its answers carry the content type of their requests, and only those with status 200 are
sent. Seldon (executor/logger/worker.go): `io.seldon.serving.inference.request|response` with an id each, joined by
`ce-requestid`, the model in `ce-modelid`; `io.seldon.serving.feedback`.
"""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from exporter.errors import EventError
from exporter.events.modes import Event
from exporter.messages import KEPT_HEADERS, LONGEST_PATH, LONGEST_VALUE

REQUEST, RESPONSE, FEEDBACK, OTHER = "request", "response", "feedback", "other"
_KINDS: Final = ((".inference.request", REQUEST), (".inference.response", RESPONSE), (".feedback", FEEDBACK))
_TOLD: Final = ("requestid", "modelid", "inferenceservicename", "namespace", "component", "endpoint")
"""Extensions that say whose exchange it is: every node of a graph logs its own, under one id."""
_KEPT: Final = frozenset(name.decode() for name in KEPT_HEADERS) - {"content-type"}
_OVERHEAD: Final = 2048
"""Bytes that a half takes beside its body."""
_LONGEST_METADATA: Final = 1 << 14
_GZIP: Final = b"\x1f\x8b"

Key = tuple[str, ...]


class Arrival(NamedTuple):
    """When a POST came, on both clocks, nanoseconds."""

    monotonic_ns: int
    wall_ns: int


class Half(NamedTuple):
    """A request or an answer."""

    kind: str
    key: Key
    """What both halves of an exchange have in common, and no other exchange has."""
    headers: Mapping[str, str]
    """As of `Exchange`: what decoding needs, `ce-id` being what both halves have in common."""
    path: str
    body: bytes
    sent_ns: int
    """Unix time at which its sender says that it was, 0 where it does not say."""
    arrival: Arrival
    cost: int
    """Bytes that it takes while it waits, roughly."""


def half(event: Event, arrival: Arrival, kept: Collection[str] = ()) -> Half:
    """What an event says. EventError: malformed, where it is a request or an answer that nothing joins.

    `kept` are headers in lower case that are looked at beside the usual.
    """
    attributes = event.attributes
    kind = next((kind for ending, kind in _KINDS if attributes["type"].endswith(ending)), OTHER)
    told = {name: attributes[name][:LONGEST_VALUE] for name in _TOLD if attributes.get(name)}
    joined_by = told.get("requestid") or attributes.get("id", "")[:LONGEST_VALUE]
    if not joined_by and kind in {REQUEST, RESPONSE}:
        raise EventError("malformed", "id: missing, and there is no requestid")
    key = (joined_by, *(told.get(name, "") for name in _TOLD[1:]))
    headers = {f"ce-{name}": value for name, value in told.items()} | {"ce-id": joined_by}
    headers |= _about_body(event, kind, kept)
    cost = _OVERHEAD + len(event.data) + sum(map(len, headers.values())) * 2  # those of the key are there twice
    sent_ns = _sent_ns(attributes.get("time", ""))
    return Half(kind, key, headers, _path(attributes), event.data, sent_ns, arrival, cost)


def _about_body(event: Event, kind: str, kept: Collection[str]) -> dict[str, str]:
    headers = _of_request(event.attributes.get("metadata", ""), kept) if kind == REQUEST else {}
    content_type = event.content_type[:LONGEST_VALUE]
    if kind == RESPONSE and event.data.lstrip()[:1] in {b"{", b"["}:
        content_type = "application/json"  # the type that came along is the request's
    if content_type:
        headers["content-type"] = content_type
    if event.content_encoding:
        headers["content-encoding"] = event.content_encoding[:LONGEST_VALUE]
    elif event.data[:2] == _GZIP:  # loggers pass bytes on as they were, and not the header that says so
        headers["content-encoding"] = "gzip"
    return headers


def _of_request(metadata: str, kept: Collection[str]) -> dict[str, str]:
    """Headers of the request that its logger was told to pass on: a JSON object of lists."""
    try:
        found = json.loads(metadata) if 0 < len(metadata) <= _LONGEST_METADATA else None
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        name.lower(): values[0][:LONGEST_VALUE]
        for name, values in found.items()
        if (name.lower() in _KEPT or name.lower() in kept)
        and isinstance(values, list)
        and values
        and isinstance(values[0], str)
    }


def _path(attributes: Mapping[str, str]) -> str:
    """The request's path, where anything says it: a `path` of its own, or the source, which may be the whole URL."""
    source = attributes.get("source", "")
    try:
        path = attributes.get("path") or (urlsplit(source).path if source.startswith("http") else "")
    except ValueError:
        return ""
    path = path.partition("?")[0][:LONGEST_PATH]
    return "" if path == "/" else path


def _sent_ns(time: str) -> int:
    try:
        moment = datetime.fromisoformat(time)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(round(moment.timestamp() * 1e6) * 1000, 0)
    except (ValueError, OverflowError):
        return 0
