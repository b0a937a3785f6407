"""NumPy's files: an array, or several of equal length under names. Objects are not read: they could run code.

A two-dimensional array is the columns `NAME[0]`, `NAME[1]`, …; that of a `.npy` file is called `x`. A structured array
has a column per field. Arrays are read in pieces, as they lie in the file.
"""

import ast
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.errors import DataError
from exporter.profile.cells import NumberCells, ObjectCells, time_cells
from exporter.profile.files import TableFile
from exporter.profile.headers import check_names
from exporter.profile.pieces import Arrange, Cells, Piece, chosen

_MAGIC: Final = b"\x93NUMPY"
_PIECE: Final = 1 << 20
_MOST_ROWS: Final = 1 << 16
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


def read(file: TableFile, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    """The columns of a `.npy` or `.npz` file; some rows, of every array, are a run."""
    try:
        with ExitStack() as files:
            arrays = _archive(file, files) if file.bare.endswith(".npz") else _lone(file, files)
            if not arrays:
                raise _Fault("no arrays")
            for header in (array.header for array in arrays):
                _require_rows(header)
                if header.rows != arrays[0].header.rows:
                    raise _Fault(f"{header.name} has {header.rows} rows where {arrays[0].header.name} has "
                                 f"{arrays[0].header.rows}")  # fmt: skip
            names += check_names([name for array in arrays for name in array.header.names()], file.path)
            yield from _pieces(arrays, [name for group in chosen(arrange, names, file.path) for name in group])
    except _Fault as fault:
        raise DataError(f"{file.path}: {fault}") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{file.path}: no archive of arrays: {error}") from None


def _lone(file: TableFile, files: ExitStack) -> "list[_Array]":
    raw = files.enter_context(Path(file.path).open("rb"))  # noqa: SIM115 (closed with the others)
    return [_Array(_header("x", raw), raw)]


def _archive(file: TableFile, files: ExitStack) -> "list[_Array]":
    archive = files.enter_context(zipfile.ZipFile(file.path))
    arrays = []
    for member in archive.namelist():
        raw = files.enter_context(archive.open(member))
        header = _header(member.removesuffix(".npy"), raw)
        if header.columnwise and header.width is not None:  # whose columns lie far apart, where nobody can jump to
            flat = files.enter_context(TemporaryFile())  # noqa: SIM115 (as above)
            shutil.copyfileobj(raw, flat)
            flat.seek(0)
            arrays.append(_Array(header, flat))
        else:
            arrays.append(_Array(header, raw))
    return arrays


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


class _Array:
    """An array under way, read some rows at a time."""

    def __init__(self, header: _Header, raw: IO[bytes]) -> None:
        """`raw` stands at the first number."""
        self.header = header
        self._raw = raw
        self._apart = header.columnwise and header.width is not None
        self._begin = raw.tell() if self._apart else 0
        self._row = 0

    def take(self, rows: int) -> dict[str, NDArray[Any]]:
        """The next rows of each column."""
        names, dtype = self.header.names(), self.header.dtype
        if self._apart:
            found = {name: self._column(place, rows) for place, name in enumerate(names)}
        else:
            width = self.header.width or 1
            values = self._read(rows * width).reshape(rows, width)
            found = {name: values[:, 0][name] if dtype.names else values[:, at] for at, name in enumerate(names)}
        self._row += rows
        return found

    def _column(self, place: int, rows: int) -> NDArray[Any]:
        self._raw.seek(self._begin + (place * self.header.rows + self._row) * self.header.dtype.itemsize)
        return self._read(rows)

    def _read(self, count: int) -> NDArray[Any]:
        size = count * self.header.dtype.itemsize
        content = self._raw.read(size)
        if len(content) < size:
            raise _Fault(f"{self.header.name} is cut short")
        return np.frombuffer(content, self.header.dtype)


def _pieces(arrays: list[_Array], wanted: list[str]) -> Iterator[Piece]:
    total = arrays[0].header.rows
    row = sum(array.header.dtype.itemsize * (array.header.width or 1) for array in arrays)
    most = max(1, min(_MOST_ROWS, _PIECE // row))
    for run, start in enumerate(range(0, total, most)):
        rows = min(most, total - start)
        columns = {name: values for array in arrays for name, values in array.take(rows).items()}
        for name in wanted:
            yield Piece(name, _cells(columns[name]), (start + rows) / total, run)


def _cells(values: NDArray[Any]) -> Cells:
    if values.dtype.kind in _NUMBERS:
        native = values.astype(values.dtype.newbyteorder("="), copy=False)
        return NumberCells(native, np.zeros(values.size, bool), nameless=True)
    return time_cells(values) if values.dtype.kind in "Mm" else ObjectCells(values.tolist())
