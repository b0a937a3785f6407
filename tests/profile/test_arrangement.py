"""Every source yields the columns that are asked for, in the order asked for, with the rows of a group side by side."""

import gzip
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from profile_tables import write_csv

from exporter.errors import DataError
from exporter.profile import frames, sources
from exporter.profile.build import Plan, build
from exporter.profile.files import TableFile
from exporter.profile.pieces import Arrange, Piece, gathered

ROWS = 25_000
NAMES = ["a", "town", "b", "flag", "c", "key"]
GROUPS = [("key",), ("c", "a"), ("town",), ("flag",)]


def table() -> dict[str, Any]:
    numbers = np.arange(float(ROWS))
    return {
        "a": numbers + 0.5, "town": [None if row % 7 == 0 else f"t{row % 5}" for row in range(ROWS)], "b": -numbers,
        "flag": [row % 3 == 0 for row in range(ROWS)], "c": np.where(numbers % 11 == 0, np.nan, numbers),
        "key": np.arange(ROWS),
    }  # fmt: skip


def of_csv(path: Path) -> Callable[[Arrange], Iterator[Piece]]:
    cells = {name: np.asarray(column).tolist() for name, column in table().items()}
    cells["c"] = [None if cell != cell else cell for cell in cells["c"]]  # noqa: PLR0124 (NaN)
    return of_file(Path(write_csv(path / "t.csv", cells)))


def of_json_lines(path: Path) -> Callable[[Arrange], Iterator[Piece]]:
    columns = pd.DataFrame(table()).astype(object).where(lambda frame: frame.notna(), None)
    rows = columns.to_dict("records")
    (path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return of_file(path / "t.jsonl")


def of_parquet(path: Path) -> Callable[[Arrange], Iterator[Piece]]:
    pyarrow.parquet.write_table(pa.table(table()), path / "t.parquet", row_group_size=9_000)
    return of_file(path / "t.parquet")


def of_feather(path: Path) -> Callable[[Arrange], Iterator[Piece]]:
    pyarrow.feather.write_feather(pa.table(table()), str(path / "t.feather"), chunksize=9_000)
    return of_file(path / "t.feather")


def of_numpy(path: Path) -> Callable[[Arrange], Iterator[Piece]]:
    texts = [text or "NaN" for text in table()["town"]]
    np.savez_compressed(path / "t.npz", **(table() | {"town": texts}))
    return of_file(path / "t.npz")


def of_directory(path: Path) -> Callable[[Arrange], Iterator[Piece]]:
    whole = pa.table(table())
    for number in range(3):
        pyarrow.parquet.write_table(whole.slice(number * 9_000, 9_000), path / f"part{number}.parquet")
    return of_file(path)


def of_frame(_: Path) -> Callable[[Arrange], Iterator[Piece]]:
    return lambda arrange: frames.pieces(pd.DataFrame(table()), [], arrange)


def of_arrow(_: Path) -> Callable[[Arrange], Iterator[Piece]]:
    chunked = pa.concat_tables([pa.table(table()).slice(0, 100), pa.table(table()).slice(100)])
    return lambda arrange: frames.pieces(chunked, [], arrange)


def of_batches(_: Path) -> Callable[[Arrange], Iterator[Piece]]:
    frame = pd.DataFrame(table())
    return lambda arrange: frames.pieces([frame[:100], frame[100:]], [], arrange)


def of_file(path: Path) -> Callable[[Arrange], Iterator[Piece]]:
    return lambda arrange: sources.pieces(TableFile(str(path)), [], arrange)


@pytest.fixture(params=["as they are", "small"])
def sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "small":
        monkeypatch.setattr("exporter.profile.arrow_cells.MOST_ROWS", 1_000)
        monkeypatch.setattr("exporter.profile.arrow_cells._MOST_CELLS", 3_000)
        monkeypatch.setattr("exporter.profile.sources.parquet._SMALL", 0)
        monkeypatch.setattr("exporter.profile.sources.numpy_arrays._MOST_ROWS", 1_000)
        monkeypatch.setattr("exporter.profile.sources.csv_text.BATCH_ROWS", 1_000)
        monkeypatch.setattr("exporter.profile.sources.json_lines.BATCH_ROWS", 1_000)


def wanted(names: Sequence[str]) -> Sequence[Sequence[str]]:
    assert sorted(names) == sorted(NAMES)
    return GROUPS


SOURCES = [of_csv, of_json_lines, of_parquet, of_feather, of_numpy, of_directory, of_frame, of_arrow, of_batches]


@pytest.mark.usefixtures("sizes")
@pytest.mark.parametrize("source", SOURCES)
def test_rows_come_run_by_run_in_the_groups_that_are_wanted(tmp_path: Path, source: Any) -> None:
    read = source(tmp_path)
    expected = table()
    first, seen = 0, set()
    for number, some in groupby(read(wanted), key=lambda piece: piece.run):
        assert number not in seen
        seen.add(number)
        run = list(gathered(some, GROUPS))
        order = [tuple(piece.column for piece in together) for together in run]
        assert [group for group, _ in groupby(order)] == GROUPS
        lengths = {name: 0 for group in GROUPS for name in group}
        for together in run:
            assert len({(piece.start, piece.cells.rows) for piece in together}) == 1
            for piece in together:
                assert piece.start == lengths[piece.column]
                lengths[piece.column] += piece.cells.rows
                rows = slice(first + piece.start, first + piece.start + piece.cells.rows)
                require_equal(piece, expected[piece.column][rows])
        assert len(set(lengths.values())) == 1
        first += lengths["key"]
    assert first == ROWS


def require_equal(piece: Piece, expected: Any) -> None:
    """The cells are those of the rows, in their order."""
    if piece.column in {"a", "c", "key"}:
        np.testing.assert_array_equal(piece.cells.aligned(), np.asarray(expected, float))
        return
    names, codes = piece.cells.coded()
    found = [None if code < 0 else names[code].lower() for code in codes.tolist()]
    found = [None if name == "nan" else name for name in found]  # arrays of NumPy have no gaps in text
    assert found == [None if cell is None else str(cell).lower() for cell in expected]


def test_an_array_whose_columns_lie_one_after_the_other_is_read_row_by_row(tmp_path: Path) -> None:
    values = np.asfortranarray(np.arange(6_000.0).reshape(2_000, 3))
    np.save(tmp_path / "t.npy", values)
    np.savez_compressed(tmp_path / "t.npz", x=values, y=np.arange(2_000))
    for name in ("t.npy", "t.npz"):
        found = [piece for piece in of_file(tmp_path / name)(lambda _: [("x[2]",), ("x[0]",)]) if piece.run == 0]
        assert [piece.column for piece in found] == ["x[2]", "x[0]"]
        np.testing.assert_array_equal(found[0].cells.aligned(), values[: found[0].cells.rows, 2])


def test_a_pipe_and_an_iterator_cannot_be_read_again(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "t.csv").write_text("a\n1\n")
    assert not sources.again(str(tmp_path / "pipe.csv"))
    assert sources.again(str(tmp_path / "t.csv"))
    assert sources.again(str(tmp_path))
    assert frames.again(pd.DataFrame({"a": [1]}))
    assert frames.again([pd.DataFrame({"a": [1]})])
    assert not frames.again(iter([pd.DataFrame({"a": [1]})]))


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".jsonl"])
def test_what_comes_through_a_pipe_has_the_bins_of_the_file(tmp_path: Path, ending: str) -> None:
    rows = [{"a": row % 7, "p": row % 3} for row in range(20_000)]
    lines = [json.dumps(row) for row in rows] if ending == ".jsonl" else ["a,p", *(f"{r['a']},{r['p']}" for r in rows)]
    content = "\n".join(lines).encode()
    file, pipe = tmp_path / f"t{ending}", tmp_path / f"pipe{ending}"
    file.write_bytes(gzip.compress(content) if ending.endswith(".gz") else content)
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as writer:
        written = writer.submit(pipe.write_bytes, file.read_bytes())
        found, notes = build(Plan(str(pipe), ["p"]))
        written.result()
    assert notes[-1].startswith("the table can be read only once")
    assert [column.counts for column in found.features] == [
        column.counts for column in build(Plan(str(file), ["p"]))[0].features
    ]


def test_what_is_no_text_in_a_pipe_is_a_fault_without_a_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with ThreadPoolExecutor(1) as writer:
        writer.submit((tmp_path / "pipe.csv").write_bytes, b"a,p\n1,2\n\xff,3\n")
        with pytest.raises(DataError, match=r"pipe\.csv: not UTF-8 text"):
            build(Plan(str(tmp_path / "pipe.csv"), ["p"]))
