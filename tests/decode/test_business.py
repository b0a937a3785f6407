"""Business values of an exchange, as it was decoded."""

import json
import math
from typing import Any

import pytest
from decode.test_contract import exchange
from hypothesis import given
from hypothesis import strategies as st

from exporter.business import BusinessValue
from exporter.decode import Decoder
from exporter.decode.rules import Rules
from exporter.origins import origins
from exporter.reference import Column, Profile

ASKED = BusinessValue("a", "request", "/context/budget")
ANSWERED = BusinessValue("b", "response", "/prices")
FEATURE = BusinessValue("c", feature="amount")
OUTPUT = BusinessValue("d", output="score")


def values(request: Any, response: Any, *wanted: BusinessValue, by: Any = None, **rules: Any) -> list[list[float]]:
    decoder = by or Decoder(Rules(values=wanted, **rules))
    return [
        [*one] for one in decoder.decode(exchange(*(json.dumps(one).encode() for one in (request, response)))).values
    ]


def test_pointers_lead_into_either_body() -> None:
    request = {"instances": [{"amount": 1}, {"amount": 2}], "context": {"budget": 7}}
    assert values(request, {"predictions": [1, 2], "prices": [1.5, 2.5]}, ASKED, ANSWERED) == [[7], [1.5, 2.5]]


def test_columns_give_a_value_for_each_row() -> None:
    request = {"instances": [{"amount": 1, "age": 3}, {"amount": 2.5, "age": 4}]}
    assert values(request, {"predictions": [0.5, 0.25]}, FEATURE, OUTPUT) == [[1, 2.5], [0.5, 0.25]]


def test_bare_arrays_have_the_profiles_names() -> None:
    columns = tuple(Column(name, "numeric", (0,) * 16, (0.0, 1.0)) for name in ("age", "amount"))
    profile = Profile("m", "1", None, 1, "x", columns, ())
    by = Decoder(Rules(values=(FEATURE,)), None, lambda _: profile)
    assert values({"instances": [[3, 1.5], [4, 2.5]]}, {"predictions": [1, 2]}, by=by) == [[1.5, 2.5]]


def test_the_map_of_columns_comes_first() -> None:
    request = {"instances": [{"x1": 3}]}
    assert values(request, {"predictions": [1]}, FEATURE, features=origins({"amount": "x1"})) == [[3]]


@pytest.mark.parametrize("cell", [None, "3", True, float("nan"), 1e13, [[1]], {"a": 1}])
def test_what_is_no_number_is_none(cell: Any) -> None:
    request = {"instances": [{"amount": cell}, {"amount": 2}], "context": {"budget": cell}}
    feature, asked = values(request, {"predictions": [1, 2]}, FEATURE, ASKED)
    assert asked == []
    assert feature == [] or (math.isnan(feature[0]) and feature[1] == 2)


def test_what_is_not_there_is_nothing() -> None:
    assert values({"instances": [[1]]}, {"predictions": [1]}, ASKED, ANSWERED, FEATURE) == [[], [], []]
    assert values("x", "y", ASKED, ANSWERED, FEATURE, OUTPUT) == [[], [], [], []]


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(_JSON)
def test_any_bodies_have_numbers_or_nothing(body: Any) -> None:
    request, response = {"instances": body, "context": body}, {"predictions": body, "prices": body}
    found = values(request, response, ASKED, ANSWERED, FEATURE, OUTPUT)
    assert all(math.isnan(number) or abs(number) <= 1e12 for one in found for number in one)
