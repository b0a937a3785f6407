"""The same table in every format gives the same columns, and every fault in a file is named."""

import dataclasses
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
import pytest
import zstandard

from exporter.errors import ConfigError, DataError
from exporter.profile import sources
from exporter.profile.build import Plan, build, count_like
from exporter.profile.draft import Draft
from exporter.profile.files import Dialect, TableFile
from exporter.reference import Column

ROWS = 3000


def read(path: Path, dialect: Dialect | None = None) -> Draft:
    draft, names = Draft({}), []
    draft.read(sources.pieces(TableFile(str(path), dialect or Dialect()), names), names)
    return draft


def columns_of(path: Path, dialect: Dialect | None = None) -> list[Column]:
    return [column for builder in read(path, dialect).columns for column in builder.build()]


def table(rows: int = ROWS) -> dict[str, list[Any]]:
    random = np.random.default_rng(5)
    return {
        "amount": [*random.lognormal(3, 1, rows - 1).tolist(), None],
        "whole": random.integers(-5, 500, rows).tolist(),
        "town": [None, *random.choice(["a", "b", "ü"], rows - 1).tolist()],
        "flag": random.choice([True, False], rows).tolist(),
        "words": [f"{place} words" for place in range(rows)],
    }


def csv_text(columns: dict[str, list[Any]], delimiter: str = ",") -> str:
    lines = [delimiter.join(columns)]
    rows = zip(*columns.values(), strict=True)
    lines += [delimiter.join("" if cell is None else str(cell) for cell in row) for row in rows]
    return "\n".join(lines) + "\n"


def json_lines(columns: dict[str, list[Any]]) -> str:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return "".join(json.dumps(row) + "\n" for row in rows)


def write(path: Path, columns: dict[str, list[Any]]) -> Path:
    ending = path.name.split(".", 1)[1]
    if ending.startswith(("csv", "jsonl")):
        content = (csv_text if ending.startswith("csv") else json_lines)(columns).encode()
        packed = gzip.compress(content) if ending.endswith("gz") else content
        path.write_bytes(zstandard.compress(content) if ending.endswith("zst") else packed)
    elif ending == "parquet":
        pa.parquet.write_table(pa.table(columns), path, row_group_size=700)
    elif ending == "feather":
        pa.feather.write_feather(pa.table(columns), str(path))
    else:
        opened = pa.ipc.new_file if ending == "arrow" else pa.ipc.new_stream
        with opened(str(path), pa.table(columns).schema) as writer:
            writer.write_table(pa.table(columns), max_chunksize=800)
    return path


ENDINGS = ("csv", "csv.gz", "csv.zst", "jsonl", "jsonl.gz", "jsonl.zst", "parquet", "feather", "arrow", "arrows")


@pytest.mark.parametrize("ending", ENDINGS[1:])
def test_every_format_gives_the_columns_that_csv_gives(tmp_path: Path, ending: str) -> None:
    whole = columns_of(write(tmp_path / "t.csv", table()))
    assert [column.kind for column in whole] == [
        "numeric",
        "numeric",
        "categorical",
        "boolean",
        *["text"] * 4,
        "categorical",
    ]
    assert columns_of(write(tmp_path / f"t.{ending}", table())) == whole


@pytest.mark.parametrize("ending", ENDINGS)
def test_each_piece_says_how_much_is_read(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"t.{ending}", table())
    shares = [piece.done for piece in sources.pieces(TableFile(str(path)), [])]
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert 0.99 < shares[-1] <= 1


@pytest.mark.parametrize("ending", ["csv.gz", "csv.zst", "jsonl.gz", "jsonl.zst"])
def test_a_compressed_file_that_is_cut_short_is_bad_data(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"t.{ending}", table())
    whole = path.read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, 20):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="cannot be decompressed"):
            read(path)


@pytest.mark.parametrize("ending", ["csv.gz", "csv.zst"])
def test_what_is_not_compressed_as_its_name_says_is_bad_data(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t.{ending}"
    path.write_bytes(b"a,b\n1,2\n" * 100)
    with pytest.raises(DataError, match=f"{path.name}: cannot be decompressed"):
        read(path)


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("zst", zstandard.compress)])
def test_files_compressed_one_after_the_other_are_one_file(tmp_path: Path, ending: str, pack: Any) -> None:
    path = tmp_path / f"t.csv.{ending}"
    path.write_bytes(pack(b"a,b\n1,x\n") + pack(b"2,x\n" * 50_000) + pack(b"3,x\n"))
    assert read(path).rows == 50_002


def test_a_ragged_line_of_a_compressed_file_has_its_number(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b,c\n" + b"1,2,3\n" * 40_000 + b"1,2\n"))
    with pytest.raises(DataError, match="line 40002: 2 fields where the header has 3: nothing for column 3, 'c'"):
        read(path)
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 40_000 + b"1,\xff\n"))
    with pytest.raises(DataError, match="line 40002: not UTF-8 text"):
        read(path)


def test_binary_formats_are_not_compressed_again(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"t\.parquet\.gz: decompress it first"):
        read(tmp_path / "t.parquet.gz")


# --- directories


def test_the_files_of_a_directory_are_one_table(tmp_path: Path) -> None:
    columns = table()
    whole = columns_of(write(tmp_path / "t.csv", columns))
    parts = tmp_path / "t"
    parts.mkdir()
    (parts / "_SUCCESS").touch()
    (parts / ".part-0.crc").write_bytes(b"x")
    for number, ending in enumerate(("csv", "jsonl.gz", "parquet", "arrow")):
        some = {name: cells[number * 750 : (number + 1) * 750] for name, cells in columns.items()}
        write(parts / f"part-{number}.{ending}", some)
    assert columns_of(parts) == whole
    assert [piece.done for piece in sources.pieces(TableFile(str(parts)), [])][-1] == 1


def test_parts_may_have_their_columns_in_another_order(tmp_path: Path) -> None:
    for names in (("ba", "ab"), ("ab", "ba")):
        (tmp_path / "1.csv").write_text(f"{names[0][0]},{names[0][1]}\n" + "1,2\n" * 20)
        (tmp_path / "2.csv").write_text(f"{names[1][0]},{names[1][1]}\n" + "3,4\n" * 20)
        assert read(tmp_path).names == ["a", "b"]


def test_a_part_with_other_columns_is_named(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text("a,c\n1,2\n")
    with pytest.raises(DataError, match=r"2\.csv: column 'b' is not in every part of the table"):
        read(tmp_path)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_column_that_is_typed_otherwise_in_another_part_is_refused(tmp_path: Path, order: Any) -> None:
    for name, cells in zip(order, ([1, 2] * 20, ["a", "b"] * 20), strict=True):
        pa.parquet.write_table(pa.table({"x": cells}), tmp_path / f"{name}.parquet")
    with pytest.raises(ValueError, match="column 'x' has numbers in one part of the table and something else"):
        columns_of(tmp_path)


# --- CSV


@pytest.mark.parametrize("delimiter", list(",;\t|\x01"))
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(csv_text(table(50), delimiter), encoding="utf-8")
    assert read(path).names == list(table(2))


def test_what_is_not_found_out_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a~b\n" + "$1,5$~$x~y$\n1.000,25~z\n-,5e1~z\n" * 10, encoding="utf-16")
    draft = read(path, Dialect("~", "$", ",", "utf-16"))
    kinds = [builder.build()[0] for builder in draft.columns]
    assert kinds[0].kind == "categorical"  # a point for thousands makes no number
    assert kinds[1].categories == ("z", "x~y")
    path.write_text("a;b\n" + "1,5;x\n2;x\n-,5e1;x\n" * 10, encoding="latin-1")
    number = columns_of(path, Dialect(decimal=",", encoding="latin-1"))[0]
    assert (number.kind, number.minimum, number.maximum) == ("numeric", -5.0, 2.0)


def test_single_quotes_are_found_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("'a','b'\n" + "'1','x, y'\n" * 10)
    assert columns_of(path)[1].categories == ("x, y",)


def test_an_unknown_encoding_is_a_fault_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match="--encoding no-such: unknown"):
        read(tmp_path / "t.csv", Dialect(encoding="no-such"))


# --- JSON Lines


def lines(path: Path, content: str | bytes) -> Draft:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path)


@pytest.mark.parametrize(("content", "words"), [
    ("", "t.jsonl: no rows"), ("\n\n", "t.jsonl: no rows"),
    ('{"a": 1}\n[1]\n', "line 2: must be an object, {...}, not a list"),
    ('[{"a": 1}]\n', "line 1: must be an object, {...}, not a list"),
    ("3\n", "line 1: must be an object, {...}, not a number"), ("null\n", "not null"), ('"x"\n', "not text"),
    ('{"a": 1}\n\n{"a": }\n', "line 3, column 7: not JSON: Expecting value"),
    ('{"a": 1}\n' * 30_000 + '{"a": 1', "line 30001, column 8: not JSON: "),
    ('{"": 1}\n', "a key is empty"), (b'{"a": "\xff"}\n', "line 1: not JSON: "),
    ('{"a": ' + "[" * 100_000 + "\n", "line 1: not JSON: "),
    ('{"a": "' + "x" * (17 << 20) + '"}\n', "line 1: longer than 16 MiB"),
    ("{" + ",".join(f'"k{n}": 1' for n in range(10_001)) + "}\n", "more than 10000 different keys"),
])  # fmt: skip
def test_every_fault_of_json_lines_has_its_line(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(DataError) as caught:
        lines(tmp_path / "t.jsonl", content)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "t.jsonl"))


def test_a_key_that_is_not_there_is_missing(tmp_path: Path) -> None:
    draft = lines(tmp_path / "t.jsonl", '{"b": 1, "a": "x"}\n' * 12_000 + '{"b": 2, "c": 3}\n' * 20)
    assert draft.names == ["a", "b", "c"]
    found = {builder.name: builder.build()[0] for builder in draft.columns}
    assert found["a"].counts == (12_000, 0, 0, 20)
    assert (found["b"].counts[14], found["c"].counts[14]) == (0, 12_000)


def test_the_order_of_the_lines_changes_no_column_however_their_keys_differ(tmp_path: Path) -> None:
    rows = [*['{"b": 1, "a": 2}'] * 20, *['{"a": 5, "c": null}'] * 20, '{"a": 1}']
    one = lines(tmp_path / "t.jsonl", "\n".join(rows))
    other = lines(tmp_path / "t.jsonl", "\n".join(reversed(rows)))
    assert one.names == other.names == ["a", "b", "c"]
    assert [builder.build() for builder in one.columns] == [builder.build() for builder in other.columns]


def test_keys_keep_their_order_where_every_line_has_it(tmp_path: Path) -> None:
    assert lines(tmp_path / "t.jsonl", '{"b": 1, "a": 2}\n' * 20).names == ["b", "a"]


def test_what_python_writes_for_json_is_read(tmp_path: Path) -> None:
    column = lines(tmp_path / "t.jsonl", '\ufeff{"a": NaN}\n{"a": Infinity}\n{"a": 2}\n{"a": 1' + "0" * 400 + "}\n")
    found = column.columns[0].build()[0]
    assert (found.counts[14], found.counts[15], found.finite) == (1, 2, 1)


def test_numbers_in_quotes_are_text_as_they_are_in_traffic(tmp_path: Path) -> None:
    found = lines(tmp_path / "t.jsonl", '{"a": "3"}\n{"a": 3}\n' * 20)
    column = found.columns[0].build()[0]
    assert (column.kind, column.categories, column.counts) == ("categorical", ("3",), (40, 0, 0, 0))
    assert "not numeric because of values such as '3'" in found.columns[0].note


# --- Arrow


@pytest.mark.parametrize("ending", ["parquet", "feather", "arrow", "arrows"])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"ARROW1\0\0", b"x" * 500])
def test_what_is_no_such_file_is_bad_data(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"t.{ending}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"t\.{ending}: "):
        read(path)


@pytest.mark.parametrize("ending", ["parquet", "feather", "arrow", "arrows"])
def test_a_table_without_rows_is_bad_data(tmp_path: Path, ending: str) -> None:
    with pytest.raises(DataError, match="no rows"):
        read(write(tmp_path / f"t.{ending}", {"a": pa.array([], pa.float64())}))


def test_large_row_groups_are_read_a_column_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t.parquet", table())
    whole = columns_of(path)
    monkeypatch.setattr("exporter.profile.sources.parquet._SMALL", 0)
    found = [piece.column for piece in sources.pieces(TableFile(str(path)), [])]
    assert found[:5] == ["amount", "whole", "town", "flag", "words"]
    assert columns_of(path) == whole


def test_columns_may_be_nested_or_have_points_in_their_names(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    nested = {"a": [{"x": 1, "y": 2}] * 20, "a.b": [1.5] * 20, "l": [[1, 2]] * 20}
    pa.parquet.write_table(pa.table(nested), path)
    kinds = {column.name: column.kind for column in columns_of(path)}
    assert kinds == {"a": "categorical", "a.b": "numeric", "l": "categorical"}


# --- NumPy


def test_arrays_under_names_are_columns(tmp_path: Path) -> None:
    columns = table(500)
    amount = np.array([np.nan if cell is None else cell for cell in columns["amount"]])
    two = np.arange(1000.0).reshape(500, 2)
    when, big = np.array(["2026-01-31", "NaT"] * 250, "datetime64[ns]"), two[:, 0].astype(">i4")
    arrays = {"amount": amount, "flag": np.array(columns["flag"]), "words": np.array(columns["words"])}
    np.savez_compressed(tmp_path / "t.npz", **arrays, two=two, other=np.asfortranarray(two), when=when, big=big)
    found = {column.name: column for column in columns_of(tmp_path / "t.npz")}
    assert [name for name in found if not name.startswith("words.")] == [
        "amount", "flag", "two[0]", "two[1]", "other[0]", "other[1]", "when", "big"
    ]  # fmt: skip
    whole = {column.name: column for column in columns_of(write(tmp_path / "t.csv", columns))}
    for name in ("amount", "flag", "words.length", "words.charset"):
        assert found[name] == whole[name]
    assert found["two[1]"].mean == found["other[1]"].mean == two[:, 1].mean()
    assert found["big"].maximum == 998
    assert found["when"].counts == (250, 0, 0, 250)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_lone_array_is_read_as_it_lies(tmp_path: Path, order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.profile.sources.numpy_arrays._PIECE", 1000)
    values = np.random.default_rng(3).normal(size=(777, 3)).astype(np.float32)
    np.save(tmp_path / "t.npy", np.asarray(values, order=order))
    found = columns_of(tmp_path / "t.npy")
    assert [column.name for column in found] == ["x[0]", "x[1]", "x[2]"]
    for place, column in enumerate(found):
        meant = [float(str(number)) for number in values[:, place]]  # what 32 bits were rounded from
        assert (column.minimum, column.rows) == (pytest.approx(min(meant), rel=1e-7), 777)
        assert column.mean == pytest.approx(np.mean(meant), rel=1e-6)


@pytest.mark.parametrize("width", [np.float32, np.float16])
def test_narrow_numbers_are_the_decimals_they_were_made_from(tmp_path: Path, width: Any) -> None:
    meant = np.array([0.1, 0.2, 0.3, 1.7] * 20)
    np.save(tmp_path / "t.npy", meant.astype(width))
    write(tmp_path / "t.parquet", {"x": pa.array(meant.astype(width))})
    write(tmp_path / "t.csv", {"x": meant.tolist()})
    whole = columns_of(tmp_path / "t.csv")
    assert columns_of(tmp_path / "t.npy") == columns_of(tmp_path / "t.parquet") == whole


def test_a_structured_array_has_a_column_per_field(tmp_path: Path) -> None:
    values = np.array([(1.5, b"a", "ö", True)] * 30, [("f", "f8"), ("s", "S3"), ("色", "U4"), ("b", "?")])
    with pytest.warns(UserWarning, match="format 3.0"):
        np.save(tmp_path / "t.npy", values)
    found = {column.name: column for column in columns_of(tmp_path / "t.npy")}
    assert [column.kind for column in found.values()] == ["numeric", "categorical", "categorical", "boolean"]
    assert (found["s"].categories, found["色"].categories) == (("a",), ("ö",))


def _npy(path: Path, values: Any, **options: Any) -> bytes:
    np.save(path / "made.npy", values, **options)
    return (path / "made.npy").read_bytes()


def test_what_numpy_would_unpickle_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "t.npy").write_bytes(_npy(tmp_path, np.array([{}, 1], object), allow_pickle=True))
    with pytest.raises(DataError, match=r"t\.npy: x is of type object, which is not read"):
        read(tmp_path / "t.npy")


@pytest.mark.parametrize(("values", "words"), [
    (np.zeros((2, 2, 2)), "x has 3 dimensions where 1 or 2 can be read"), (np.array(5.0), "x has 0 dimensions"),
    (np.zeros(5, complex), "x is of type complex128, which is not read"), (np.zeros(0), "no rows"),
    (np.zeros((5, 0)), "x holds nothing"), (np.zeros(3, [("a", "f8", (2,))]), "which is not read"),
])  # fmt: skip
def test_arrays_that_are_no_table_are_named(tmp_path: Path, values: Any, words: str) -> None:
    (tmp_path / "t.npy").write_bytes(_npy(tmp_path, values))
    with pytest.raises(DataError, match=r"t\.npy: ") as caught:
        read(tmp_path / "t.npy")
    assert words in str(caught.value)


def test_damaged_arrays_are_bad_data(tmp_path: Path) -> None:
    whole = _npy(tmp_path, np.zeros(1000))
    for content, words in (
        (b"", "no NumPy array"), (b"\x93NUMPY\x09\x00", "no NumPy array"), (whole[:50], "damaged header"),
        (whole[:-1], "cut short"), (whole.replace(b"'<f8'", b"'!!!'"), "damaged header"),
        (whole.replace(b"(1000,)", b"(-999,)"), ""), (whole.replace(b"(1000,)", b"('a',)"), "damaged header"),
    ):  # fmt: skip
        (tmp_path / "t.npy").write_bytes(content)
        with pytest.raises(DataError, match=rf"t\.npy: .*{words}"):
            read(tmp_path / "t.npy")
    for content in (b"", b"PK\x03\x04", b"x" * 100):
        (tmp_path / "t.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"t\.npz: no archive of arrays"):
            read(tmp_path / "t.npz")


def test_arrays_of_different_lengths_are_no_table(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", a=np.zeros(5), b=np.zeros(6))
    with pytest.raises(DataError, match="b has 6 rows where a has 5"):
        read(tmp_path / "t.npz")


# --- memory


PEAK = """
import sys
from pathlib import Path
from exporter.profile.build import Plan, build
build(Plan(sys.argv[1], predictions=["p"]))
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def peak_kib(path: Path) -> int:
    return int(subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, check=True).stdout)


@pytest.mark.parametrize("ending", ["csv.gz", "jsonl", "parquet", "arrow", "npz"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, ending: str) -> None:
    peaks = []
    for rows in (60_000, 600_000):
        values = np.random.default_rng(1).normal(size=rows)
        path = tmp_path / f"{rows}.{ending}"
        if ending == "npz":
            np.savez(path, x=values, p=values)
        else:
            write(path, {"x": values.tolist(), "p": [0.5] * rows})
        peaks.append(peak_kib(path))
    assert peaks[1] - peaks[0] < 24 << 10


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet", ".arrow"])
def test_parts_without_rows_are_passed_over(tmp_path: Path, ending: str) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    for directory, names in ((whole, ["b"]), (parts, ["a", "b", "c"])):
        for name in names:
            rows = 100 if name == "b" else 0
            frame = pd.DataFrame({"a": np.arange(rows) % 7, "p": np.arange(rows) % 3})
            path = str(directory / f"{name}{ending}")
            if ending == ".csv":
                frame.to_csv(path, index=False)
            elif ending == ".jsonl":
                frame.to_json(path, orient="records", lines=True)
            elif ending == ".parquet":
                frame.to_parquet(path)
            else:
                frame.to_feather(path, compression="uncompressed")
    found = [build(Plan(str(directory), ["p"]))[0] for directory in (whole, parts)]
    assert found[0].features == found[1].features
    (parts / f"b{ending}").unlink()
    with pytest.raises(DataError, match="parts: no rows"):
        build(Plan(str(parts), ["p"]))


def test_keys_that_only_some_parts_have_are_missing_in_the_others(tmp_path: Path) -> None:
    rows = [{"a": row % 5, "p": row % 3, **({"b": row % 4, "c": row % 2} if row >= 50 else {})} for row in range(100)]
    lines = [json.dumps(row) + "\n" for row in rows]
    (tmp_path / "whole.jsonl").write_text("".join(lines))
    (tmp_path / "parts").mkdir()
    for place in range(4):
        (tmp_path / "parts" / f"{place}.jsonl").write_text("".join(lines[place * 25 : place * 25 + 25]))
    for plan in (Plan(predictions=["p"]), Plan(predictions=["p"], embeddings={"v": "*"})):
        one, many = (
            build(dataclasses.replace(plan, source=str(tmp_path / name)))[0] for name in ("whole.jsonl", "parts")
        )
        assert (one.features, one.outputs, one.embeddings) == (many.features, many.outputs, many.embeddings)
        again = count_like(Plan(str(tmp_path / "parts")), one)
        assert [column.counts for column in again.features if column] == [column.counts for column in one.features]
