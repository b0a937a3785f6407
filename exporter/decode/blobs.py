"""Tensors behind a JSON header, as they are in memory: the binary tensor data extension of the Open Inference Protocol.

Little-endian, row-major, one after the other without padding, in the order of the tensors that have a
`binary_data_size`. Source: Triton, protocol extensions, extension_binary_data.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.decode import tensors
from exporter.decode.turned import Turned
from exporter.errors import DecodeError
from exporter.records import Columns
from exporter.sketch.decimals import BF16, FP16, FP32, decimals

_NUMBERS: Final[Mapping[str, np.dtype[Any]]] = {
    "BOOL": np.dtype("u1"), "INT8": np.dtype("i1"), "INT16": np.dtype("<i2"), "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"), "UINT8": np.dtype("u1"), "UINT16": np.dtype("<u2"), "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"), "FP16": np.dtype("<f2"), "BF16": np.dtype("<u2"), "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}  # fmt: skip
"""How they lie there; BF16 is the upper half of an FP32."""
_BITS: Final = {"FP16": FP16, "BF16": BF16, "FP32": FP32}


class Blobs:
    """The bytes behind a header, taken tensor by tensor. Views: nothing is copied, whatever a payload declares."""

    __slots__ = ("_rest",)

    def __init__(self, content: bytes, start: int) -> None:
        self._rest = memoryview(content)[start:]

    def take(self, size: object) -> memoryview:
        """The next `size` bytes. DecodeError: tensor_size."""
        if type(size) is not int or not 0 <= size <= len(self._rest):
            raise DecodeError("tensor_size", "a binary_data_size that does not fit into the body")
        blob, self._rest = self._rest[:size], self._rest[size:]
        return blob

    def beginning(self, form: tensors.Form) -> tuple[memoryview, tensors.Form]:
        """The complete rows of the one tensor that follows and was cut off. DecodeError: truncated."""
        rows = min(form.rows, len(self._rest) // _row_bytes(form))
        if not rows:
            raise DecodeError("truncated", "no complete row")
        return self._rest[: rows * _row_bytes(form)], form._replace(rows=rows)

    def end(self) -> None:
        """All was taken. DecodeError: tensor_size."""
        if self._rest:
            raise DecodeError("tensor_size", "bytes behind the last tensor")


def columns(blob: memoryview, form: tensors.Form) -> Columns:
    """The columns of a tensor. DecodeError: shape_mismatch, tensor_size."""
    if form.datatype == "BYTES":
        return tensors.across(_texts(blob, form.rows * form.width), form)
    kind = _NUMBERS[form.datatype]
    if len(blob) != form.rows * form.width * kind.itemsize:
        raise DecodeError("shape_mismatch", f"{len(blob)} bytes in a tensor of {form.rows} x {form.width}")
    values = _values(np.frombuffer(blob, kind), form.datatype)
    return Turned(values.reshape(form.rows, form.width), form.width) if form.width > 1 else (values.tolist(),)


def _row_bytes(form: tensors.Form) -> int:
    """How long a row of numbers is. DecodeError: truncated, for texts, whose rows have no length."""
    if form.datatype == "BYTES":
        raise DecodeError("truncated", "texts are not complete row by row")
    return form.width * _NUMBERS[form.datatype].itemsize


def _values(stored: NDArray[Any], datatype: str) -> NDArray[Any]:
    if datatype == "BOOL":
        return stored.astype(np.bool_)
    if datatype == "BF16":
        stored = (stored.astype(np.uint32) << 16).view(np.float32)
    return decimals(stored, _BITS[datatype]) if datatype in _BITS else stored


def _texts(blob: memoryview, count: int) -> list[object]:
    """Each with its length in four bytes before it. DecodeError: shape_mismatch, tensor_size."""
    if 4 * count > len(blob):
        raise DecodeError("shape_mismatch", f"{count} texts in {len(blob)} bytes")
    texts: list[object] = []
    at = 0
    while at < len(blob):
        start = at + 4
        at = start + int.from_bytes(blob[at:start], "little")
        if at > len(blob) or len(texts) == count:
            raise DecodeError("tensor_size", "texts that do not fit into their tensor")
        texts.append(str(blob[start:at], "utf-8", "replace"))
    return texts
