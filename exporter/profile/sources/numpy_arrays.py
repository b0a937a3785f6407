"""NumPy's files: an array, or several of equal length under names. Objects are not read: they could run code.

A two-dimensional array is the columns `NAME[0]`, `NAME[1]`, …; that of a `.npy` file is called `x`. A structured array
has a column per field. Arrays are read in pieces, as they lie in the file.
"""

import ast
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.errors import DataError
from exporter.profile.cells import Cells, NumberCells, ObjectCells, Piece
from exporter.profile.files import TableFile
from exporter.profile.headers import check_names

_MAGIC: Final = b"\x93NUMPY"
_PIECE: Final = 1 << 20
_LONGEST_HEADER: Final = 1 << 20
_NUMBERS: Final = "iuf"
_OTHERS: Final = "bUSMm"


class _Header(NamedTuple):
    """What an array is, said at its beginning."""

    name: str
    dtype: np.dtype[Any]
    columnwise: bool
    rows: int
    width: int | None
    """Columns; None where it has one dimension."""

    def names(self) -> list[str]:
        """Of its columns."""
        if self.dtype.names:
            return list(self.dtype.names)
        return [self.name] if self.width is None else [f"{self.name}[{place}]" for place in range(self.width)]


class _Fault(Exception):
    """What is wrong with an array."""


def read(file: TableFile, names: list[str]) -> Iterator[Piece]:
    """The columns of a `.npy` or `.npz` file."""
    try:
        if file.bare.endswith(".npz"):
            yield from _archive(file, names)
        else:
            with Path(file.path).open("rb") as raw:
                header = _header("x", raw)
                names += check_names(header.names(), file.path)
                yield from _pieces(header, raw)
                _require_rows(header)
    except _Fault as fault:
        raise DataError(f"{file.path}: {fault}") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{file.path}: no archive of arrays: {error}") from None


def _archive(file: TableFile, names: list[str]) -> Iterator[Piece]:
    with zipfile.ZipFile(file.path) as archive:
        members = archive.namelist()
        headers = []
        for member in members:
            with archive.open(member) as raw:
                headers.append(_header(member.removesuffix(".npy"), raw))
        if not headers:
            raise _Fault("no arrays")
        for header in headers:
            _require_rows(header)
            if header.rows != headers[0].rows:
                raise _Fault(f"{header.name} has {header.rows} rows where {headers[0].name} has {headers[0].rows}")
        names += check_names([name for header in headers for name in header.names()], file.path)
        for number, member in enumerate(members):
            with archive.open(member) as raw:
                for piece in _pieces(_header(member.removesuffix(".npy"), raw), raw):
                    yield piece._replace(done=(number + piece.done) / len(members))


def _require_rows(header: _Header) -> None:
    if not header.rows:
        raise _Fault("no rows")


def _header(name: str, raw: IO[bytes]) -> _Header:
    """The header of the format's versions 1 to 3 (numpy.lib.format)."""
    start = raw.read(8)
    if len(start) < 8 or start[:6] != _MAGIC or start[6] not in {1, 2, 3}:
        raise _Fault(f"{name} is no NumPy array")
    width = 2 if start[6] == 1 else 4
    try:
        (length,) = struct.unpack("<H" if width == 2 else "<I", raw.read(width))
        text = raw.read(min(length, _LONGEST_HEADER)).decode("utf-8" if start[6] == 3 else "latin-1")
        said = ast.literal_eval(text)
        dtype = np.lib.format.descr_to_dtype(said["descr"])
        shape, columnwise = said["shape"], bool(said["fortran_order"])
        rows, columns = (int(shape[0]), int(shape[1]) if len(shape) == 2 else None) if shape else (0, None)
    except (struct.error, ValueError, SyntaxError, KeyError, TypeError, IndexError, MemoryError, RecursionError):
        raise _Fault(f"{name} has a damaged header") from None
    _check(name, dtype, len(shape))
    if rows < 0 or columns == 0 or dtype.itemsize == 0:
        raise _Fault(f"{name} holds nothing")
    return _Header(name, dtype, columnwise, rows, columns)


def _check(name: str, dtype: np.dtype[Any], dimensions: int) -> None:
    most = 1 if dtype.names else 2
    if not 1 <= dimensions <= most:
        raise _Fault(f"{name} has {dimensions} dimensions where 1{'' if most == 1 else ' or 2'} can be read")
    for field in dtype.names or ():
        _check(f"{name}[{field!r}]", dtype[field], 1)
    if dtype.hasobject or dtype.subdtype or (not dtype.names and dtype.kind not in _NUMBERS + _OTHERS):
        raise _Fault(f"{name} is of type {dtype}, which is not read: numbers, text, truth values and times are")


def _pieces(header: _Header, raw: IO[bytes]) -> Iterator[Piece]:
    if header.columnwise and header.width is not None:
        for place, name in enumerate(header.names()):
            for done, values in _runs(header, raw, 1):
                yield Piece(name, _cells(values[:, 0]), (place + done) / header.width)
        return
    for done, values in _runs(header, raw, 1 if header.width is None else header.width):
        for place, name in enumerate(header.names()):
            column = values[:, 0][name] if header.dtype.names else values[:, place]
            yield Piece(name, _cells(column), done)


def _runs(header: _Header, raw: IO[bytes], width: int) -> Iterator[tuple[float, NDArray[Any]]]:
    """All rows, some at a time, of shape (rows, width), with the share that is read by then."""
    size = header.dtype.itemsize * width
    most = max(1, _PIECE // max(1, size))
    for start in range(0, header.rows, most):
        rows = min(most, header.rows - start)
        content = raw.read(rows * size)
        if len(content) < rows * size:
            raise _Fault(f"{header.name} is cut short")
        yield (start + rows) / header.rows, np.frombuffer(content, header.dtype).reshape(rows, width)


def _cells(values: NDArray[Any]) -> Cells:
    if values.dtype.kind in _NUMBERS:
        native = values.astype(values.dtype.newbyteorder("="), copy=False)
        return NumberCells(native, np.zeros(values.size, bool), nameless=True)
    if values.dtype.kind in "Mm":  # as text; tolist() would make whole numbers of nanoseconds
        return ObjectCells([None if gap else str(value) for value, gap in zip(values, np.isnat(values), strict=True)])
    return ObjectCells(values.tolist())
