"""A body as a JSON object. Python's servers accept NaN and Infinity, so traffic with them is read too."""

import json
from collections.abc import Collection, Mapping
from typing import Any

import orjson

from exporter.decode import prefix
from exporter.errors import DecodeError


def parsed(content: bytes) -> Any:  # noqa: ANN401 (whatever JSON has)
    """The value in a body. DecodeError: empty, invalid_json."""
    if not content:
        raise DecodeError("empty")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return _tolerant(content)


def document(content: bytes) -> Mapping[str, Any]:
    """The object in a body. DecodeError: empty, invalid_json, unknown_protocol."""
    return as_object(parsed(content))


def as_object(found: object) -> Mapping[str, Any]:
    """What is an object. DecodeError: unknown_protocol."""
    if not isinstance(found, dict):
        raise DecodeError("unknown_protocol", f"the top level is a {type(found).__name__}, not an object")
    return found


def beginning(content: bytes, places: Collection[prefix.Rows]) -> Any:  # noqa: ANN401
    """As `parsed`, of a body that was cut off: its complete rows. DecodeError: truncated too, where it has none."""
    closed = prefix.close(content, places)
    if closed is None:
        raise DecodeError("truncated", "no complete row")
    found = parsed(closed)
    if not prefix.explained(found, places):
        raise DecodeError("truncated", "what says how to read the rows is not there")
    return found


def _tolerant(content: bytes) -> object:
    # What orjson refuses and the standard library reads: NaN, Infinity, a byte order mark, UTF-16, huge integers.
    try:
        return json.loads(content)
    except RecursionError:
        raise DecodeError("invalid_json", "nested too deeply") from None
    except (ValueError, UnicodeError):
        raise DecodeError("invalid_json") from None
