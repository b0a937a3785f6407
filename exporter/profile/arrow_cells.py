"""Arrow's arrays as cells: files of Parquet and Arrow, data frames that speak Arrow, and Spark's partitions."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from exporter.errors import ConfigError
from exporter.profile.cells import Cells, CountedCells, NumberCells

MOST_ROWS: Final = 1 << 16
_MOST_CELLS: Final = 1 << 22


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


def slices(array: Any, rows: int) -> Iterator[Cells]:  # noqa: ANN401
    """The cells of an array, so many at a time."""
    for start in range(0, len(array), rows):
        yield cells(array.slice(start, rows))


def cells(array: Any) -> Cells:  # noqa: ANN401
    """The cells of an array: numbers as numbers; text, truth values and times counted by Arrow; the rest spelt out."""
    pa = pyarrow()
    types, kind = pa.types, array.type
    if types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if types.is_decimal(kind):
        array, kind = array.cast("float64", safe=False), pa.float64()
    if types.is_integer(kind) or types.is_floating(kind):
        return _numbers(pa, array)
    if types.is_null(kind):
        return CountedCells((None,), (len(array),))
    if not types.is_nested(kind):
        try:
            return _counted(array)
        except pa.ArrowNotImplementedError:
            pass  # a type that Arrow cannot count
    return CountedCells([_spelt(value) for value in array.to_pylist()], [1] * len(array))


def _numbers(pa: Any, array: Any) -> NumberCells:  # noqa: ANN401
    if not array.null_count:
        values = array.to_numpy(zero_copy_only=False)
        return NumberCells(values, np.zeros(values.size, bool), nameless=True)
    null = array.is_null().to_numpy(zero_copy_only=False)
    zero = pa.scalar(0, pa.int64()).cast(array.type)
    return NumberCells(pa.compute.fill_null(array, zero).to_numpy(zero_copy_only=False), null, nameless=True)


def _counted(array: Any) -> CountedCells:  # noqa: ANN401
    found = array.value_counts()
    values, counts = found.field(0).to_pylist(), found.field(1).to_pylist()
    return CountedCells([_spelt(value) for value in values], counts)


def _spelt(value: object) -> object:
    return value if isinstance(value, bool | str | None) else str(value)
