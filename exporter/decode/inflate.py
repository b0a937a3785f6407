"""A body as it was before its Content-Encoding: gzip or deflate, one of them, bounded.

The bound grows with what was sent, so that nobody keeps the analyser busy with a few bytes. Rows of numbers shrink to
a third or a tenth. What swells beyond it is read as every body is that is too long: its beginning. Coding upon coding
(`gzip, gzip`) is not undone: nobody does it but to hurt.
"""

import zlib
from typing import Final

from exporter.errors import DecodeError

MOST: Final = 8 << 20
"""Bytes that are made of a body at most, which cost no more to parse than a few bodies of the longest kind."""
_FACTOR: Final = 32
_FREE: Final = 64 << 10
"""No more than these and `_FACTOR` times what was sent."""
_PLAIN: Final = frozenset(("", "identity"))
_GZIP: Final = 16 + zlib.MAX_WBITS


def inflated(content: bytes, encoding: str, partial: bool) -> tuple[bytes, bool]:
    """The bytes that `content` was made of, and whether they are a beginning only; `partial`: whether `content` is.

    DecodeError: content_encoding (one that is not read), corrupt.
    """
    coding = encoding.strip().lower()
    if coding in _PLAIN:
        return content, partial
    window = _window(content, coding)
    if not content:
        return content, partial
    most = min(MOST, _FREE + _FACTOR * len(content))
    stream = zlib.decompressobj(window)
    try:
        plain = stream.decompress(content, most)
    except zlib.error:
        raise DecodeError("corrupt", "the compressed stream is damaged") from None
    if stream.eof:
        if stream.unused_data:
            raise DecodeError("corrupt", "something follows the compressed stream")
        return plain, False
    if len(plain) < most and not partial:
        raise DecodeError("corrupt", "the compressed stream ends early")
    return plain, True


def _window(content: bytes, coding: str) -> int:
    """What zlib calls the format."""
    if coding in {"gzip", "x-gzip"}:
        return _GZIP
    if coding != "deflate":
        raise DecodeError("content_encoding", "only gzip, deflate and identity are read")
    # By the letter deflate is zlib's format (RFC 9110, 8.4.1.2); some send the bare stream, and servers read both.
    wrapped = len(content) < 2 or (content[0] & 0x0F == 8 and (content[0] << 8 | content[1]) % 31 == 0)
    return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
