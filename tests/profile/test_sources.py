"""Tables as people have them, and every way they are broken: each fault is named with its file and line."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from exporter.errors import ConfigError, DataError
from exporter.profile import sources
from exporter.profile.build import Plan, build
from exporter.profile.builder import ColumnBuilder
from exporter.profile.draft import Draft
from exporter.profile.files import Dialect, TableFile
from exporter.reference import Column


def draft_of(path: Path, dialect: Dialect | None = None) -> Draft:
    draft, names = Draft({}), []
    draft.read(sources.pieces(TableFile(str(path), dialect or Dialect()), names), names)
    return draft


def read(path: Path, content: Any, dialect: Dialect | None = None) -> tuple[dict[str, ColumnBuilder], int]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    draft = draft_of(path, dialect)
    return {builder.name: builder for builder in draft.columns}, draft.rows


def kinds_of(builders: Any) -> dict[str, str]:
    return {name: builder.build()[0].kind for name, builder in builders.items()}


PLAIN = "a,b\n" + "1,x\n" * 12


@pytest.mark.parametrize("content", [
    pytest.param(PLAIN, id="plain"),
    pytest.param("\ufeff" + PLAIN, id="byte order mark"),
    pytest.param(PLAIN.replace(",", ";"), id="semicolons"),
    pytest.param(PLAIN.replace(",", "\t"), id="tabs"),
    pytest.param(PLAIN.replace(",", "|"), id="bars"),
    pytest.param(PLAIN.replace("\n", "\r\n"), id="CRLF"),
    pytest.param(PLAIN.replace("\n", "\r"), id="CR"),
    pytest.param(PLAIN.rstrip(), id="no newline at the end"),
    pytest.param(PLAIN + "\n\n", id="blank lines"),
    pytest.param(" a , b \n" + "1,x\n" * 12, id="spaces in the header"),
    pytest.param('"a","b"\n' + '"1","x"\n' * 12, id="quotes"),
])  # fmt: skip
def test_dialects_of_csv_are_understood(tmp_path: Path, content: Any) -> None:
    builders, rows = read(tmp_path / "t.csv", content)
    assert rows == 12
    assert kinds_of(builders) == {"a": "numeric", "b": "categorical"}
    assert builders["b"].build()[0].categories == ("x",)


def test_quotes_protect_delimiters_and_newlines(tmp_path: Path) -> None:
    builders, rows = read(tmp_path / "t.csv", '"a;a;a","b\nb"\n' + '"1","one, two\nthree ""four"""\n' * 10)
    assert rows == 10
    assert builders["b\nb"].build()[0].categories == ('one, two\nthree "four"',)
    assert list(builders) == ["a;a;a", "b\nb"]


def test_names_and_values_may_be_any_text(tmp_path: Path) -> None:
    builders, _ = read(tmp_path / "t.csv", "größe,色\n" + "1,紅\n" * 10)
    assert builders["色"].build()[0].categories == ("紅",)


def test_three_hundred_columns_are_read(tmp_path: Path) -> None:
    names = [f"a_rather_long_column_name_{n}" for n in range(300)]
    rows = np.random.default_rng(1).normal(size=(50, 300))
    lines = [";".join(names), *(";".join(map(repr, row)) for row in rows.tolist())]
    builders, count = read(tmp_path / "t.csv", "\n".join(lines))
    assert (len(builders), count) == (300, 50)
    assert builders[names[299]].build()[0].mean == pytest.approx(rows[:, 299].mean(), rel=1e-12)


@pytest.mark.parametrize(("content", "words"), [
    ("", "empty, a header line was expected"),
    ("\n", "empty, a header line was expected"),
    ("a,b\n", "no rows below the header"),
    ("a,b\n\n\n", "no rows below the header"),
    ("a,b\n1,2\n3\n", "line 3: 1 fields where the header has 2: nothing for column 2, 'b'"),
    ("a,b\n1,2\n3,4,5\n", "line 3: 3 fields where the header has 2: column 3 has no name"),
    ('a,b\n"1\n1",2\n3\n', "line 4: 1 fields where the header has 2: nothing for column 2, 'b'"),
    ("a,a\n1,2\n", "line 1: column 'a' stands there twice"),
    ("a, a\n1,2\n", "line 1: column 'a' stands there twice"),
    ("a,\n1,2\n", "line 1: column 2 has no name"),
    (",a\n0,1\n", "line 1: column 1 has no name"),
    ('a,b\n1,"2\n', "line 2: unexpected end of data"),
    ('a,b\n1,"2"x\n', "line 2: ',' expected after '\"'"),
    (b"a,b\n1,\x00\n", "line 2: holds NUL bytes, not a text file"),
    ("a,b\n".encode("utf-16"), "line 1: not UTF-8 text: invalid start byte"),
    ("a,b\n1,2\n".encode("utf-16-le"), "line 1: holds NUL bytes, not a text file"),
    (b"a,b\n1,2\n3,caf\xe9\n", "line 3: not UTF-8 text: invalid continuation byte"),
    ("a,b\n" + "1,2\n" * 30_000 + "1\n", "line 30002: 1 fields where the header has 2: nothing for column 2, 'b'"),
    (b"a,b\n" + b"1,2\n" * 30_000 + b"1,\xff\n", "line 30002: not UTF-8 text: invalid start byte"),
    (b"a,b\n" + b"1,2\n" * 30_000 + b"1,\x00\n", "line 30002: holds NUL bytes, not a text file"),
    ("a,b\n1," + "x" * 200_000 + "\n", "line 2: field larger than field limit (131072)"),
])  # fmt: skip
def test_every_fault_of_a_csv_file_has_its_line(tmp_path: Path, content: Any, words: str) -> None:
    path = tmp_path / "t.csv"
    with pytest.raises(DataError) as caught:
        read(path, content)
    assert str(caught.value) == f"{path}: {words}"


@pytest.mark.parametrize("name", ["missing.csv", "missing.parquet"])
def test_a_missing_file_is_a_fault_of_the_command(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*missing.*: No such file or directory|Failed to open"):
        draft_of(tmp_path / name)


def test_a_directory_without_files_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "_SUCCESS").touch()
    with pytest.raises(ConfigError, match=r"cannot read .*: a directory without files"):
        draft_of(tmp_path)


# --- Parquet


def parquet(path: Path, columns: Any) -> tuple[dict[str, Column], int]:
    pyarrow.parquet.write_table(pa.table(columns), path)
    draft = draft_of(path)
    return {builder.name: builder.build()[0] for builder in draft.columns}, draft.rows


def test_every_type_of_parquet_has_a_kind(tmp_path: Path) -> None:
    count = 40
    columns, rows = parquet(tmp_path / "t.parquet", {
        "int": pa.array([*range(39), None]), "float32": pa.array([0.5] * count, pa.float32()),
        "decimal": pa.array([None, *map(str, range(39))]).cast(pa.decimal128(9, 2)),
        "bool": pa.array([True, None] * 20), "text": pa.array(["a", "b"] * 20),
        "dictionary": pa.array(["a", "b"] * 20).dictionary_encode(),
        "numbers": pa.array([1, 2] * 20).dictionary_encode(),
        "date": pa.array([19_000] * count, pa.int32()).cast(pa.date32()),
        "list": pa.array([[1, 2]] * count), "nothing": pa.nulls(count), "empty": pa.array([""] * count),
        "half": pa.array(np.full(count, 1.5, np.float16)), "unsigned": pa.array([2**64 - 1] * count, pa.uint64()),
    })  # fmt: skip
    assert rows == count
    kinds = {name: column.kind for name, column in columns.items()}
    numeric = {"int", "float32", "decimal", "numbers", "half", "unsigned"}
    assert {name for name, kind in kinds.items() if kind == "numeric"} == numeric
    assert kinds["bool"] == "boolean"
    assert columns["int"].counts[14] == 1
    assert columns["text"].categories == columns["dictionary"].categories == ("a", "b")
    assert columns["nothing"].counts == (0, 0, count)
    assert all(column.rows == count for column in columns.values())


def test_nan_is_missing_as_null_is(tmp_path: Path) -> None:
    columns, _ = parquet(tmp_path / "t.parquet", {"x": pa.array([1.0, float("nan"), None, float("inf")])})
    assert (columns["x"].counts[14], columns["x"].counts[15]) == (2, 1)


def test_a_column_of_nothing_but_nan_is_missing(tmp_path: Path) -> None:
    columns, _ = parquet(tmp_path / "t.parquet", {"x": pa.array([float("nan")] * 20)})
    assert columns["x"].counts == (0, 0, 20)


def test_long_numbers_declared_categories_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(
        pa.table({"x": [9007199254740993] * 20 + [None], "p": [0.5] * 21, "y": range(21)}), path
    )
    profile, _ = build(Plan(str(path), ["p"], kinds={"x": "categorical"}))
    assert profile.features[0].categories == ("9007199254740993",)
    assert profile.features[0].counts == (20, 0, 0, 1)


def test_floats_declared_categories_are_spelt_like_live_ones(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pa.table({"x": [3.0] * 20 + [2.5] * 10 + [float("nan")], "p": [0.5] * 31}), path)
    profile, _ = build(Plan(str(path), ["p"], kinds={"x": "categorical"}))
    assert profile.features[0].categories == ("3", "2.5")
    assert profile.features[0].counts == (20, 10, 0, 0, 1)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n1,2\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_bad_data(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"t\.parquet: "):
        draft_of(path)


def test_a_damaged_parquet_file_is_bad_data(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pa.table({"x": np.random.default_rng(1).normal(size=5000)}), path)
    raw = bytearray(path.read_bytes())
    raw[4:2000] = b"\xff" * 1996
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"t\.parquet: "):
        draft_of(path)


def test_parquet_without_rows_is_bad_data(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pa.table({"x": pa.array([], pa.float64())}), path)
    with pytest.raises(DataError, match="no rows"):
        draft_of(path)
