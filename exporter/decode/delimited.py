"""CSV as rows of cells: RFC 4180, numbers as numbers, an empty cell as null; and whether the first row is a header."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any, Final

import orjson

from exporter.errors import DecodeError

_CODECS: Final = {
    "": "utf-8-sig", "utf-8": "utf-8-sig", "utf8": "utf-8-sig", "us-ascii": "utf-8-sig", "ascii": "utf-8-sig",
    "iso-8859-1": "latin-1", "latin-1": "latin-1", "latin1": "latin-1", "windows-1252": "cp1252", "cp1252": "cp1252",
    "utf-16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
}  # fmt: skip
"""Charsets that are read. No others of Python's: some of them inflate."""
_PLAIN: Final = b"0123456789+-.eE,\r\n"
"""What rows of nothing but numbers are made of."""
_NUMBER: Final = re.compile(
    r"\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf|infinity)\s*", re.ASCII | re.IGNORECASE
)
_WHOLE: Final = re.compile(r"\s*[+-]?\d{1,18}\s*", re.ASCII)
_LOOKED_AT: Final = 100
"""Rows below a first one in which a number is looked for."""


def rows(content: bytes, charset: str, *, partial: bool) -> list[list[object]]:
    """The rows of a body; of one that was cut off (`partial`) the complete ones, blank lines left out.

    DecodeError: empty, truncated, content_type (a charset that is not read), invalid_csv.
    """
    codec = _CODECS.get(charset)
    if codec is None:
        raise DecodeError("content_type", "a charset that is not read")
    if codec != "utf-16" and partial and b"\n" not in content and b"\r" not in content:
        raise DecodeError("truncated", "no complete row")
    found = _numbers(content, partial) if codec == "utf-8-sig" else None
    if found is None:
        found = _cells(content.decode(codec, "replace"), partial)
    if not found:
        raise DecodeError("truncated" if partial else "empty", "no row")
    return found


def has_header(found: Sequence[Sequence[object]]) -> bool:
    """Whether the first row names the columns: it has no number, and the rows below it have some."""
    if any(not isinstance(cell, str) for cell in found[0]):
        return False
    return any(isinstance(cell, int | float) for row in found[1 : 1 + _LOOKED_AT] for cell in row)


def _numbers(content: bytes, partial: bool) -> list[list[object]] | None:
    """Rows that are numbers and nothing else, at the price of JSON; None where they are not."""
    if content.translate(None, _PLAIN):
        return None
    if partial:
        content = content[: content.rindex(b"\n") + 1] if b"\n" in content else b""
    text = content.strip().replace(b"\r\n", b"\n").replace(b"\n", b"],[")
    try:
        found: list[list[object]] = orjson.loads(b"[[" + text + b"]]")
    except orjson.JSONDecodeError:
        return None
    return [row for row in found if row]


def _cells(text: str, partial: bool) -> list[list[object]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        found: list[Any] = [row for row in reader if row]
    except csv.Error:
        raise DecodeError("invalid_csv") from None
    if partial and found:
        found.pop()  # the last one may have been cut off, in quotes or not
    return [[_cell(token) for token in row] for row in found]


def _cell(token: str) -> object:
    if not token:
        return None
    if _WHOLE.fullmatch(token):
        return int(token)
    return float(token) if _NUMBER.fullmatch(token) else token
