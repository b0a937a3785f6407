"""Tables in memory: the same columns as from a file, from a notebook that has nothing of the server."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from profile_tables import write_csv

from exporter.errors import DataError
from exporter.profile import Plan, build_frame, load, save
from exporter.profile.build import build
from exporter.reference import Column

PLAN = Plan(predictions=["p"])


def frame(rows: int = 2000) -> pd.DataFrame:
    random = np.random.default_rng(8)
    amount = random.lognormal(3, 1, rows)
    amount[::50] = np.nan
    town = random.choice(["a", "b", "ü"], rows).astype(object)
    town[::40] = None
    return pd.DataFrame({
        "amount": amount, "whole": random.integers(-5, 500, rows), "town": town,
        "flag": random.choice([True, False], rows), "words": [f"{place} words" for place in range(rows)],
        "p": random.random(rows),
    })  # fmt: skip


def columns_of(table: Any, **plan: Any) -> dict[str, Column]:
    profile, _ = build_frame(table, Plan(predictions=["p"], **plan))
    return {column.name: column for column in (*profile.features, *profile.outputs)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Column]:
    columns = {name: [None if pd.isna(cell) else cell for cell in values] for name, values in frame().items()}
    path = tmp_path_factory.mktemp("frames") / "t.csv"
    profile, _ = build(Plan(write_csv(path, columns), ["p"]))
    return {column.name: column for column in (*profile.features, *profile.outputs)}


def batches(table: pd.DataFrame) -> Any:
    return [table.iloc[start : start + 300] for start in range(0, len(table), 300)]


@pytest.mark.parametrize(("name", "of"), [
    ("pandas", lambda table: table), ("nullable types of pandas", lambda table: table.convert_dtypes()),
    ("Arrow types in pandas", lambda table: table.convert_dtypes(dtype_backend="pyarrow")),
    ("arrays", lambda table: {name: column.to_numpy() for name, column in table.items()}),
    ("lists", lambda table: {name: column.tolist() for name, column in table.items()}),
    ("a masked array", lambda table: {name: np.ma.masked_invalid(column.to_numpy()) if name == "amount"
                                      else column.to_numpy() for name, column in table.items()}),
    ("Arrow", pa.Table.from_pandas), ("a record batch", pa.RecordBatch.from_pandas),
    ("batches", batches), ("batches of Arrow", lambda table: pa.Table.from_pandas(table).to_batches(333)),
    ("batches of arrays", lambda table: [{name: part[name].to_numpy() for name in part} for part in batches(table)]),
])  # fmt: skip
def test_a_table_in_memory_gives_the_columns_of_its_file(name: str, of: Any, whole: dict[str, Column]) -> None:
    assert columns_of(of(frame())) == whole, name


def test_batches_that_come_once_have_the_same_bins_and_a_note(whole: dict[str, Column]) -> None:
    profile, notes = build_frame(iter(batches(frame())), Plan(predictions=["p"]))
    assert notes[-1].startswith("the table can be read only once")
    for column in (*profile.features, *profile.outputs):
        assert column.association == ()
        assert dataclasses.replace(column, association=(), importance=None) == dataclasses.replace(
            whole[column.name], association=(), importance=None
        )


def test_a_categorical_column_of_pandas_is_categorical_even_of_numbers() -> None:
    codes = pd.Series([3, 1, 3, None] * 20, dtype="Int64").astype("category")
    column = columns_of(pd.DataFrame({"x": codes, "p": [0.5] * 80}))["x"]
    assert (column.kind, column.categories, column.counts) == ("categorical", ("3", "1"), (40, 20, 0, 0, 20))


def test_batches_may_take_a_column_for_other_types() -> None:
    one = {"x": np.arange(30), "p": np.full(30, 0.5)}
    other = {"p": np.full(30, 0.5), "x": ["a"] * 30}
    empty = {"x": [None] * 5, "p": [None] * 5}
    found = {tuple(columns_of(order)["x"].counts) for order in ([one, empty, other], [other, one, empty])}
    assert found == {(30, 0, 30, 5)}
    assert columns_of([one, other])["x"].categories == ("a",)


def test_times_are_spelt_out() -> None:
    times = pd.to_datetime(["2026-01-31", None] * 30)
    column = columns_of({"x": pd.Series(times), "p": [0.5] * 60})["x"]
    assert column.categories == ("2026-01-31 00:00:00",)
    assert column.counts == (30, 0, 0, 30)


@pytest.mark.parametrize(("table", "words"), [
    ({"x": [1, 2], "p": [1]}, "the table: column 'p' has 1 rows where 'x' has 2"),
    ([{"x": [1], "p": [1]}, {"x": [1], "q": [1]}], "batch 2: column 'p' is not in every batch"),
    (pd.DataFrame([[1, 2, 3]], columns=["x", "x", "p"]), "the table: column 'x' stands there twice"),
    ({"x": [], "p": []}, "a data frame: no rows"), ([], "a data frame: no rows"),
    ({"x": np.zeros((2, 2)), "p": [1, 1]}, "column 'x' has 2 dimensions where 1 can be read"),
    ({"x": 3, "p": 4}, "column 'x' has no length"), ([3], "batch 1: int is no table"),
    (5, "int is no table"), ("train.csv", "str is no table"), (np.zeros((2, 2)), "ndarray is no table"),
])  # fmt: skip
def test_what_is_no_table_is_said(table: Any, words: str) -> None:
    with pytest.raises(DataError) as caught:
        build_frame(table, PLAN)
    assert words in str(caught.value)


ALONE = """
import sys
import numpy as np
from exporter.profile import Plan, build_frame, load, save
profile, notes = build_frame({"x": np.arange(100.0), "p": np.full(100, 0.5)}, Plan(predictions=["p"], model="m"))
save(profile, sys.argv[1])
print(" ".join(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_a_notebook_needs_nothing_of_the_server(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    loaded = subprocess.run([sys.executable, "-c", ALONE, str(path)], capture_output=True, text=True, check=True).stdout
    assert "numpy" in loaded.split()
    unwanted = {"flask", "cheroot", "uvloop", "httptools", "asyncio", "scipy", "psutil", "yaml", "pyarrow", "pandas"}
    assert not unwanted & set(loaded.split())
    assert load(str(path)).model == "m"


def test_who_only_reads_a_profile_needs_nothing_of_who_builds_one() -> None:
    code = "import sys; from exporter.profile import load, document; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "exporter.profile.build", "exporter.profile.sources"} & set(loaded)


def test_a_thousand_columns_are_built_saved_and_read(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    columns: dict[str, Any] = {f"c{place}": random.normal(place, 1, 500) for place in range(1000)}
    profile, _ = build_frame(columns | {"p": [0.5] * 500}, PLAN)
    saved = save(profile, str(tmp_path / "p.json"))
    assert load(str(tmp_path / "p.json")) == saved
    for place in (0, 1, 500, 999):
        found, raw = saved.features[place], columns[f"c{place}"]
        assert (found.name, found.minimum, found.maximum) == (f"c{place}", raw.min(), raw.max())
        assert found.mean == pytest.approx(raw.mean(), rel=1e-12)
        assert np.histogram(raw, found.edges)[0].tolist() == list(found.counts[1 : len(found.edges)])


def test_a_profile_from_memory_is_saved_and_read(tmp_path: Path) -> None:
    profile, notes = build_frame(frame(), Plan("train, 2026-01", ["p"], "flag", model="churn", version="7"))
    assert save(profile, str(tmp_path / "p.json")) == load(str(tmp_path / "p.json"))
    assert (profile.rows, profile.source) == (2000, "train, 2026-01")
    assert any(note.startswith("words: ") for note in notes)
