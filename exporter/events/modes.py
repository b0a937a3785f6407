"""The events in a POST, in whichever mode it came. Bytes in, events or an EventError out.

CloudEvents 1.0.2, HTTP protocol binding: binary (3.1: attributes are `ce-` headers, the body is the data), structured
(3.2: one JSON object) and batched (3.3: a list of them). JSON event format: section 3.1 on data. Version 0.3 differs
in nothing that is used here.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import orjson

from exporter.decode import inflate
from exporter.errors import DecodeError, EventError

_STRUCTURED: Final = "application/cloudevents"
_BATCHED: Final = "application/cloudevents-batch"
_FORMATS: Final = frozenset(("", "json"))
_VERSIONS: Final = frozenset(("1.0", "0.3"))
_BODIES: Final = frozenset(("data", "data_base64"))
_Dumps = Callable[[Any], bytes]
_NOT_AN_EVENT: Final = "no CloudEvent: neither a ce-type header nor content type application/cloudevents+json"


class Event(NamedTuple):
    """One event; its data as bytes, as they were posted to the model server or came back from it."""

    attributes: Mapping[str, str]
    """Extensions too, names in lower case."""
    content_type: str
    content_encoding: str
    data: bytes


def events(headers: Mapping[str, str], body: bytes, most: int) -> list[Event]:
    """What a POST holds; `headers` have names in lower case, `most` is how many bytes a body may inflate to.

    EventError: malformed, too_large.
    """
    kind, _, form = headers.get("content-type", "").partition(";")[0].strip().lower().partition("+")
    if kind not in {_STRUCTURED, _BATCHED}:
        return [_binary(headers, body)]
    if form not in _FORMATS:
        raise EventError("malformed", f"content type {kind}+…: of event formats only JSON is read")
    document, dumps = _parsed(_plain(headers, body, most))
    if kind == _STRUCTURED:
        return [_structured(document, "", dumps)]
    if not isinstance(document, list):
        raise EventError("malformed", "a batch must be a list of events")
    try:
        return [_structured(item, f"[{place}]", dumps) for place, item in enumerate(document)]
    except EventError as error:
        raise EventError(error.reason, str(error), len(document)) from None


# --- binary


def _binary(headers: Mapping[str, str], body: bytes) -> Event:
    attributes = {name[3:]: _text(value) for name, value in headers.items() if name.startswith("ce-")}
    if "type" not in attributes:
        raise EventError("malformed", _NOT_AN_EVENT)
    _check(attributes, "ce-")
    return Event(attributes, headers.get("content-type", ""), headers.get("content-encoding", ""), body)


def _text(value: str) -> str:
    """A header's value as an attribute: without quotes around it, percent-decoded (3.1.3.2)."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return unquote(value)


# --- structured


def _plain(headers: Mapping[str, str], body: bytes, most: int) -> bytes:
    try:
        plain, cut = inflate.inflated(body, headers.get("content-encoding", ""), partial=False)
    except DecodeError as error:
        raise EventError("malformed", f"content-encoding: {error}") from None
    if cut or len(plain) > most:
        raise EventError("too_large", "the body inflates to more than events.max_body, or too many times its size")
    return plain


def _parsed(plain: bytes) -> tuple[object, _Dumps]:
    """A document, and what writes any part of it as it was."""
    try:
        return orjson.loads(plain), orjson.dumps
    except orjson.JSONDecodeError:
        return _tolerant(plain), lambda part: json.dumps(part).encode()


def _tolerant(plain: bytes) -> object:
    # What orjson refuses and model servers in Python read: NaN, Infinity, a byte order mark, UTF-16.
    try:
        return json.loads(plain)
    except RecursionError:
        raise EventError("malformed", "the body is nested too deeply") from None
    except (ValueError, UnicodeError):
        raise EventError("malformed", "the body is not JSON") from None


def _structured(document: object, place: str, dumps: _Dumps) -> Event:
    if not isinstance(document, dict):
        raise EventError("malformed", f"{place or 'the body'}: an event must be an object")
    prefix = f"{place}." if place else ""
    attributes = {
        name.lower(): value if isinstance(value, str) else str(value)
        for name, value in document.items()
        if name not in _BODIES and isinstance(value, str | int | float)
    }
    _check(attributes, prefix)
    return Event(attributes, attributes.get("datacontenttype", ""), "", _data(document, prefix, dumps))


def _data(document: dict[str, Any], prefix: str, dumps: _Dumps) -> bytes:
    """The data as bytes: what was JSON is JSON again, text is itself."""
    data, encoded = document.get("data"), document.get("data_base64")
    if encoded is None:
        return b"" if data is None else _bytes(data, prefix, dumps)
    if data is not None:
        raise EventError("malformed", f"{prefix}data: given as data_base64, too")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise EventError("malformed", f"{prefix}data_base64: not base64") from None


def _bytes(data: object, prefix: str, dumps: _Dumps) -> bytes:
    try:
        return data.encode() if isinstance(data, str) else dumps(data)
    except UnicodeEncodeError:
        raise EventError("malformed", f"{prefix}data: not Unicode, half of a surrogate pair is alone") from None
    except (RecursionError, TypeError):  # orjson's word for it
        raise EventError("malformed", f"{prefix}data: nested too deeply") from None


def _check(attributes: Mapping[str, str], prefix: str) -> None:
    """EventError where it is no event of a version that is read. What goes without saying may be left out."""
    if not attributes.get("type"):
        raise EventError("malformed", f"{prefix}type: missing")
    if attributes.get("specversion", "1.0") not in _VERSIONS:
        raise EventError("malformed", f"{prefix}specversion: only {' and '.join(sorted(_VERSIONS))} are read")
