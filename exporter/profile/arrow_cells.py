"""Arrow's arrays as cells: files of Parquet and Arrow, data frames that speak Arrow, and Spark's partitions."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from exporter.errors import ConfigError
from exporter.profile.cells import CodedCells, Distinct, MissingCells, NumberCells, distinct
from exporter.profile.lists import Lengths, Widths, columns
from exporter.profile.pieces import Cells, Instants, Piece

MOST_ROWS: Final = 1 << 16
_MOST_CELLS: Final = 1 << 22
_COPIES: Final = 4


def pyarrow() -> Any:  # noqa: ANN401 (pyarrow has no types)
    """The package, where it is installed, with all that is used of it. ConfigError says how to get it."""
    try:
        import pyarrow as pa  # noqa: PLC0415 (an extra)
        import pyarrow.compute  # noqa: PLC0415
        import pyarrow.ipc  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError:
        raise ConfigError("this format needs the extra: pip install 'inference-exporter[parquet]'") from None
    return pa


def batch_rows(columns: int) -> int:
    """Rows to be looked at together, so that wide tables take no more memory than narrow ones."""
    return max(256, min(MOST_ROWS, _MOST_CELLS // max(1, columns)))


def rows_of(names: Sequence[str], widths: Widths) -> int:
    """Rows of columns to be looked at together, by their true width; lists are copied on the way."""
    return batch_rows(sum(_COPIES * widths[name] if name in widths else 1 for name in names))


def runs(batch: Any, names: list[str], groups: Sequence[Sequence[str]], run: int, widths: Widths) -> Iterator[Piece]:  # noqa: ANN401
    """The pieces of a batch of records, so many rows at a time, each of these a run; they begin with number `run`."""
    rows = rows_of(names, widths)
    wanted = [(name, names.index(name)) for group in groups for name in group]
    for number, start in enumerate(range(0, batch.num_rows, rows), run):
        for name, place in wanted:
            yield Piece(name, cells(batch.column(place).slice(start, rows)), 0.0, number)


def run_count(batch: Any, names: list[str], widths: Widths) -> int:  # noqa: ANN401
    """How many runs those are."""
    return -(-int(batch.num_rows) // rows_of(names, widths))


def are_lists(kind: Any) -> bool:  # noqa: ANN401
    """Whether a type is that of lists of numbers."""
    types = pyarrow().types
    if not (types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)):
        return False
    of = kind.value_type
    return bool(types.is_integer(of) or types.is_floating(of) or types.is_decimal(of))


def lengths(array: Any) -> Lengths:  # noqa: ANN401
    """How long the lists of an array are."""
    found = Lengths()
    counted = pyarrow().compute.list_value_length(array).drop_null().value_counts()
    found.add({one["values"].as_py(): one["counts"].as_py() for one in counted})
    return found


def cells(array: Any) -> Cells:  # noqa: ANN401
    """The cells of an array: numbers as numbers; text, truth values and times by code; the rest spelt out."""
    pa = pyarrow()
    types, kind = pa.types, array.type
    if types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if types.is_decimal(kind):
        array, kind = array.cast("float64", safe=False), pa.float64()
    if types.is_integer(kind) or types.is_floating(kind):
        return _numbers(pa, array)
    if types.is_null(kind):
        return MissingCells(len(array))
    if types.is_timestamp(kind):
        return CodedCells(len(array), lambda: _distinct(pa, array), _instants(pa, array))
    if not types.is_nested(kind):
        try:
            found = _distinct(pa, array)
        except pa.ArrowNotImplementedError:
            pass  # a type that Arrow cannot tell apart
        else:
            return CodedCells(len(array), lambda: found)
    places = (lambda width: _places(pa, array, width)) if are_lists(kind) else None
    return CodedCells(len(array), lambda: distinct(map(_spelt, array.to_pylist())), places=places)


def _places(pa: Any, array: Any, width: int) -> list[NumberCells]:  # noqa: ANN401
    """The places of lists of numbers."""
    there = pa.compute.fill_null(pa.compute.equal(pa.compute.list_value_length(array), width), False)
    inside = there.to_numpy(zero_copy_only=False)
    whole = bool(inside.all())
    flat = (array if whole else array.filter(there)).flatten()
    if pa.types.is_decimal(flat.type):
        flat = flat.cast("float64", safe=False)
    numbers = _numbers(pa, flat)
    values, null = numbers.values.reshape(-1, width), numbers.null.reshape(-1, width)
    if whole:
        return columns(values, null)
    every, gone = np.zeros((len(array), width), values.dtype), np.ones((len(array), width), bool)
    every[inside], gone[inside] = values, null
    return columns(every, gone)


def _numbers(pa: Any, array: Any) -> NumberCells:  # noqa: ANN401
    if not array.null_count:
        values = array.to_numpy(zero_copy_only=False)
        return NumberCells(values, np.zeros(values.size, bool), nameless=True)
    zero = pa.scalar(0, pa.int64()).cast(array.type)
    return NumberCells(pa.compute.fill_null(array, zero).to_numpy(zero_copy_only=False), _null(array), nameless=True)


def _null(array: Any) -> Any:  # noqa: ANN401
    return array.is_null().to_numpy(zero_copy_only=False)


def _distinct(pa: Any, array: Any) -> Distinct:  # noqa: ANN401
    found = array.dictionary_encode()
    codes = pa.compute.fill_null(found.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    values = found.dictionary.to_pylist()
    text = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    return Distinct(values if text else [_spelt(value) for value in values], codes)


def _instants(pa: Any, array: Any) -> Instants:  # noqa: ANN401
    naive = array.type.tz is None
    whole = array.cast(pa.timestamp("us", array.type.tz), safe=False).cast("int64")
    return Instants(pa.compute.fill_null(whole, 0).to_numpy(zero_copy_only=False), _null(array), naive)


def _spelt(value: object) -> object:
    return value if isinstance(value, bool | str | None) else str(value)
