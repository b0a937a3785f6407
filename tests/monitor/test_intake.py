"""However rows come in (as rows, objects, columns or arrays, alone or many), the same cells make the same counts."""

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_scenes import FEATURES, OUTPUT, as_before, bin_of, exchange, make_profile, training_rows, write_csv

from exporter.decode import tables
from exporter.decode.turned import Turned
from exporter.monitor import Monitor
from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.records import Observation, Table
from exporter.reference import Profile
from exporter.sections import Windows

CELLS = st.one_of(
    st.none(), st.floats(), st.integers(), st.booleans(), st.just(10**400), st.just({}),
    st.text("ab1", max_size=2), st.sampled_from(["Berlin", "true", "False", "short"]),
)  # fmt: skip
WRONG: dict[str, Callable[[Any], bool]] = {
    "numeric": lambda cell: not isinstance(cell, int | float | None),
    "text": lambda cell: not isinstance(cell, str | None) and cell == cell,  # noqa: PLR0124 (NaN is a gap)
    "categorical": lambda cell: isinstance(cell, dict),
    "boolean": lambda cell: isinstance(cell, dict),
}
Rows = Sequence[Sequence[Any]]


def as_rows(rows: Rows, names: Sequence[str]) -> Table:
    return tables.from_rows([list(row) for row in rows], tuple(names))


def as_objects(rows: Rows, names: Sequence[str]) -> Table:
    return tables.from_any([dict(zip(names, row, strict=True)) for row in rows])


def as_objects_in_another_order(rows: Rows, names: Sequence[str]) -> Table:
    order = random.Random(len(rows)).sample(range(len(names)), len(names))
    return tables.from_any([{names[place]: row[place] for place in order} for row in rows])


def as_objects_without_nulls(rows: Rows, names: Sequence[str]) -> Table:
    """Nulls of the last of many columns are left out: few enough to be still of this model."""
    return tables.from_any([
        {name: cell for place, (name, cell) in enumerate(zip(names, row, strict=True)) if cell is not None or place < 5}
        | {"stranger": 1}
        for row in rows
    ])  # fmt: skip


def as_columns(rows: Rows, names: Sequence[str]) -> Table:
    return tables.from_columns({name: [row[place] for row in rows] for place, name in enumerate(names)})


def as_bare_rows(rows: Rows, _: Sequence[str]) -> Table:
    return tables.from_any([list(row) for row in rows])


FORMS = (
    as_rows, as_objects, as_objects_in_another_order, as_objects_without_nulls, as_columns, as_bare_rows,
)  # fmt: skip


def profile_of(directory: Path, names: Sequence[str]) -> Profile:
    columns = {name: cells for name, cells in training_rows(300).items() if name in {*names, OUTPUT}}
    source = write_csv(directory / "train.csv", columns)
    kinds = {"code": "categorical"} if "code" in names else {}
    return document.save(as_before(build(Plan(source, [OUTPUT], kinds=kinds))[0]), str(directory / "profile.json"))


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> list[Profile]:
    chosen = (FEATURES, ("amount", "age"), ("city", "member"), ("note",), ("age", "note"))
    return [profile_of(tmp_path_factory.mktemp("profile"), names) for names in chosen]


def within_floats(cell: Any) -> Any:
    return math.inf if type(cell) is int and abs(cell) > 1e308 else cell


@settings(deadline=None, max_examples=200)
@given(st.data(), st.integers(0, 4))
def test_any_cells_in_any_form_and_batches_make_the_counts_of_each_cell_alone(
    profiles: list[Profile], data: Any, which: int
) -> None:
    profile = profiles[which]
    names = [column.name for column in profile.features]
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=40))
    together, apart = (Monitor(profile, Windows(), ()) for _ in range(2))
    start = 0
    while start < len(rows):
        batch = rows[start : start + data.draw(st.integers(1, 15))]
        form = data.draw(st.sampled_from(FORMS))
        together.observe(exchange([], [], 1.0), Observation(form(batch, names), None))
        if data.draw(st.booleans()):
            together.flush()
        start += len(batch)
    for row in rows:
        apart.observe(exchange([], [], 1.0), Observation(as_columns([row], names), None))
        apart.flush()
    together.flush()
    totals = together.snapshot(1.0).features.totals
    for place, column in enumerate(profile.features):
        cells = [row[place] for row in rows]
        expected = np.bincount([bin_of(column, within_floats(cell)) for cell in cells], minlength=totals.bins.shape[1])
        assert totals.bins[place].tolist() == expected.tolist(), column.name
        assert totals.type_errors[place] == sum(map(WRONG[column.kind], cells)), column.name
    one, other = together.arrays(), apart.arrays()
    of_payloads = (".match", ".absent.")  # whether one of them had the field at all
    counted = [name for name in one if ".features." in name and not any(word in name for word in of_payloads)]
    assert [name for name in counted if not np.array_equal(one[name], other[name])] == []


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(["<f2", "<f4", "<f8", "<i8", "<u8", "?"]), st.integers(1, 40), st.integers(0, 2**32))
def test_an_array_of_numbers_makes_the_counts_of_its_cells(
    profiles: list[Profile], kind: str, rows: int, seed: int
) -> None:
    for profile in profiles:
        width = len(profile.features)
        raw = np.random.default_rng(seed).bytes(rows * width * np.dtype(kind).itemsize)
        values = (np.frombuffer(raw, kind) if kind != "?" else np.frombuffer(raw, "u1") % 2 == 0).reshape(rows, width)
        found = []
        for columns in (Turned(values, width), tuple(values.T.tolist())):
            monitor = Monitor(profile, Windows(), ())
            monitor.observe(exchange([], [], 1.0), Observation(Table(rows, None, columns), None))
            names = [column.name for column in profile.features][::-1]
            names[-1] = "stranger" if width > 2 else names[-1]
            named = Table(rows, tuple(names), columns)
            monitor.observe(exchange([], [], 1.0), Observation(named, None))
            monitor.flush()
            found.append(monitor)
        one, other = (monitor.arrays() for monitor in found)
        assert all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


def test_a_payload_beyond_what_may_wait_is_counted_in_parts(tmp_path: Path) -> None:
    profile = make_profile(tmp_path)
    rows = [[float(number), number % 70, "Paris", True, "x" * (number % 9), 7.25, 100] for number in range(9_001)]
    for form in (as_rows, as_columns, as_objects):
        monitor = Monitor(profile, Windows(), ())
        monitor.observe(exchange([], [], 1.0), Observation(form(rows, FEATURES), None))
        monitor.flush()
        totals = monitor.snapshot(1.0).features.totals.bins
        for place, column in enumerate(profile.features):
            expected = np.bincount([bin_of(column, row[place]) for row in rows], minlength=totals.shape[1])
            assert totals[place].tolist() == expected.tolist()


@pytest.mark.parametrize("rows", [1, 3, 100])
@pytest.mark.parametrize("form", [as_rows, as_objects, as_columns])
def test_a_column_that_a_payload_does_not_have_is_missing_in_each_of_its_rows(
    profiles: list[Profile], form: Any, rows: int
) -> None:
    for profile in profiles:
        names = [column.name for column in profile.features]
        kept = names[: max(len(names) * 3 // 4, 1)]
        monitor = Monitor(profile, Windows(), ())
        monitor.observe(exchange([], [], 1.0), Observation(form([[30.0] * len(kept)] * rows, kept), None))
        monitor.flush()
        totals = monitor.snapshot(1.0).features.totals.bins
        for place, column in enumerate(profile.features):
            cell = 30.0 if column.name in kept else None
            assert totals[place].sum() == totals[place, bin_of(column, cell)] == rows
