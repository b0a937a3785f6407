"""A table that is read in parts, in any order, gives the profile of the whole, byte by byte."""

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.errors import DataError
from exporter.profile import document
from exporter.profile.build import Plan, finish
from exporter.profile.cells import NumberCells, ObjectCells
from exporter.profile.draft import Draft
from exporter.profile.pieces import Piece
from exporter.profile.texts import TextCells

TEXTS = st.sampled_from(
    ["", "NA", "nan", "NAN", "1", "1.0", " 2", "-0.0", "0", "1e300", "-1e-300", "inf", "true", "True", "a", "b" * 40,
     "1_0", "x@y.org", "ü"]
)  # fmt: skip
TYPED = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(), st.just(10**400), TEXTS, st.just([1]), st.just({})
)


def part_of(cells: Any, rows: Any) -> Draft:
    draft = Draft({})
    names = ["x", "y", "z", "p"]
    wide = np.array([cells[row][2] for row in rows], float)
    draft.read(
        [
            Piece("x", TextCells([cells[row][0] for row in rows]), 0.1),
            Piece("y", ObjectCells([cells[row][1] for row in rows]), 0.5),
            Piece("z", NumberCells(wide, wide > 1e9, nameless=True), 0.7),
            Piece("p", ObjectCells([0.5] * len(rows)), 1.0),
        ],
        names,
    )
    return draft


def bytes_of(draft: Draft) -> bytes:
    profile, _ = finish(Plan("t", ["p"]), draft)
    return json.dumps(document.describe(profile)).encode()


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_however_rows_are_shared_out_and_parts_are_merged_no_byte_changes(data: st.DataObject) -> None:
    column = data.draw(st.lists(TEXTS, min_size=1, max_size=6))
    typed = data.draw(st.lists(TYPED, min_size=1, max_size=6))
    numbers = data.draw(st.lists(st.floats(), min_size=1, max_size=6))
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    cells = [(column[draw.integers(len(column))], typed[draw.integers(len(typed))],
              numbers[draw.integers(len(numbers))]) for _ in range(data.draw(st.integers(1, 120)))]  # fmt: skip
    whole = part_of(cells, range(len(cells)))
    places = draw.integers(0, data.draw(st.integers(1, 6)), len(cells))
    parts = [part_of(cells, draw.permutation(np.flatnonzero(places == place))) for place in range(6)]
    merged = Draft({})
    for place in draw.permutation(6):
        merged.merge(pickle.loads(pickle.dumps(parts[place])) if data.draw(st.booleans()) else parts[place])  # noqa: S301
    assert bytes_of(merged) == bytes_of(whole)
    assert merged.rows == len(cells)


@pytest.mark.parametrize("limit", [0, 5, 200, 3000])
def test_it_does_not_show_where_names_become_too_many(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr("exporter.profile.builder._MOST_DISTINCT", limit)
    draw = np.random.default_rng(4)
    values = [f"{'w' * draw.integers(9)}{draw.integers(400)}" for _ in range(4000)]
    cells = [(text, text if draw.random() < 0.9 else float(place), place) for place, text in enumerate(values)]
    whole = bytes_of(part_of(cells, range(4000)))
    for count in (2, 7):
        merged = Draft({})
        for rows in np.array_split(draw.permutation(4000), count):
            merged.merge(part_of(cells, rows))
        assert bytes_of(merged) == whole


def test_merging_leaves_the_part_as_it_was() -> None:
    cells = [("a" if row % 2 else "1", row, row) for row in range(100)]
    part = part_of(cells, range(50))
    before = bytes_of(part)
    whole = Draft({})
    whole.merge(part)
    whole.merge(part_of(cells, range(50, 100)))
    assert bytes_of(part) == before


def test_a_draft_in_a_pickle_is_small() -> None:
    draft = Draft({})
    draft.read([Piece(f"c{n}", NumberCells(np.arange(5000.0), np.zeros(5000, bool), nameless=True), 1.0)
                for n in range(10)], [f"c{n}" for n in range(10)])  # fmt: skip
    assert len(pickle.dumps(draft)) < 10 * 70_000


def test_parts_of_other_tables_are_refused_by_column() -> None:
    one, other, third = Draft({}), Draft({}), Draft({"x": "text"})
    one.read([Piece("x", TextCells(["1"]), 1.0)], ["x"])
    other.read([Piece("y", TextCells(["1"]), 1.0)], ["y"])
    third.read([Piece("x", TextCells(["1"]), 1.0)], ["x"])
    with pytest.raises(DataError, match="column 'x' is in one part of the table and not in another"):
        one.merge(other)
    with pytest.raises(DataError, match="read with other kinds declared"):
        one.merge(third)
