"""Whether an answer is the expected one, place by place."""

import gzip
import json
import math
import struct
from decimal import Decimal
from typing import Any

import pytest
from golden_requests.scripted import case, told
from hypothesis import example, given
from hypothesis import strategies as st

from exporter.golden import answers, near, patterns
from exporter.golden.cases import DEFAULT, REASONS, Answer, Rules, Source, Tolerance, Verdict
from exporter.golden.comparing import compare

BIG = 2**63 + 1
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def judged(expected: Any, got: Any, **rules: Any) -> Verdict:
    return compare(case({"body": expected, **rules}), told(got), "")


@pytest.mark.parametrize(("expected", "got"), [
    ({"p": [0.5, 1]}, {"p": [0.5000001, 1.0]}), ({"p": 1}, {"p": 1.0, "added": 7}), ({}, {"added": 7}), ([], []),
    (1.0, 1), (BIG, BIG), (10**30, 10**30), (None, None), ("ö", "ö"), (True, True), (0.0, 1e-9), (-0.0, 0),
    (math.nan, math.nan), (math.nan, "NaN"), ("NaN", math.nan), (math.inf, "Infinity"), ("-inf", -math.inf),
    ({"a": {"b": [1, {"c": "x"}]}}, {"a": {"b": [1, {"c": "x"}]}}),
])  # fmt: skip
def test_what_is_as_expected_passes(expected: Any, got: Any) -> None:
    assert judged(expected, got) == Verdict()


@pytest.mark.parametrize(("expected", "got", "reason", "detail"), [
    ({"p": [0.5]}, {"p": [0.6]}, "value", "/p/0: expected 0.5 ± 5.01e-06, got 0.6"),
    ({"p": [0.5, 0.6]}, {"p": [0.6, 0.5]}, "value", "/p/0: expected 0.5 ± 5.01e-06, got 0.6"),
    ({"p": [1, 2]}, {"p": [1]}, "missing", "/p: expected a list of 2, got one of 1"),
    ({"p": [1]}, {"p": [1, 2]}, "extra", "/p: expected a list of 1, got one of 2"),
    ({"p": 1, "q": 2}, {"p": 1}, "missing", "/q: expected 2, got nothing"),
    (7, 8, "value", "expected 7, got 8"), (100_000, 100_001, "value", "expected 100000, got 100001"),
    (BIG, BIG + 1, "value", f"expected {BIG}, got {BIG + 1}"),
    ("yes", "no", "value", 'expected "yes", got "no"'), (1, "1", "type", 'expected a number, 1, got text, "1"'),
    (True, 1, "type", "expected a truth value, true, got a number, 1"),
    (True, False, "value", "expected true, got false"),
    (None, 0, "type", "expected null, got a number, 0"), (math.nan, None, "type", "expected a number, NaN, got null"),
    (math.nan, 1.0, "value", "expected NaN, got 1.0"), (math.inf, 1e308, "value", "expected Infinity, got 1e+308"),
    (math.inf, "NaN", "type", 'expected a number, Infinity, got text, "NaN"'),
    ({"a/b~": {"c": [0, 1]}}, {"a/b~": {"c": [0, 2]}}, "value", "/a~1b~0/c/1: expected 1, got 2"),
    ([1], {"0": 1}, "type", 'expected a list, [1], got an object, {"0": 1}'),
    ("x" * 500, "y", "value", f'expected "{"x" * 59}…, got "y"'),
    (10**400, 0.5, "value", f"expected 1{'0' * 59}…, got 0.5"),
    (0.5, 10**400, "value", f"expected 0.5 ± 5.01e-06, got 1{'0' * 59}…"),
    (1.7e308, -1.7e308, "value", "expected 1.7e+308 ± 1.7e+303, got -1.7e+308"),
])  # fmt: skip
def test_what_is_not_as_expected_is_named_with_its_place(expected: Any, got: Any, reason: str, detail: str) -> None:
    verdict = judged(expected, got)
    assert (verdict.reason, verdict.detail) == (reason, detail)
    assert reason in REASONS


def test_several_differences_are_told_and_no_more_than_ten() -> None:
    verdict = judged({"p": [0.5] * 100}, {"p": [0.6] * 100})
    assert [one.pointer for one in verdict.differences] == [f"/p/{place}" for place in range(10)]


# --- tolerances


@given(NUMBERS, st.floats(0, 10), st.floats(0, 1), st.floats(-0.99, 0.99))
def test_a_number_within_its_tolerance_passes(expected: float, absolute: float, relative: float, share: float) -> None:
    got = expected + share * (absolute + relative * abs(expected))
    assert near.is_near(expected, got, Tolerance(absolute, relative + 1e-12))


@given(NUMBERS, st.floats(0, 10), st.floats(0, 1), st.floats(1.01, 1e3), st.sampled_from((-1, 1)))
def test_a_number_beyond_its_tolerance_fails_at_its_pointer(
    expected: float, absolute: float, relative: float, share: float, sign: int
) -> None:
    got = expected + sign * (share * (absolute + relative * abs(expected)) + 1e-6)
    verdict = judged({"a": [0, expected]}, {"a": [0, got]}, tolerance={"absolute": absolute, "relative": relative})
    assert [(one.pointer, one.reason) for one in verdict.differences] == [("/a/1", "value")]


@given(st.integers(-10_000, 10_000), st.integers(0, 1000), st.integers(-1000, 1000))
@example(10, 1, 1)
def test_bounds_are_those_of_the_decimals_that_are_written(tenths: int, absolute: int, away: int) -> None:
    """As floats, 1.1 is further from 1 than 0.1 is."""
    expected, got, bound = (float(Decimal(number) / 10) for number in (tenths, tenths + away, absolute))
    assert near.is_near(expected, got, Tolerance(bound, 0.0)) == (abs(away) <= absolute)


def test_whole_numbers_beyond_all_floats_are_compared_too() -> None:
    assert near.is_near(10**400, 10**400 + 1, DEFAULT)
    assert not near.is_near(10**400, 2 * 10**400, DEFAULT)
    assert not near.is_near(10**400, 1.0, DEFAULT)
    assert not near.is_near(math.inf, 10**400, DEFAULT)


def test_whole_numbers_have_a_tolerance_where_the_file_says_one() -> None:
    assert not judged({"price": 100}, {"price": 101}).passed
    assert judged({"price": 100}, {"price": 101}, tolerance={"absolute": 1}).passed
    assert judged({"price": 100}, {"price": 101}, tolerances={"/price": {"relative": 0.01}}).passed


def test_a_place_has_a_tolerance_of_its_own_and_patterns_fit_any_position() -> None:
    rules = {"tolerance": {"absolute": 0.01}, "tolerances": {"/p/*/score": {"absolute": 0.5}}}
    got = {"p": [{"score": 1.4}, {"score": 0.6}], "q": 1.4}
    assert [one.pointer for one in judged({"p": [{"score": 1}] * 2, "q": 1}, got, **rules).differences] == ["/q"]


def test_what_is_ignored_may_be_anything_or_not_there() -> None:
    expected = {"id": "a", "p": [{"at": 1, "x": 2}, {"at": 3, "x": 4}]}
    got = {"p": [{"at": "now", "x": 2}, {"x": 4}], "id": [1]}
    assert judged(expected, got, ignore=["/id", "/p/*/at"]).passed
    assert judged(expected, got, ignore=["/id"]).differences[0].pointer == "/p/0/at"


def test_more_keys_than_expected_may_be_refused() -> None:
    verdict = judged({"p": 1}, {"p": 1, "debug": [1, 2]}, extra="refuse")
    assert (verdict.reason, verdict.detail) == ("extra", "/debug: expected nothing, got [1, 2]")
    assert judged({"p": 1}, {"p": 1, "debug": 1}, extra="refuse", ignore=["/debug"]).passed


@pytest.mark.parametrize("depth", [200, 900, 985, 100_000])
def test_an_answer_of_too_many_levels_is_none_whatever_the_stack_has_room_for(depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"b": ', "}")):
        answer = Answer(200, content=f'{{"a": 1, "b": {opening * depth}1{closing * depth}}}'.encode())
        assert answers.named(case({}), answer, Source("/a")).version == ""
        verdict = compare(case({"body": {"a": 1}, "extra": "refuse"}), answer, "")
        assert verdict.reason == "body"
        assert verdict.detail.startswith("the body cannot be read: invalid_json: more than 200 levels")


def test_many_rows_and_texts_full_of_brackets_are_no_levels() -> None:
    for document in ([[0.5]] * 1000, ["[{" * 500, '"[[' * 500, "\\"], {"[" * 300: [1]}, "[" * 300):
        assert judged(document, document).passed
    assert compare(
        case({"body": [[1]] * 300}), Answer(200, content=json.dumps([[1]] * 300).encode("utf-16")), ""
    ).passed


@given(DOCUMENTS)
@example({"": {"/": [math.nan, -0.0, BIG]}})
def test_every_document_is_as_itself(document: Any) -> None:
    assert judged({"x": document}, {"x": document}, extra="refuse").passed


@given(DOCUMENTS, DOCUMENTS)
def test_any_two_documents_can_be_compared(expected: Any, got: Any) -> None:
    verdict = judged({"x": expected}, {"x": got}, extra="refuse")
    assert verdict.passed or verdict.reason in {"value", "type", "missing", "extra"}


# --- what else may be expected


@pytest.mark.parametrize(("expect", "given", "reason"), [
    ({"values": {"/p/0": 0.5}}, told({"p": [0.5, 9]}), ""), ({"values": {"/p/0": 0.5}}, told({"p": [0.6]}), "value"),
    ({"values": {"/p/3": 0.5}}, told({"p": [0.6]}), "missing"), ({"values": {"/p": [1]}}, told([]), "missing"),
    ({}, told("anything"), ""), ({}, Answer(500, {}, b""), "status"), ({"status": 400}, Answer(400, {}, b"\xff"), ""),
    ({"status": 204}, Answer(204, {}, b""), ""), ({"body": 1}, Answer(200, {}, b""), "body"),
    ({"body": 1}, Answer(200, {}, b"<html>"), "body"), ({"body": {}}, Answer(200, {}, b'{"a": 1, "a": 2}'), "body"),
    ({"body": []}, Answer(200, {}, b"[" * 100_000), "body"), ({"body": ""}, Answer(200, {}, b'"\xff"'), "body"),
    ({"body": 1}, Answer(200, {}, b"9" * 5000), "body"),
    ({"text": "ok"}, Answer(200, {}, b"ok"), ""), ({"text": "ok"}, Answer(200, {}, b"no"), "value"),
    ({"text": "ok"}, Answer(200, {}, b"\xff"), "body"), ({"base64": "AAE="}, Answer(200, {}, b"\x00\x01"), ""),
    ({"base64": "AAE="}, Answer(200, {}, b"\x00\x02\x03"), "value"),
    ({"body": [[1.0, "a"], [2.5, None]]}, Answer(200, {"content-type": "text/csv"}, b"1,a\n2.5,\n"), ""),
    ({"body": [[0.5]]}, Answer(200, {"content-type": "text/csv; charset=utf-8"}, b"0.6\n"), "value"),
    ({"body": [{"a": 1}, 2]}, Answer(200, {"content-type": "application/x-ndjson"}, b'{"a": 1}\n\n2\n'), ""),
    ({"body": [1]}, Answer(failure="timeout", detail="too long"), "timeout"),
])  # fmt: skip
def test_parts_texts_bytes_and_codes_are_expectations_too(expect: Any, given: Answer, reason: str) -> None:
    assert compare(case(expect), given, "").reason == reason


def test_what_a_server_says_instead_is_told() -> None:
    verdict = compare(case({"body": 1}), Answer(500, {}, b'{"error":\n "KeyError\x1b[31m"}'), "")
    assert verdict.detail == 'expected 200, got 500: {"error": "KeyError�[31m"}'
    verdict = compare(case({"body": 1}), Answer(200, {}, b"<html>"), "")
    assert verdict.detail == "the body cannot be read: invalid_json: <html>"


@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
def test_a_compressed_answer_is_read_and_a_damaged_one_is_none(coding: str) -> None:
    packed = gzip.compress(json.dumps({"p": [0.5]}).encode())
    wanted = case({"body": {"p": [0.5]}})
    assert compare(wanted, Answer(200, {"content-encoding": coding}, packed), "").passed
    assert compare(wanted, Answer(200, {"content-encoding": coding}, packed[:-9]), "").reason == "body"
    assert compare(wanted, Answer(200, {"content-encoding": "unheard"}, packed), "").reason == "body"
    bomb = gzip.compress(b" " * (64 << 20))
    assert compare(wanted, Answer(200, {"content-encoding": coding}, bomb), "").reason == "body"


def binary(*values: float, version: str = "3") -> Answer:
    """As the binary extension of the Open Inference Protocol has it."""
    blob = struct.pack(f"<{len(values)}f", *values)
    tensor = {"name": "p", "datatype": "FP32", "shape": [len(values), 1], "parameters": {"binary_data_size": len(blob)}}
    head = json.dumps({"model_name": "churn", "model_version": version, "outputs": [tensor]}).encode()
    return Answer(200, {"inference-header-content-length": str(len(head))}, head + blob)


def test_tensors_in_binary_are_compared_as_the_numbers_they_are() -> None:
    tensor = {"name": "p", "datatype": "FP32", "shape": [2, 1], "data": [0.1, 0.7]}
    wanted = case({"body": {"outputs": [tensor]}})
    assert compare(wanted, binary(0.1, 0.7), "").passed
    verdict = compare(wanted, binary(0.1, 0.8), "")
    assert verdict.detail == "/outputs/0/data/1: expected 0.7 ± 7.01e-06, got 0.8"
    cut = binary(0.1, 0.7)
    assert compare(wanted, cut._replace(content=cut.content[:-2]), "").reason == "body"
    assert compare(wanted, cut._replace(headers={"inference-header-content-length": "9x"}), "").reason == "body"


# --- versions


def test_each_version_may_be_expected_to_answer_otherwise() -> None:
    wanted = case({"body": 1}, versions={"7": {"body": 2}, "8": {"status": 404}})
    assert compare(wanted, told(1), "").passed
    assert compare(wanted, told(1), "6").passed
    assert compare(wanted, told(2), "7").passed
    assert compare(wanted, told(1), "7").reason == "value"
    assert compare(wanted, Answer(404), "8").passed


def test_a_version_that_nothing_is_expected_of_fails() -> None:
    wanted = case({}, versions={"7": {"body": 2}})._replace(expected={"7": case({"body": 2}).expected["*"]})
    assert compare(wanted, told(2), "7").passed
    verdict = compare(wanted, told(2), "8")
    assert (verdict.reason, verdict.detail) == ("version", 'nothing is expected of version "8"')
    assert compare(wanted, told(2), "").detail == "nothing is expected of an answer that says no version"


TOKENS = st.sampled_from(("a", "b", "0"))
PATTERNS = st.lists(st.sampled_from(("a", "b", "0", "*")), max_size=3).map(tuple)
TOLERANCES = st.lists(st.tuples(PATTERNS, st.integers(0, 9).map(lambda wide: Tolerance(wide, 0.0))), max_size=4)


@given(st.lists(TOKENS, max_size=3), st.lists(PATTERNS, max_size=4), TOLERANCES)
def test_patterns_that_are_followed_down_say_what_each_says_by_itself(at: Any, ignore: Any, tolerances: Any) -> None:
    def fits(pattern: Any) -> bool:
        return len(pattern) == len(at) and all(one in {"*", other} for one, other in zip(pattern, at, strict=True))

    said = patterns.along(patterns.root(Rules(None, tuple(tolerances), tuple(ignore))), at)
    assert patterns.is_ignored(said) == any(map(fits, ignore))
    assert patterns.tolerance(said) == next((wide for pattern, wide in tolerances if fits(pattern)), None)
