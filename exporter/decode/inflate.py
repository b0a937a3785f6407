"""A body as it was before its Content-Encoding: gzip, deflate, or by their extras br and zstd; one of them, bounded.

The bound grows with what was sent, so that nobody keeps the analyser busy with a few bytes. Rows of numbers shrink to
a third or a tenth. What swells beyond it is read as every body is that is too long: its beginning. Coding upon coding
(`gzip, gzip`) is not undone: nobody does it but to hurt.
"""

import zlib
from collections.abc import Callable, Mapping
from typing import Final

from exporter.errors import DecodeError

try:
    import brotli
except ImportError:
    brotli = None
try:
    import zstandard
except ImportError:
    zstandard = None  # type: ignore[assignment]

MOST: Final = 8 << 20
"""Bytes that are made of a body at most, which cost no more to parse than a few bodies of the longest kind."""
_FACTOR: Final = 32
_FREE: Final = 64 << 10
"""No more than these and `_FACTOR` times what was sent."""
_PLAIN: Final = frozenset(("", "identity"))
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZSTD_WINDOW: Final = 8 << 20
"""Bytes of memory that a stream may ask for, as many as every reader should have (RFC 8878, 3.1.1.1.2)."""
_Undo = Callable[[bytes, int], tuple[bytes, bool | None]]
"""What a stream was made of, so many bytes at most, and whether that is all (None: who knows). DecodeError: corrupt."""


def inflated(content: bytes, encoding: str, partial: bool, most: int = MOST) -> tuple[bytes, bool]:
    """The bytes that `content` was made of, and whether they are a beginning only; `partial`: whether `content` is.

    There are `most` at most.

    DecodeError: content_encoding (one that is not read), corrupt.
    """
    coding = encoding.strip().lower()
    if coding in _PLAIN:
        return content, partial
    if coding not in _CODINGS:
        raise DecodeError("content_encoding", f"only {', '.join(_CODINGS)} and identity are read")
    if not content:
        return content, partial
    most = min(most, _FREE + _FACTOR * len(content))
    plain, ended = _CODINGS[coding](content, most)
    if ended or (ended is None and not partial):
        return plain, False
    if len(plain) < most and not partial:
        raise DecodeError("corrupt", "the compressed stream ends early")
    return plain, True


def _gzip(content: bytes, most: int) -> tuple[bytes, bool]:
    return _by_zlib(content, most, _GZIP)


def _deflate(content: bytes, most: int) -> tuple[bytes, bool]:
    # By the letter deflate is zlib's format (RFC 9110, 8.4.1.2); some send the bare stream, and servers read both.
    wrapped = len(content) < 2 or (content[0] & 0x0F == 8 and (content[0] << 8 | content[1]) % 31 == 0)
    return _by_zlib(content, most, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)


def _by_zlib(content: bytes, most: int, window: int) -> tuple[bytes, bool]:
    stream = zlib.decompressobj(window)
    try:
        plain = stream.decompress(content, most)
    except zlib.error:
        raise _damaged() from None
    if stream.eof and stream.unused_data:
        raise DecodeError("corrupt", "something follows the compressed stream")
    return plain, stream.eof


def _br(content: bytes, most: int) -> tuple[bytes, bool]:
    stream = brotli.Decompressor()
    try:
        plain: bytes = stream.process(content, output_buffer_limit=most)  # twice as much, it may be
    except brotli.error:
        raise _damaged() from None
    return plain[:most], stream.is_finished() and len(plain) <= most


def _zstd(content: bytes, most: int) -> tuple[bytes, bool | None]:
    try:
        size = zstandard.frame_content_size(content)
        reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(content)
        plain = reader.read(most)
    except zstandard.ZstdError:
        raise _damaged() from None
    if size >= 0:
        return plain, len(plain) == size
    return plain, None if len(plain) < most else False  # it need not say how long it is


def _damaged() -> DecodeError:
    return DecodeError("corrupt", "the compressed stream is damaged")


_CODINGS: Final[Mapping[str, _Undo]] = {
    "gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate,
    **({"br": _br} if brotli else {}), **({"zstd": _zstd} if zstandard else {}),
}  # fmt: skip
