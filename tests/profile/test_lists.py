"""Columns of lists of numbers: the very profile that a column for each place gives, whatever the table is kept in."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from exporter.config import Windows
from exporter.decode.tables import from_records
from exporter.errors import ConfigError, DataError
from exporter.monitor import Monitor
from exporter.profile import document
from exporter.profile.build import Plan, build, build_frame, build_like, count_like
from exporter.records import Body, Capture, Exchange, Observation, Table
from exporter.reference import Profile

ROWS, WIDE = 1500, 24
BODY = Body(0, Capture.WHOLE, b"")
Embedded = dict[str, str]


def vectors(rows: int = ROWS) -> Any:
    random = np.random.default_rng(4)
    mixed = random.standard_normal((rows, WIDE)) * np.linspace(3, 0.2, WIDE)
    return mixed.astype(np.float32)


def others(rows: int = ROWS) -> dict[str, Any]:
    random = np.random.default_rng(5)
    return {"amount": random.standard_normal(rows), "p": random.random(rows)}


def columns(given: Any) -> dict[str, Any]:
    return {"amount": others()["amount"], **{f"vector[{at}]": given[:, at] for at in range(WIDE)}, "p": others()["p"]}


def table(given: Any, kind: str = "list") -> pa.Table:
    flat = pa.array(given.ravel())
    starts = np.arange(0, given.size + 1, WIDE, dtype=np.int32)
    lists = (pa.FixedSizeListArray.from_arrays(flat, WIDE) if kind == "fixed"
             else pa.ListArray.from_arrays(pa.array(starts), flat))  # fmt: skip
    rows = len(given)
    return pa.table({"amount": others(rows)["amount"], "vector": lists, "p": others(rows)["p"]})


def described(made: Profile) -> dict[str, Any]:
    return document.describe(replace(made, source="t"))


def plan(source: str = "t", **said: Any) -> Plan:
    return Plan(source, predictions=["p"], **said)


def as_parquet(path: Path, given: Any) -> str:
    pyarrow.parquet.write_table(table(given), path / "t.parquet", row_group_size=400)
    return str(path / "t.parquet")


def as_fixed_parquet(path: Path, given: Any) -> str:
    pyarrow.parquet.write_table(table(given, "fixed"), path / "f.parquet")
    return str(path / "f.parquet")


def as_feather(path: Path, given: Any) -> str:
    pyarrow.feather.write_feather(table(given), path / "t.feather", chunksize=300)
    return str(path / "t.feather")


def as_json_lines(path: Path, given: Any) -> str:
    rows = zip(others()["amount"].tolist(), given.tolist(), others()["p"].tolist(), strict=True)
    lines = [json.dumps({"amount": amount, "vector": one, "p": p}) for amount, one, p in rows]
    (path / "t.jsonl").write_text("\n".join(lines))
    return str(path / "t.jsonl")


def as_parts(path: Path, given: Any) -> str:
    (path / "parts").mkdir()
    for number, start in enumerate(range(0, ROWS, 600)):
        pyarrow.parquet.write_table(table(given).slice(start, 600), path / "parts" / f"{number}.parquet")
    return str(path / "parts")


FILES = [as_parquet, as_fixed_parquet, as_feather, as_json_lines, as_parts]


@pytest.fixture(scope="module", params=[{"vector": ""}, {}], ids=["embedding", "plain"])
def expected(request: pytest.FixtureRequest) -> tuple[Embedded, dict[str, Any]]:
    """Of a column for each place."""
    pattern = dict.fromkeys(request.param, "vector[*")
    return request.param, described(build_frame(columns(vectors()), plan(embeddings=pattern))[0])


@pytest.mark.parametrize("write", FILES)
def test_a_file_with_lists_gives_the_profile_of_a_column_for_each_place(
    tmp_path: Path, write: Callable[[Path, Any], str], expected: tuple[Embedded, dict[str, Any]]
) -> None:
    embeddings, wanted = expected
    made, _ = build(plan(write(tmp_path, vectors()), embeddings=embeddings))
    assert described(made) == wanted


def frames(given: Any) -> dict[str, object]:
    whole = {"amount": others()["amount"], "p": others()["p"]}
    lists: Any = {"lists": given.tolist(), "arrays": list(given), "tuples": list(map(tuple, given.tolist()))}
    found: dict[str, object] = {}
    for name, cells in lists.items():
        frame = pd.DataFrame(whole)
        frame.insert(1, "vector", pd.Series(cells, dtype=object))
        found[name] = frame
    found["chunks"] = pa.concat_tables([table(given).slice(0, 333), table(given).slice(333)])
    found["batches"] = [table(given).slice(start, 200) for start in range(0, ROWS, 200)]
    return found


@pytest.mark.parametrize("kind", ["lists", "arrays", "tuples", "chunks", "batches"])
def test_so_does_a_table_in_memory(kind: str, expected: tuple[Embedded, dict[str, Any]]) -> None:
    embeddings, wanted = expected
    assert described(build_frame(frames(vectors())[kind], plan(embeddings=embeddings))[0]) == wanted


def ragged() -> list[list[float | None] | None]:
    """Every tenth list is null, every tenth of another length, every tenth has a null inside."""
    lists: list[Any] = vectors().tolist()
    lists[0::10] = [None] * len(lists[0::10])
    lists[1::10] = [one[:-3] for one in lists[1::10]]
    lists[2::10] = [[*one[:4], None, *one[5:]] for one in lists[2::10]]
    return lists


def test_what_is_null_or_of_another_length_is_missing_and_told_of() -> None:
    given = pa.table(others() | {"vector": pa.array(ragged(), pa.list_(pa.float32()))})
    made, notes = build_frame(given, plan())
    missing = {column.name: column.counts[14] if column.ordered else -1 for column in made.features}
    assert missing["vector[0]"] == 2 * ROWS / 10
    assert missing["vector[4]"] == 3 * ROWS / 10
    assert "vector: 150 lists are not of 24 numbers, and missing" in notes
    assert any("--embedding vector watches them as one vector" in note for note in notes)
    whole, told = build_frame(given, plan(embeddings={"vector": ""}))
    assert {column.counts[14] for column in whole.features if column.origin} == {3 * ROWS // 10}
    assert told == ["vector: 150 lists are not of 24 numbers, and missing"]


@pytest.mark.parametrize("embeddings", [{"vector": ""}, {}])
def test_neither_order_nor_batches_nor_the_kind_of_table_show_in_ragged_lists(embeddings: Embedded) -> None:
    frame = pd.DataFrame(others() | {"vector": pd.Series(ragged(), dtype=object)})
    wanted = document.describe(build_frame(frame, plan(embeddings=embeddings))[0])
    mixed = frame.sample(frac=1.0, random_state=3)
    batches = [mixed.iloc[start : start + 47] for start in range(0, ROWS, 47)]
    assert document.describe(build_frame(batches, plan(embeddings=embeddings))[0]) == wanted
    typed = pa.table(others() | {"vector": pa.array(ragged(), pa.list_(pa.float32()))})
    assert document.describe(build_frame(typed, plan(embeddings=embeddings))[0]) == wanted


def test_a_list_of_one_number_is_that_number() -> None:
    given = others()
    lists = pa.table(given | {"amount": pa.array([[one] for one in given["amount"].tolist()])})
    assert described(build_frame(lists, plan())[0]) == described(build_frame(given, plan())[0])


def test_lists_of_texts_and_of_lists_and_of_no_fixed_length_stay_texts() -> None:
    lists: dict[str, list[Any]] = {
        "tags": [["a", "b"]] * 50, "nested": [[[1.0], [2.0]]] * 50, "some": [[1.0]] * 25 + [7.0] * 25,
        "history": [[1.0] * (1 + row % 10) for row in range(50)],
    }  # fmt: skip
    frame = pd.DataFrame(others(50) | {name: pd.Series(cells, dtype=object) for name, cells in lists.items()})
    made, _ = build_frame(frame, plan())
    assert made.inputs == ("amount", *lists)
    for name in lists:
        with pytest.raises(ConfigError, match=f"--embedding {name}: no column of this name has lists of numbers"):
            build_frame(frame, plan(embeddings={name: ""}))


def test_a_list_that_is_named_in_the_plan_is_all_its_places() -> None:
    frame = pd.DataFrame({"a": np.arange(60.0), "odds": [[0.2, 0.8]] * 60, "vector": [[1.0, 2.0, 3.0]] * 60})
    made, notes = build_frame(frame, Plan("t", predictions=["odds"], ignored=["vector"]))
    assert [column.name for column in made.outputs] == ["odds[0]", "odds[1]"]
    assert made.inputs == ("a",)
    assert not notes
    with pytest.raises(ConfigError, match="some of 'odds' are predictions and some are features"):
        build_frame(frame, Plan("t", predictions=["odds[1]"]))
    one, _ = build_frame(frame, Plan("t", predictions=["odds[1]"], ignored=["odds[0]"]))
    assert one.inputs == ("a", "vector[0]", "vector[1]", "vector[2]")


def test_lists_that_are_too_wide_are_refused_unless_they_are_ignored() -> None:
    wide = pa.table({"a": np.arange(30.0), "vector": pa.array(np.zeros((30, 4097)).tolist())})
    with pytest.raises(DataError, match="t: column 'vector' has lists of more than 4,096 numbers"):
        build_frame(wide, Plan("t"))
    assert build_frame(wide, Plan("t", ignored=["vector"]))[0].inputs == ("a",)


def test_two_columns_of_one_name_are_refused() -> None:
    given = pa.table({"a[0]": np.arange(30.0), "a": pa.array([[1.0, 2.0]] * 30)})
    with pytest.raises(DataError, match=r"column 'a\[0\]' stands there twice"):
        build_frame(given, Plan("t"))


def test_an_iterator_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="can be read only once, and an embedding takes several readings: give a fil"):
        build_frame(iter([table(vectors())]), plan(embeddings={"vector": ""}))


def test_another_table_with_lists_is_counted_in_the_bins_of_a_profile(tmp_path: Path) -> None:
    source = as_parquet(tmp_path, vectors())
    made, _ = build(plan(source, embeddings={"vector": ""}))
    again = build_like(Plan(as_json_lines(tmp_path, vectors())), made)
    assert [column.counts for column in again.features] == [column.counts for column in made.features]
    counted = count_like(Plan(source), made)
    assert [column.counts for column in counted.features if column] == [column.counts for column in made.features]
    assert counted.strangers == ()


def test_a_vector_of_a_live_request_fits_the_profile_of_a_column_of_lists() -> None:
    made, _ = build_frame(table(vectors()), plan(embeddings={"vector": ""}))
    body = [{"amount": 0.5, "vector": one} for one in vectors()[:300].tolist()]
    live = from_records(json.loads(json.dumps(body)))
    assert live.names == made.inputs
    monitor = Monitor(made, Windows(), ())
    read = Table(live.rows, live.names, tuple(live.columns))
    monitor.observe(Exchange(10**9, 10**9, 10**6, 200, "POST", "/", {}, {}, BODY, BODY), Observation(read, None))
    monitor.flush()
    features = monitor.snapshot(1.0).features
    assert features is not None
    values = features.scores[0].values["psi"]  # noqa: PD011 (no pandas)
    assert len(values) == len(made.features)
    assert not np.isnan(values).any()
    assert (values[1:] < 0.5).all()
