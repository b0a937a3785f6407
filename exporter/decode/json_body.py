"""A body as a JSON value. Python's servers accept NaN and Infinity, so traffic with them is read too."""

import json
from collections.abc import Collection
from typing import Any, Final

import orjson

from exporter.decode import prefix
from exporter.errors import DecodeError

_SURELY_64_BITS: Final = 19
"""Characters; fewer are always within them."""


def parsed(content: bytes) -> Any:  # noqa: ANN401 (whatever JSON has)
    """The value in a body. DecodeError: empty, invalid_json."""
    if not content:
        raise DecodeError("empty")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return _tolerant(content)


def beginning(content: bytes, places: Collection[prefix.Rows]) -> Any:  # noqa: ANN401
    """As `parsed`, of a body that was cut off: its complete rows. DecodeError: truncated too, where it has none."""
    closed = prefix.close(content, places)
    if closed is None:
        raise DecodeError("truncated", "no complete row")
    found = parsed(closed)
    if not prefix.explained(found, places):
        raise DecodeError("truncated", "what says how to read the rows is not there")
    return found


def lines(content: bytes) -> list[Any]:
    """The values of the lines of a body, blank ones left out. DecodeError: empty, invalid_json."""
    given = [line for line in content.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip(b" \t\x1e")]
    if not given:
        raise DecodeError("empty")
    found: list[Any] = parsed(b"[" + b",".join(line.strip(b"\x1e") for line in given) + b"]")
    if len(found) != len(given):
        raise DecodeError("invalid_json", "a line is not one value")
    return found


def _integer(digits: str) -> int | float:
    """As orjson has them: what no 64 bits hold is a float. One beyond all floats, which orjson refuses, stays."""
    number = int(digits)
    if len(digits) < _SURELY_64_BITS or -(1 << 63) <= number < 1 << 64:
        return number
    try:
        return float(number)
    except OverflowError:
        return number


def _tolerant(content: bytes) -> object:
    # What orjson refuses and the standard library reads: NaN, Infinity, a byte order mark, UTF-16, huge integers.
    try:
        return json.loads(content, parse_int=_integer)
    except RecursionError:
        raise DecodeError("invalid_json", "nested too deeply") from None
    except (ValueError, UnicodeError):
        raise DecodeError("invalid_json") from None
