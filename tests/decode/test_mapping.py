"""Columns of a payload as those of the profile: every way of saying what they are made of."""

from typing import Any

import pytest
from decode.test_contract import check, exchange
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config import Settings
from exporter.decode import Decoder, rules
from exporter.decode.mapping import Mapper
from exporter.decode.rules import Rules
from exporter.errors import ConfigError
from exporter.origins import origins
from exporter.records import Failure, Table
from exporter.reference import Column, Profile

NAMED = Table(2, ("input-0", "code", "is_a", "is_b", "p[0]", "p[1]", "left"),
              ([1, 2], [0, 7], [1, 0], [0, 0], [0.1, 0.9], [0.9, 0.1], ["x", None]))  # fmt: skip
BARE = Table(2, None, ((1, 2), ("0", "1"), (0.25, 0.75)))


def mapped(said: Any, table: Table, order: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    found = Mapper(origins(said))(table, order)
    assert found.names is not None
    assert found.rows == table.rows
    return {name: list(cells) for name, cells in zip(found.names, found.columns, strict=True)}


def rest(*but: str) -> dict[str, list[Any]]:
    return {name: list(cells) for name, cells in zip(NAMED.names, NAMED.columns, strict=True) if name not in but}


def test_a_field_is_called_as_the_profile_has_it_and_the_others_stay() -> None:
    assert mapped({"age": "input-0"}, NAMED) == {"age": [1, 2]} | rest("input-0")


def test_a_position_is_one_of_bare_arrays() -> None:
    assert mapped({"age": 2}, BARE) == {"age": [0.25, 0.75], "[0]": [1, 2], "[1]": ["0", "1"]}
    assert mapped({"age": 2}, BARE, ("x", "y", "z")) == {"age": [0.25, 0.75], "x": [1, 2], "y": ["0", "1"]}
    assert mapped({"x": {"field": "y", "values": {"1": "b"}}}, BARE, ("x", "y", "z")) == {
        "x": ["0", "b"], "z": [0.25, 0.75]
    }  # fmt: skip
    names = Table(1, ("1", "0"), ([5], [6]))
    assert mapped({"age": 0}, names) == {"age": [6], "1": [5]}


def test_codes_become_categories_and_what_is_not_listed_stays_itself() -> None:
    said = {"job": {"field": "code", "values": {"0": "admin", 1: "technician"}}}
    assert mapped(said, NAMED)["job"] == ["admin", 7]
    cells = Table(1, ("c",), ([0, 1.0, True, "yes", None, float("inf"), [1], "?"],))
    said = {"c": {"values": {"0": "a", "1": "b", "true": "t", "yes": "y", "?": None}}}
    assert mapped(said, cells)["c"] == ["a", "b", "t", "y", None, float("inf"), [1], None]


@pytest.mark.parametrize(("cells", "expected"), [
    ((1, 0), "a"), ((0.0, 1.0), "b"), ((True, False), "a"), (("0", "1"), "b"), ((None, 1), "b"),
    ((0, 0), None), ((None, None), None), ((False, None), None),
    ((1, 1), "<several of one_hot>"), ((0.5, 0), "<neither 0 nor 1>"), ((1, "x"), "<neither 0 nor 1>"),
    ((1, [1]), "<neither 0 nor 1>"), ((-1, 0), "<neither 0 nor 1>"),
])  # fmt: skip
def test_several_columns_of_0_and_1_are_one_category(cells: Any, expected: Any) -> None:
    table = Table(1, ("is_a", "is_b"), tuple([cell] for cell in cells))
    said: dict[str, Any] = {"one_hot": {"is_a": "a", "is_b": "b"}}
    assert mapped({"kind": said}, table) == {"kind": [expected]}
    otherwise = mapped({"kind": said | {"otherwise": "c"}}, table)
    assert otherwise == {"kind": ["c" if expected is None else expected]}


def test_a_field_of_one_hot_that_is_not_there_is_0() -> None:
    said = {"kind": {"one_hot": {"is_a": "a", "is_z": "z"}}}
    assert mapped(said, NAMED) == {"kind": ["a", None]} | rest("is_a")


@pytest.mark.parametrize(("table", "said", "expected"), [
    (NAMED, {"field": "p", "argmax": ["no", "yes"]}, ["yes", "no"]),
    (Table(2, None, ((0.4, 0.5), (0.6, 0.5))), {"argmax": ["no", "yes"]}, ["yes", "no"]),
    (Table(1, ("no", "yes"), ([0.4], [0.6])), {"argmax": ["no", "yes"]}, ["yes"]),
    (Table(1, ("yes", "no"), ([0.4], [0.6])), {"argmax": ["no", "yes"]}, ["no"]),
    (Table(4, ("p",), ([[1, 9, 3], [1, 2], None, [1, None, 2]],)), {"field": "p", "argmax": [5, 6, 7]},
     [6, None, None, None]),
    (Table(3, None, ((1, float("nan"), 10**400), (2, 1, 0))), {"argmax": ["a", "b"]}, ["b", None, "a"]),
])  # fmt: skip
def test_the_class_of_the_largest(table: Table, said: Any, expected: Any) -> None:
    assert mapped({"label": said}, table)["label"] == expected


def test_class_and_probability_of_one_answer() -> None:
    answer = Table(2, None, ((0.9, 0.2), (0.1, 0.8)))
    said = {"label": {"argmax": ["no", "yes"]}, "probability": 1}
    assert mapped(said, answer) == {"label": ["no", "yes"], "probability": [0.1, 0.8]}
    lists = Table(1, ("label", "probabilities"), (["yes"], [[0.2, 0.8]]))
    assert mapped({"probability": "probabilities[1]"}, lists) == {"probability": [0.8], "label": ["yes"]}


def test_of_what_is_not_there_a_column_stays_as_it_was_decoded() -> None:
    table = Table(1, ("age", "job"), ([1], ["a"]))
    assert mapped({"age": "years", "job": "age"}, table) == {"job": [1]}
    assert Mapper(origins({"age": "years"}))(table) is table
    assert Mapper(origins({"age": 7}))(BARE) is BARE
    assert Mapper(origins({"label": {"argmax": [1, 2, 3, 4]}}))(BARE) is BARE
    assert Mapper(origins({"kind": {"one_hot": {"x": 1}}}))(BARE) is BARE
    assert Mapper(origins({"age": "years[0]"}))(Table(0, (), ())) == Table(0, (), ())


def test_clients_who_make_up_names_do_not_fill_the_memory() -> None:
    mapper = Mapper(origins({"age": "years"}))
    for number in range(300):
        mapper(Table(1, tuple(f"{number}-{place}" for place in range(1000)), ([0],) * 1000))
    assert sum(len(names) for _, names in mapper._plans) <= 50_000
    assert mapper(Table(1, ("years",), ([3],))) == Table(1, ("age",), ([3],))


def test_clients_who_make_up_names_as_long_as_bodies_do_not_fill_the_memory_either() -> None:
    mapper = Mapper(origins({"age": "years"}))
    for number in range(300):
        mapper(Table(1, ("years", str(number) + "x" * 100_000), ([3], [0])))
    assert sum(len(name) for _, names in mapper._plans for name in names) <= 50_000 * 64 + 100_000


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=2), st.lists(st.integers(), max_size=3)
)
SAID = origins({
    "a": "x", "b": {"field": "y", "values": {"0": "zero", "true": 1}}, "c": {"one_hot": {"x": 1, "z": 2}},
    "d": {"argmax": [1, 2]}, "e": {"field": "x", "argmax": [1, 2]}, "f": "y[1]", "y": 1,
})  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(["x", "y", "z", "d", "x[0]", "x[1]"]), unique=True), st.booleans(), st.data())
def test_any_cells_are_mapped_to_as_many_rows(names: list[str], bare: bool, data: Any) -> None:
    rows = data.draw(st.integers(0, 3))
    columns = tuple(data.draw(st.lists(CELLS, min_size=rows, max_size=rows)) for _ in names)
    found = Mapper(SAID)(Table(rows, None if bare else tuple(names), columns), ("p", "q"))
    check(found)
    assert found.rows == rows


def test_a_decoder_maps_both_sides() -> None:
    told = Rules(features=origins({"age": "a"}), outputs=origins({"score": 1}))
    seen = Decoder(told).decode(exchange(b'{"instances": [{"a": 1}]}', b'{"predictions": [[2, 3]]}'))
    assert seen.features == Table(1, ("age",), ([1],))
    assert seen.predictions == Table(1, ("score", "[0]"), ([3], [2]))
    failed = Decoder(told).decode(exchange(b"", b""))
    assert failed.features == Failure("empty")


def test_bare_arrays_are_called_as_the_profile_of_their_model_has_them() -> None:
    told = Rules(features=origins({"job": {"values": {"0": "admin"}}}))
    columns = tuple(Column(name, "numeric", (0,) * 16, (0.0, 1.0)) for name in ("age", "job"))
    profiles = {"m": Profile("m", "1", None, 1, "x", columns, ())}
    decoder = Decoder(told, profile_of=lambda seen: profiles.get(seen.model))
    body = b'{"instances": [[40, 0]]}'
    found = decoder.decode(exchange(body, path="/v1/models/m:predict")).features
    assert isinstance(found, Table)
    assert (found.names, [list(cells) for cells in found.columns]) == (("job", "age"), [["admin"], [40]])
    stranger = decoder.decode(exchange(body, path="/v1/models/n:predict")).features
    assert isinstance(stranger, Table)
    assert stranger.names is None


def test_a_bug_in_a_map_costs_one_payload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.decode.mapping._Given.cells", lambda *_: 1 / 0)
    told = Rules(features=origins({"age": "a"}))
    assert Decoder(told).decode(exchange(b'{"instances": [{"a": 1}]}')).features == Failure(
        "internal", "ZeroDivisionError"
    )


def test_a_map_of_a_column_that_the_profile_does_not_have_is_named() -> None:
    column = Column("tenure", "numeric", (0,) * 16, (0.0, 1.0))
    profile = Profile("m", "1", None, 1, "x", (column,), ())
    rules.refuse_strangers(rules.of(Settings(features=origins({"tenure": "t"}))), profile)
    with pytest.raises(ConfigError, match=r"features\.tenur: no column of the profile, did you mean tenure\?"):
        rules.refuse_strangers(rules.of(Settings(features=origins({"tenur": "t"}))), profile)
