"""A file of windows is what was written, or is refused: nothing in between."""

import hashlib
import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from exporter.records import Owner
from exporter.state import image
from exporter.state.clock import Moment
from exporter.state.image import MAGIC, VERSION, Image, Unreadable, pack, unpack

OWNER = Owner("churn", "7", "ab" * 32)
MOMENT = Moment(1234.5, 1.8e9, "boot time:[1]")
PREFIX = struct.Struct("<8sIIQ")


def packed(image: Image) -> bytes:
    return pack(*image[:2], image.arrays.items())


def small() -> Image:
    counts = np.arange(12, dtype=np.int32).reshape(2, 2, 3)
    return Image(OWNER, MOMENT, {"a.panes": counts, "a.places": np.array([7, 9]), "none": np.zeros((0, 5), np.int32)})


def signed(content: bytes) -> bytes:
    return content + hashlib.sha256(content).digest()


def crafted(head: Any, raw: bytes = b"", version: int = VERSION) -> bytes:
    """A file with the right checksum, whatever is in it."""
    text, body = json.dumps(head).encode(), zlib.compress(raw)
    return signed(PREFIX.pack(MAGIC, version, len(text), len(body)) + text + body)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=20),
        st.sampled_from([np.int32, np.int64, np.float64, np.uint8]).flatmap(
            lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0))
        ),
        max_size=4,
    ),
    st.text(max_size=30),
)
def test_what_is_written_is_read(given_arrays: Any, name: str) -> None:
    owner = OWNER._replace(model=name)
    found = unpack(packed(Image(owner, MOMENT, given_arrays)))
    assert (found.owner, found.moment) == (owner, MOMENT)
    assert list(found.arrays) == list(given_arrays)
    for name_, array in given_arrays.items():
        assert found.arrays[name_].dtype == array.dtype
        assert np.array_equal(found.arrays[name_], array, equal_nan=array.dtype.kind == "f")


def test_a_file_cut_off_anywhere_is_refused() -> None:
    content = packed(small())
    for length in range(len(content)):
        with pytest.raises(Unreadable):
            unpack(content[:length])


def test_a_file_with_any_one_bit_flipped_is_refused() -> None:
    content = packed(small())
    for bit in range(len(content) * 8):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Unreadable):
            unpack(bytes(damaged))


@settings(deadline=None)
@given(st.data())
def test_a_file_with_any_damage_is_refused(data: Any) -> None:
    content = packed(small())
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, len(content)))
    damaged = content[:start] + data.draw(st.binary(max_size=40)) + content[stop:]
    if damaged != content:
        with pytest.raises(Unreadable):
            unpack(damaged)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(content: bytes) -> None:
    for foreign in (content, MAGIC + content, signed(MAGIC + content)):
        with pytest.raises(Unreadable):
            unpack(foreign)


@pytest.mark.parametrize("version", [0, 2, 3, 2**32 - 1])
def test_another_format_is_refused_by_its_number(version: int) -> None:
    with pytest.raises(Unreadable, match=f"format {version},"):
        unpack(crafted({"whatever": "it needs"}, version=version))


HEAD = {**OWNER._asdict(), **MOMENT._asdict(), "arrays": []}


@pytest.mark.parametrize("head", [
    {}, [], 7, None, {**HEAD, "monotonic_s": "x"}, {**HEAD, "arrays": 7}, {**HEAD, "arrays": [["a"]]},
    {**HEAD, "arrays": [["a", "|O", [1]]]}, {**HEAD, "arrays": [["a", "<i8", [2]]]},
    {**HEAD, "arrays": [["a", "<i4", [1, 1, 1, 1]]]}, {**HEAD, "arrays": [["a", "<i8", [-1]]]},
    {**HEAD, "arrays": [["a", "<i8", [2**62, 2**62]]]}, {**HEAD, "arrays": [["a", "no type", [1]]]},
    {**HEAD, "arrays": [["a", "<U1", [2]]]}, {**HEAD, "arrays": [["a", "<i8", "ab"]]},
])  # fmt: skip
def test_a_head_that_makes_no_sense_is_refused_whatever_its_checksum(head: Any) -> None:
    assert unpack(crafted(HEAD | {"arrays": [["a", "<i8", [1]]]}, b"12345678")).arrays["a"].shape == (1,)
    with pytest.raises(Unreadable):
        unpack(crafted(head, b"12345678"))


def test_a_file_is_for_no_other_owner_and_holds_no_name_of_any_feature() -> None:
    assert unpack(packed(small())).owner == OWNER
    assert unpack(packed(small()._replace(owner=OWNER._replace(version="8")))).owner != OWNER


def test_more_than_is_read_is_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "LARGEST", 63)
    with pytest.raises(ValueError, match="too large"):
        packed(small())  # 48 bytes of counts and 16 of places
    monkeypatch.setattr(image, "LARGEST", 64)
    assert len(unpack(packed(small())).arrays) == 3
