"""Requests and responses, odd and broken ones above all, that parsers of HTTP are tested with."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from faults import sdists

_BLOCK: Final = re.compile(rb"^```(http|url)\n(.*?)\n?^```", re.MULTILINE | re.DOTALL)
_CONTINUED: Final = re.compile(rb"\\\r?\n")
_NEWLINE: Final = re.compile(rb"\r\n|\r|\n")
_ESCAPE: Final = re.compile(rb"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_MEANING: Final = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"f": b"\f", b"v": b"\v"}


def llhttp(cache: Path) -> dict[str, bytes]:
    """The examples of llhttp's tests, by place; a URL is made a request of."""
    texts = sdists.texts(sdists.AIOHTTP, "vendor/llhttp/test", ".md", cache)
    return {f"{file}:{line}": data for file, text in texts.items() for line, data in _examples(text)}


def gunicorn(cache: Path) -> dict[str, bytes]:
    """The requests of gunicorn's tests, by file: every line break that is meant is written as an escape."""
    texts = sdists.texts(sdists.GUNICORN, "tests/requests", ".http", cache)
    return {file: _unescaped(_NEWLINE.sub(b"", text)) for file, text in texts.items()}


def _examples(text: bytes) -> Iterator[tuple[int, bytes]]:
    for block in _BLOCK.finditer(text):
        kind, content = block.groups()
        data = _unescaped(_NEWLINE.sub(b"\r\n", _CONTINUED.sub(b"", content)))
        line = text.count(b"\n", 0, block.start()) + 1
        yield line, data if kind == b"http" else b"GET " + data + b" HTTP/1.1\r\nHost: x\r\n\r\n"


def _unescaped(data: bytes) -> bytes:
    return _ESCAPE.sub(_meant, data)


def _meant(escape: "re.Match[bytes]") -> bytes:
    hexadecimal, octal, letter = escape.groups()
    if letter:
        return _MEANING.get(letter, letter)
    return bytes([int(hexadecimal, 16) if hexadecimal else int(octal, 8) & 255])
