"""Files of training data: opened through their compression, and how far they have been read."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from exporter.errors import ConfigError, DataError

_GZIP: Final = ".gz"
_ZSTANDARD: Final = (".zst", ".zstd")
_BUFFER: Final = 1 << 17
_PACKED: Final = 1 << 14


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the person who has a text file says about it; the rest is found out."""

    delimiter: str | None = None
    quote: str | None = None
    decimal: str = "."
    """What stands before the fraction of a number: a point or a comma."""
    encoding: str = "utf-8-sig"


@dataclass(slots=True)
class TableFile:
    """A file and how it is to be read."""

    path: str
    dialect: Dialect = field(default_factory=Dialect)
    widths: Mapping[str, int] = field(default_factory=dict)
    """How long the lists are, of columns of lists of numbers."""
    _raw: io.FileIO | None = field(default=None, init=False)
    _size: int = field(default=1, init=False)

    @property
    def bare(self) -> str:
        """The name without the ending of its compression, in lower case."""
        name = self.path.lower()
        return next((name.removesuffix(end) for end in (_GZIP, *_ZSTANDARD) if name.endswith(end)), name)

    @property
    def packed(self) -> bool:
        """Whether its name says that it is compressed."""
        return self.bare != self.path.lower()

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """Its content, decompressed. DataError where the compression is damaged, OSError where there is no file."""
        with Path(self.path).open("rb", buffering=0) as raw:
            self._raw, self._size = raw, max(1, Path(self.path).stat().st_size)
            try:
                with _inflated(self.path, raw) as content:
                    yield content
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise DataError(f"{self.path}: cannot be decompressed: {error}") from None
            except Exception as error:
                if type(error).__name__ != "ZstdError":  # of a package that may not be there
                    raise
                raise DataError(f"{self.path}: cannot be decompressed: {error}") from None
            finally:
                self._raw = None

    def done(self) -> float:
        """Share of the file that has been read, 0 to 1; 0 of a pipe, whose end nobody knows."""
        if self._raw is None:
            return 1.0
        return min(1.0, self._raw.tell() / self._size) if self._raw.seekable() else 0.0


def _inflated(path: str, raw: io.FileIO) -> io.BufferedReader:
    if path.lower().endswith(_GZIP):
        # A GzipFile is no RawIOBase, but it can all that is asked of one.
        return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=raw)), _BUFFER)
    if path.lower().endswith(_ZSTANDARD):
        try:
            import zstandard  # noqa: PLC0415 (an extra)
        except ImportError:
            raise ConfigError("zstd needs the extra: pip install 'inference-exporter[zstd]'") from None
        return io.BufferedReader(_Zstandard(zstandard.ZstdDecompressor().decompressobj, raw), _BUFFER)
    return io.BufferedReader(raw, _BUFFER)


class _Zstandard(io.RawIOBase):
    """The content of frames of zstd. The package's own reader takes a file that is cut short for a whole one."""

    def __init__(self, frame: Callable[[], Any], raw: io.FileIO) -> None:
        self._new_frame = frame
        self._raw = raw
        self._frame: Any = None
        """None between two frames."""
        self._ready = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 (what a buffer is has a name from 3.12 on)
        """Fill some of a buffer. EOFError where the file ends within a frame."""
        while not self._ready:
            packed = self._raw.read(_PACKED)
            if not packed:
                if self._frame is not None:
                    raise EOFError("the file ends within a frame")
                return 0
            self._ready = self._inflate(packed)
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def _inflate(self, packed: bytes) -> bytes:
        found = []
        while packed:
            self._frame = self._frame or self._new_frame()
            found.append(self._frame.decompress(packed))
            packed = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = None
        return b"".join(found)
