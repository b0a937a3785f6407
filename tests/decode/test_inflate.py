"""Bodies under a Content-Encoding: read as if they had none, or a reason; bounded however much they swell."""

import gzip
import json
import subprocess
import sys
import tracemalloc
import zlib
from typing import Any

import brotli
import pytest
import zstandard
from decode.test_contract import check, decode, exchange
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.decode import inflate
from exporter.records import Body, Capture, Failure, Table

ROWS = b'{"instances": [[1, 2], [3, 4], [5, 6]]}'
TABLE = Table(3, None, ((1, 3, 5), (2, 4, 6)))


def bare(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(content) + stream.flush()


def unsized(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(content)


def slightly(content: bytes) -> bytes:
    return brotli.compress(content, quality=1)


def slack(content: bytes) -> bytes:
    return zstandard.compress(content, 1)


def features(body: bytes, encoding: str, capture: Capture = Capture.WHOLE) -> Any:
    kept = Body(len(body), capture, body)
    return decode(exchange(b"", request=kept, request_headers={"content-encoding": encoding})).features


@pytest.mark.parametrize(("encoding", "pack"), [
    ("gzip", gzip.compress), ("x-gzip", gzip.compress), (" GZip ", gzip.compress), ("deflate", zlib.compress),
    ("deflate", bare), ("identity", bytes), (" Identity ", bytes), ("", bytes),
    ("br", brotli.compress), ("zstd", zstandard.compress), ("zstd", unsized), (" Zstd", zstandard.compress),
])  # fmt: skip
def test_a_body_is_read_whatever_it_is_packed_in(encoding: str, pack: Any) -> None:
    assert features(pack(ROWS), encoding) == TABLE


PACKED = gzip.compress(ROWS, mtime=0)
"""Without a time in it: what is in a test's name must be the same in every process that collects it."""


@pytest.mark.parametrize(("encoding", "body", "reason"), [
    ("br", ROWS, "corrupt"), ("zstd", ROWS, "corrupt"), ("compress", ROWS, "content_encoding"),
    ("gzip, gzip", ROWS, "content_encoding"),
    ("gzip, identity", ROWS, "content_encoding"), ("x", b"", "content_encoding"), ("gzip", b"", "empty"),
    ("br", b"", "empty"), ("zstd", b"", "empty"), ("br", brotli.compress(ROWS)[:-3], "corrupt"),
    ("br", brotli.compress(ROWS) + b"x", "corrupt"), ("zstd", zstandard.compress(ROWS)[:-5], "corrupt"),
    ("zstd", zstandard.compress(ROWS)[:3], "corrupt"),
    ("gzip", ROWS, "corrupt"), ("deflate", ROWS, "corrupt"), ("gzip", PACKED[:-1], "corrupt"),
    ("gzip", PACKED[:9], "corrupt"), ("deflate", zlib.compress(ROWS)[:-5], "corrupt"),
    ("gzip", PACKED[:-8] + bytes(8), "corrupt"), ("gzip", PACKED + b"x", "corrupt"),
    ("gzip", PACKED * 2, "corrupt"), ("gzip", gzip.compress(PACKED, mtime=0), "invalid_json"),
    ("gzip", gzip.compress(b"", mtime=0), "empty"), ("deflate", b"x", "corrupt"),
])  # fmt: skip
def test_what_cannot_be_unpacked_has_a_reason(encoding: str, body: bytes, reason: str) -> None:
    found = features(body, encoding)
    assert isinstance(found, Failure)
    assert found.reason == reason


def test_each_side_has_its_own_encoding() -> None:
    answer = gzip.compress(b'{"predictions": [1, 2, 3]}')
    seen = decode(exchange(ROWS, answer, response_headers={"content-encoding": "gzip"}))
    assert seen.features == TABLE
    assert seen.predictions == Table(3, None, ([1, 2, 3],))


@pytest.mark.parametrize(("encoding", "pack"), [
    ("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", bare), ("br", brotli.compress),
    ("zstd", zstandard.compress), ("zstd", unsized),
])  # fmt: skip
def test_of_a_compressed_body_that_was_cut_off_the_complete_rows_are_read(encoding: str, pack: Any) -> None:
    rows = [[number, number * 7919 % 100_003] for number in range(60_000)]
    packed = pack(json.dumps({"instances": rows}).encode())
    found = features(packed[: len(packed) // 2], encoding, Capture.TRUNCATED)
    assert isinstance(found, Table)
    assert found.partial
    assert 1000 < found.rows < 60_000
    assert list(zip(*found.columns, strict=True)) == [tuple(row) for row in rows[: found.rows]]


def test_a_stream_that_is_complete_though_its_capture_was_cut_off_is_whole() -> None:
    assert features(gzip.compress(ROWS), "gzip", Capture.TRUNCATED) == TABLE


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("br", slightly), ("zstd", slack)])
def test_of_what_swells_beyond_the_bound_the_beginning_is_read(encoding: str, pack: Any) -> None:
    packed = pack(b'{"instances": [[1, 2], [3, 4], "' + bytes(50 << 20))
    tracemalloc.start()
    try:
        found = features(packed, encoding)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == Table(2, None, ((1, 3), (2, 4)), partial=True)
    assert peak < 3 * inflate.MOST


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("br", brotli.compress), ("zstd", slack)])
def test_a_few_bytes_do_not_keep_the_analyser_busy(encoding: str, pack: Any) -> None:
    packed = pack(b'{"instances": [' + b"[1]," * 1_000_000 + b"[1]]}")
    found = features(packed, encoding)
    assert isinstance(found, Table)
    assert found.partial
    assert found.rows < 100_000


@settings(deadline=None)
@given(
    st.one_of(st.binary(max_size=99), *(st.binary(max_size=99).map(pack) for pack in (gzip.compress, slightly, slack))),
    st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, deflate"]),
    st.sampled_from([Capture.WHOLE, Capture.TRUNCATED]),
    st.integers(0, 120),
)
def test_any_compressed_bytes_are_an_observation(body: bytes, encoding: str, capture: Capture, cut: int) -> None:
    check(features(body[:cut], encoding, capture))


@pytest.mark.parametrize("missing", ["brotli", "zstandard"])
def test_without_the_extra_the_encoding_is_one_that_is_not_read(missing: str) -> None:
    encoding, pack = {"brotli": ("br", brotli.compress), "zstandard": ("zstd", zstandard.compress)}[missing]
    program = f"""
import sys
sys.modules[{missing!r}] = None
from exporter.decode import inflate
from exporter.errors import DecodeError
try:
    inflate.inflated({pack(ROWS)!r}, {encoding!r}, False)
except DecodeError as error:
    print(error.reason)
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "content_encoding\n"
