"""Free JSON by pointers: what they lead to is a column, and what they do not lead to never a fault of ours."""

import json
import tracemalloc
from typing import Any

import pytest
from decode.test_contract import BODIES, check, exchange
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.decode import Decoder
from exporter.decode.payload import Payload
from exporter.decode.pointers import Pointers
from exporter.decode.rules import Rules
from exporter.errors import DecodeError
from exporter.origins import origins
from exporter.records import Body, Capture, Failure, Table


def payload(content: bytes, *, cut: bool = False, places: Any = ()) -> Payload:
    return Payload(Body(len(content), Capture.TRUNCATED if cut else Capture.WHOLE, content), {}, places)


def read(document: Any, *pointers: str) -> Any:
    """The columns, or the reason why there are none."""
    found = Pointers(pointers)
    try:
        table = found.read(payload(json.dumps(document).encode()))
    except DecodeError as error:
        return error.reason
    assert table.names == pointers
    assert all(len(cells) == table.rows for cells in table.columns)
    return [list(cells) for cells in table.columns]


STAR = "*"
ITEMS = {"user": {"country": "no"}, "items": [{"features": {"age": 3, "a/b": 1}, "t": [1, 2]},
                                              {"features": {"age": 4}, "t": [3, 4]}, {}]}  # fmt: skip


@pytest.mark.parametrize(("document", "pointers", "expected"), [
    (ITEMS, ["/items/*/features/age"], [[3, 4, None]]),
    (ITEMS, ["/items/*/features/age", "/items/*/t/1", "/items/*/features/a~1b"],
     [[3, 4, None], [2, 4, None], [1, None, None]]),
    (ITEMS, ["/user/country", "/items/*/t/0"], [["no"] * 3, [1, 3, None]]),
    (ITEMS, ["/user/country"], [["no"]]),
    (ITEMS, ["/items/1/t/*"], [[3, 4]]),
    (ITEMS, ["/items/*/features/age", "/items/*/features"], [[3, 4, None], [{"age": 3, "a/b": 1}, {"age": 4}, None]]),
    ({"rows": [[1, 2, 3, 4], [5, 6, 7, 8]]}, ["/rows/*/3", "/rows/*/0"], [[4, 8], [1, 5]]),
    ({"x": [1, "b", None, True]}, ["/x/*"], [[1, "b", None, True]]),
    ([{"age": 1}, {"age": 2}], ["/*/age"], [[1, 2]]),
    ([5, 6], ["/*"], [[5, 6]]),
    ({"age": [1, 2], "job": ["a", "b"]}, ["/age/*", "/job/*"], [[1, 2], ["a", "b"]]),
    ({"age": [1, 2]}, ["/age/*", "/job/*"], [[1, 2], [None, None]]),
    ({"": {"": 1}, "~": 2, "0": 3}, ["//", "/~0", "/0"], [[1], [2], [3]]),
    ({"x": None}, ["/x", "/y"], [[None], [None]]),
    ({"items": [{"a": None}]}, ["/items/*/a"], [[None]]),
    ({"items": []}, ["/items/*/a"], [[]]),
    ({"age": [1, 2], "job": ["a"]}, ["/age/*", "/job/*"], "ragged"),
    ({"items": {"a": 1}}, ["/items/*/a"], "pointer"),
    ({"items": [{"b": 1}]}, ["/items/*/a"], "pointer"),
    ({"x": [1]}, ["/x/01", "/x/-", "/x/1", "/x/" + "9" * 20, "/x/²"], "pointer"),
    ({"x": "text"}, ["/x/0"], "pointer"),
    ("text", ["/0"], "pointer"), (7, ["/*"], "pointer"), (None, ["/a"], "pointer"), ({}, ["/a"], "pointer"),
])  # fmt: skip
def test_pointers(document: Any, pointers: list[str], expected: Any) -> None:
    assert read(document, *pointers) == expected


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 64) - 1), st.text("ab*0", max_size=2)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("ab*0", max_size=1), inner, max_size=3)
    ),
    max_leaves=15,
)
POINTERS = st.lists(
    st.lists(st.sampled_from(["a", "b", "0", "1", ""]), min_size=1, max_size=3).flatmap(
        lambda path: st.integers(0, len(path)).map(
            lambda at: "/" + "/".join([*path[:at], "*", *path[at:]] if at < len(path) else path)
        )
    ),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip


def by_hand(document: Any, path: list[str]) -> list[Any] | None:
    """The cells of one pointer by the book; None where its list is not there."""
    for at, token in enumerate(path):
        if token == STAR:
            return None if not isinstance(document, list) else [by_hand(item, path[at + 1 :])[0] for item in document]
        if isinstance(document, dict) and token in document:
            document = document[token]
        elif isinstance(document, list) and token in {"0", "1"} and int(token) < len(document):
            document = document[int(token)]
        else:
            return None if "*" in path[at:] else [None]
    return [document]


@settings(deadline=None, max_examples=400)
@given(document=JSON, pointers=POINTERS)
def test_any_pointers_into_any_document_lead_to_what_they_lead_to_one_by_one(
    document: Any, pointers: list[str]
) -> None:
    found = read(document, *pointers)
    starred = {one for one in pointers if "*" in one.split("/")}
    cells = {one: by_hand(document, one.split("/")[1:]) for one in pointers}
    lengths = {len(cells[one]) for one in starred if cells[one] is not None}
    if isinstance(found, str):
        assert found == ("ragged" if len(lengths) > 1 else "pointer")
        assert len(lengths) != 1 or all(cell is None for one in cells.values() for cell in one or ())
        assert lengths or starred or all(cell == [None] for cell in cells.values())
        return
    rows = lengths.pop() if lengths else 1
    for one, column in zip(pointers, found, strict=True):
        expected = cells[one] if cells[one] is not None else [None] * rows
        assert column == (expected if one in starred else expected * rows)


def test_of_a_body_that_was_cut_off_the_complete_rows_are_read() -> None:
    pointers = Pointers(["/data/items/*/a", "/data/items/*/b/0"])
    body = b'{"id": "x", "data": {"items": [{"a": 1, "b": [7]}, {"a": 2, "b": [8]}, {"a": 3, "b": [9'
    table = pointers.read(payload(body, cut=True, places=pointers.places))
    assert [list(cells) for cells in table.columns] == [[1, 2], [7, 8]]
    top = Pointers(["/*/a"])
    assert top.read(payload(b'[{"a": 1}, {"a": 2}, {"a"', cut=True, places=top.places)).columns == ([1, 2],)


@pytest.mark.parametrize(("pointers", "body"), [
    (["/a"], b'{"a": 1, "b": [2'), (["/a/*", "/b/*"], b'{"a": [1, 2], "b": [1, 2], "c": 3'),
    (["/items/*/a", "/country"], b'{"items": [{"a": 1}, {"a": 2}, {'), (["/items/*/a"], b'{"items": [{"a": 1'),
    (["/0/*"], b"[[1, 2, 3"),
])  # fmt: skip
def test_what_cannot_be_told_of_a_body_that_was_cut_off_is_truncated(pointers: list[str], body: bytes) -> None:
    found = Pointers(pointers)
    with pytest.raises(DecodeError) as caught:
        found.read(payload(body, cut=True, places=found.places))
    assert caught.value.reason == "truncated"


def test_what_is_the_same_for_all_rows_may_stand_before_those_that_were_cut_off() -> None:
    found = Pointers(["/items/*/a", "/country"])
    table = found.read(payload(b'{"country": "no", "items": [{"a": 1}, {"a": 2}, {', cut=True, places=found.places))
    assert [list(cells) for cells in table.columns] == [[1, 2], ["no", "no"]]


def test_few_bytes_and_many_pointers_do_not_become_gigabytes() -> None:
    pointers = Pointers([f"/x/*/k{place}" for place in range(5000)])
    body = b'{"x": [' + b"0," * 400_000 + b"0]}"
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError) as caught:
            pointers.read(payload(body))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.reason == "ragged"
    assert peak < 100 * len(body)


@pytest.mark.parametrize(
    "body", [b"[" * 900 + b"]" * 900, b"[" * 10**6, b'{"a":' * 10**5, b'{"a":' * 900 + b"1" + b"}" * 900]
)
def test_hostile_depths_are_a_failure(body: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        Pointers(["/a" * 50 + "/*", "/0" * 100]).read(payload(body))
    assert caught.value.reason in {"pointer", "invalid_json"}


@settings(deadline=None, max_examples=200)
@given(BODIES, st.sampled_from([Capture.WHOLE, Capture.TRUNCATED]))
def test_any_bytes_are_an_observation_by_pointers_too(body: bytes, capture: Capture) -> None:
    told = Rules(
        features=origins({"a": "/instances/*/a", "b": "/instances/*/0", "c": "/params"}), outputs=origins({"p": "/0"})
    )
    seen = Decoder(told).decode(exchange(body, body, request=Body(len(body), capture, body)))
    check(seen.features)
    check(seen.predictions)


def test_pointers_read_a_side_whoever_it_belongs_to_and_leave_the_other_to_its_protocol() -> None:
    told = Rules(features=origins({"age": "/items/*/age"}))
    seen = Decoder(told).decode(exchange(b'{"items": [{"age": 1}, {"age": 2}]}', b'{"predictions": [3, 4]}'))
    assert seen.features == Table(2, ("age",), ([1, 2],))
    assert seen.predictions == Table(2, None, ([3, 4],))
    seen = Decoder(told).decode(exchange(b'{"items": [{"age": 1}, {"age": 2}]}', b'{"predictions": [3]}'))
    assert isinstance(seen.predictions, Failure)
    assert seen.predictions.reason == "row_count"
