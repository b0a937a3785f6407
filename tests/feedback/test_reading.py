"""What is posted becomes truths, or is said to be malformed and where."""

import contextlib
import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.errors import PostError
from exporter.feedback import reading
from exporter.feedback.reading import Post, Read
from exporter.feedback.record import Asked, Rules
from exporter.performance.extra import NOTHING_ELSE, Extra, unpack
from exporter.performance.task import Task
from exporter.truths import Told, Truth, key_of

NOW_MS = 1_800_000_000_000
RULES = Rules(columns=("customer", "day"), segments=("country",), most_bytes=1 << 20, most_records=1000)
JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}


def read(body: Any, headers: dict[str, str] = JSON, rules: Rules = RULES) -> list[Read]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return reading.truths(Post(headers, content, NOW_MS), rules, lambda _: None)


def truth(body: Any, headers: dict[str, str] = JSON) -> Truth:
    (one,) = read(body, headers)
    assert isinstance(one, Truth), one
    return one


def fault(body: Any) -> str:
    (one,) = read(body)
    assert isinstance(one, Told), one
    assert one.outcome == "malformed"
    return one.detail


def refused(body: Any, headers: dict[str, str] = JSON, rules: Rules = RULES) -> PostError:
    with pytest.raises(PostError) as caught:
        read(body, headers, rules)
    return caught.value


# --- shapes of bodies


def test_one_truth_is_an_object() -> None:
    found = truth({"id": "a", "truth": 1})
    assert found == Truth(key_of("a"), "", NOW_MS, 0, b"1", b"")


@pytest.mark.parametrize(("body", "headers"), [
    (b'[{"id": 1, "truth": 1}, {"id": 2, "truth": "x"}]', JSON),
    (b'{"feedback": [{"id": 1, "truth": 1}, {"id": 2, "truth": "x"}]}', JSON),
    (b'{"id": 1, "truth": 1}\n{"id": 2, "truth": "x"}\n', LINES),
    (b'\xef\xbb\xbf\n{"id": 1, "truth": 1}\r\n\r\n\x1e{"id": 2, "truth": "x"}', LINES),
    (b'{"id": 1, "truth": 1}\n{"id": 2, "truth": "x"}', JSON),
    (b'{"id": 1, "truth": 1}\n\n{"id": 2, "truth": "x"}\n', {}),
    (gzip.compress(b'[{"id": 1, "truth": 1}, {"id": 2, "truth": "x"}]', mtime=0), JSON | {"content-encoding": "gzip"}),
])  # fmt: skip
def test_several_truths_are_a_list_or_lines(body: bytes, headers: dict[str, str]) -> None:
    assert read(body, headers) == [
        Truth(key_of("1"), "", NOW_MS, 0, b"1"), Truth(key_of("2"), "", NOW_MS, 0, b'"x"')
    ]  # fmt: skip


def test_an_empty_list_is_no_truth_and_no_fault() -> None:
    assert read([]) == []


def test_what_is_wrong_is_said_of_its_record_and_the_others_count() -> None:
    found = read([{"id": 1, "truth": 1}, {"id": 2}, 7, {"id": 3, "truth": 0}])
    assert [type(one) for one in found] == [Truth, Told, Told, Truth]
    assert [one.detail for one in found if isinstance(one, Told)] == [
        "[1].truth: missing: what turned out?", "[2]: must be an object such as {id: 17, truth: 1}"
    ]  # fmt: skip


def test_a_line_that_is_no_json_is_one_fault() -> None:
    found = read(b'{"id": 1, "truth": 1}\nx\n{"id": 2, "truth": \xff}\n{"id": 3}\n{"id": 4, "truth": 0}', LINES)
    assert [one.detail for one in found if isinstance(one, Told)] == [
        "line 2: not JSON", "line 3: not JSON", "line 4: truth: missing: what turned out?"
    ]  # fmt: skip
    assert sum(isinstance(one, Truth) for one in found) == 2


@pytest.mark.parametrize(("body", "words"), [
    (b"", "nothing was posted"),
    (b"x", "the body is not JSON"),
    (b"[1", "the body is not JSON"),
    (b"\xff\xfe\x00", "the body is not JSON"),
    (b'"x"', "the body must be an object, a list of them, or lines of them"),
    (b'{"feedback": 1}', "feedback: must be a list, with nothing beside it"),
    (b'{"feedback": [], "model": "m"}', "feedback: must be a list, with nothing beside it"),
    (b"[" * 90_000, "the body is not JSON: nested too deeply"),
    (b'[{"id": ' + b"9" * 900_000 + b', "truth": 1}]', "the body is not JSON"),
])  # fmt: skip
def test_a_body_that_is_nothing_is_refused(body: bytes, words: str) -> None:
    error = refused(body)
    assert (error.reason, str(error)) == ("malformed", words)


@pytest.mark.parametrize(("body", "headers", "words"), [
    ([{"id": place, "truth": 1} for place in range(1001)], JSON, "more than 1000 records (feedback.max_records)"),
    (b'{"id": 1, "truth": 1}\n' * 1001, LINES, "more than 1000 records (feedback.max_records)"),
    (b"[" + b"[]," * 200_000 + b"[]]", JSON, "more than 100000 values: say less at once"),
    (b"[" + b"[]," * 200_000 + b"[]]", LINES, "more than 100000 values: say less at once"),
    (gzip.compress(b" " * (1 << 21), mtime=0), JSON | {"content-encoding": "gzip"},
     "the body inflates to more than feedback.max_body, or too many times its size"),
])  # fmt: skip
def test_a_body_of_too_much_is_refused(body: Any, headers: dict[str, str], words: str) -> None:
    error = refused(body, headers)
    assert (error.reason, str(error)) == ("too_large", words)


def test_a_compressed_body_may_be_as_long_as_any() -> None:
    rules = RULES._replace(most_bytes=16 << 20, most_records=200_000)
    body = b"".join(b'{"id": %d, "truth": "%d"}\n' % (place * place, place) for place in range(190_000))
    assert len(body) > 5 << 20
    packed = gzip.compress(body * 2)
    with pytest.raises(PostError, match="more than 200000 records"):  # and not that it is too long
        read(packed, LINES | {"content-encoding": "gzip"}, rules)


def test_damaged_compression_is_refused() -> None:
    assert refused(b"x", {"content-encoding": "gzip"}).reason == "malformed"
    assert refused(b"x", {"content-encoding": "snappy"}).reason == "malformed"


# --- whose


@pytest.mark.parametrize(("said", "text"), [
    (17, "17"), ("17", "17"), (17.0, "17"), (1.5, "1.5"), (True, "true"), ("a b", "a b"), (-3, "-3"),
    (2**64 - 1, "18446744073709551615"), ("ü", "ü"),
])  # fmt: skip
def test_an_id_is_any_scalar_in_one_spelling(said: Any, text: str) -> None:
    assert truth({"id": said, "truth": 1}).key == key_of(text)


@pytest.mark.parametrize(
    "said", [None, "", [1], {"a": 1}, "a\n", "\ud800", "x" * 129, 2**64, -(2**63) - 1, 1e300, float("nan")]
)
def test_what_no_prediction_has_is_no_id(said: Any) -> None:
    assert fault({"id": said, "truth": 1}).startswith("id: ")


def test_key_columns_are_the_id_of_a_row() -> None:
    assert truth({"key": {"day": "2026-01-31", "customer": 17.0}, "truth": 1}).key == key_of("17/2026-01-31")


@pytest.mark.parametrize(("record", "words"), [
    ({"key": {"customer": 1}}, "key.day: missing"),
    ({"key": {"customer": 1, "day": []}}, "key.day: must be a number or printable text"),
    ({"key": {"customer": 1, "dya": 2}}, "key.dya: none of request_id.columns, did you mean day?"),
    ({"key": {"customer": "x" * 100, "day": "y" * 100}}, "key: its values are longer than 128 characters together"),
    ({"key": "1/2"}, "key: must be an object of customer, day"),
    ({"key": {"customer": 1, "day": 2}, "row": 0}, ("key: has no meaning beside id and row: columns"
     " are the id of one row")),
    ({}, "id: missing: what is this the truth of?"),
])  # fmt: skip
def test_what_is_wrong_with_key_columns_is_said(record: dict[str, Any], words: str) -> None:
    assert fault(record | {"truth": 1}) == words


def test_without_key_columns_there_is_no_key() -> None:
    (one,) = read({"key": {"a": 1}, "truth": 1}, rules=RULES._replace(columns=()))
    assert isinstance(one, Told)
    assert one.detail == "key: no columns are the id of a row: set request_id.columns, or say id"


def test_a_row_is_counted_from_nought() -> None:
    assert truth({"id": 1, "row": 3, "truth": 1}).key == key_of("1", 3)
    assert truth({"id": 1, "row": 3.0, "truth": 1}).key == key_of("1", 3)
    assert truth({"id": 1, "row": None, "truth": 1}).key == key_of("1", 0)


@pytest.mark.parametrize("row", [-1, 1.5, "0", True, 10**9, 10**400, float("inf"), [0]])
def test_what_is_no_row_is_malformed(row: Any) -> None:
    assert fault({"id": 1, "row": row, "truth": 1}).startswith("row: must be ")


def test_a_model_may_be_said() -> None:
    assert truth({"id": 1, "truth": 1, "model": "churn"}).model == "churn"
    assert fault({"id": 1, "truth": 1, "model": 3}) == "model: must be text of 1 to 128 printable characters"


# --- what turned out


@pytest.mark.parametrize(("said", "content"), [
    (1, b"1"), (1.0, b"1"), (0.5, b"0.5"), ("1", b'"1"'), (True, b"true"), ("ü", '"ü"'.encode()), ({"y": 1}, b"1"),
    ([0, 1.0, 0.5], b"[0,1,0.5]"), (2**70, b"1.1805916207174113e+21"),
])  # fmt: skip
def test_the_same_truth_is_the_same_bytes(said: Any, content: bytes) -> None:
    assert truth({"id": 1, "truth": said}).content == content


@pytest.mark.parametrize(("said", "words"), [
    (None, "truth: missing: what turned out?"),
    (float("nan"), "truth: must be text, a finite number, true, false, or a list of numbers"),
    (float("-inf"), "truth: must be text, a finite number, true, false, or a list of numbers"),
    (10**400, "truth: must be text, a finite number, true, false, or a list of numbers"),
    ("", "truth: must be 1 to 1024 characters long"),
    ("x" * 1025, "truth: must be 1 to 1024 characters long"),
    ("\ud800", "truth: must be Unicode: half of a surrogate pair is alone"),
    ({"a": 1, "b": 2}, "truth: must be one value, or an object of one output, not of 2"),
    ({"a": {"b": 1}}, "truth: must be text, a finite number, true, false, or a list of numbers"),
    ([], "truth: must be a list of 1 to 1000 numbers, one for each rank"),
    ([1] * 1001, "truth: must be a list of 1 to 1000 numbers, one for each rank"),
    ([1, "2"], "truth[1]: must be a finite number"),
    ([1, True], "truth[1]: must be a finite number"),
])  # fmt: skip
def test_what_can_be_no_truth_is_malformed(said: Any, words: str) -> None:
    assert fault({"id": 1, "truth": said}) == words


def test_a_rank_that_nobody_looks_at_takes_no_memory() -> None:
    assert Task("ranking").truth(b"1000000000000") == (0.0,)
    assert Task("ranking").truth(b"2") == (0.0, 1.0)


def test_of_two_keys_of_one_name_the_last_one_counts() -> None:
    assert truth(b'{"id": 1, "truth": 0, "truth": 1}').content == b"1"


# --- beside it


def test_weight_value_and_segments_come_along() -> None:
    said = {"weight": 0.1234567, "value": -12.5, "segments": {"country": "DE"}}
    found = truth({"id": 1, "truth": 1, **said})
    assert unpack(found.extra) == Extra(0.123457, -12.5, (("country", "DE"),))
    assert found.content == truth({"id": 1, "truth": 1}).content


def test_what_goes_without_saying_takes_no_bytes() -> None:
    assert truth({"id": 1, "truth": 1, "weight": 1, "value": None, "segments": {}}).extra == b""
    assert unpack(b"") == NOTHING_ELSE


@pytest.mark.parametrize(("said", "words"), [
    ({"weight": -0.1}, "weight: must be a number from 0 to 1000"),
    ({"weight": 1001}, "weight: must be a number from 0 to 1000"),
    ({"weight": True}, "weight: must be a number from 0 to 1000"),
    ({"weight": float("nan")}, "weight: must be a number from 0 to 1000"),
    ({"value": "3"}, "value: must be a number from -1e+12 to 1e+12"),
    ({"value": 1e13}, "value: must be a number from -1e+12 to 1e+12"),
    ({"segments": ["DE"]}, "segments: must be an object such as {country: DE}"),
    ({"segments": {"contry": "DE"}}, "segments.contry: none of segments.by, did you mean country?"),
    ({"segments": {"country": None}}, "segments.country: must be text of 1 to 128 printable characters"),
    ({"wieght": 1}, "wieght: unknown key, did you mean weight?"),
    ({"a" * 5000: 1}, "a" * 40 + ": unknown key"),
    ({"\x00": 1}, "'\\x00': unknown key"),
    ({"time": "yesterday"}, "time: must be a time after 1970, such as 2026-01-31T12:00:00Z or seconds since then"),
    ({"time": True}, "time: must be a time after 1970, such as 2026-01-31T12:00:00Z or seconds since then"),
    ({"time": -1}, "time: must be a time after 1970, such as 2026-01-31T12:00:00Z or seconds since then"),
    ({"time": 10**400}, "time: must be a time after 1970, such as 2026-01-31T12:00:00Z or seconds since then"),
    ({"time": NOW_MS}, "time: lies in the future; is it in seconds?"),
])  # fmt: skip
def test_what_is_wrong_beside_a_truth_is_said(said: dict[str, Any], words: str) -> None:
    assert fault({"id": 1, "truth": 1, **said}) == words


@pytest.mark.parametrize("said", [
    "2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", "2026-01-31 12:00:00", 1769860800, 1769860800.0,
])  # fmt: skip
def test_a_time_is_of_a_clock_or_in_seconds(said: Any) -> None:
    assert truth({"id": 1, "truth": 1, "time": said}).predicted_ms == 1_769_860_800_000


# --- Seldon


@pytest.mark.parametrize("said", [
    {"data": {"names": ["y"], "ndarray": [[1], [0]]}},
    {"data": {"ndarray": [1, 0]}},
    {"data": {"tensor": {"shape": [2, 1], "values": [1.0, 0.0]}}},
    {"data": {"tensor": {"shape": [2], "values": [1, 0]}}},
    {"jsonData": [1, 0]},
])  # fmt: skip
def test_seldons_feedback_has_a_truth_for_each_row(said: dict[str, Any]) -> None:
    body = {"request": {"data": {"ndarray": [[1], [2]]}}, "response": {"meta": {"puid": "abc"}}, "reward": 2.5,
            "truth": said}  # fmt: skip
    first, second = read(body)
    assert isinstance(first, Truth)
    assert isinstance(second, Truth)
    assert (first.key, first.content, unpack(first.extra).value) == (key_of("abc", 0), b"1", 2.5)
    assert (second.key, second.content, unpack(second.extra).value) == (key_of("abc", 1), b"0", None)


def test_seldons_ids_may_be_in_the_request() -> None:
    assert truth({"request": {"meta": {"puid": 5}}, "truth": {"strData": "yes"}}) == Truth(
        key_of("5"), "", NOW_MS, 0, b'"yes"'
    )


@pytest.mark.parametrize(("body", "words"), [
    ({"response": {}, "truth": {"jsonData": [1]}}, "response.meta.puid: missing: what is this the truth of?"),
    ({"response": {"meta": {"puid": "a"}}, "reward": 1},
     "truth: must be a SeldonMessage: a reward alone says nothing of what turned out"),
    ({"response": {"meta": {"puid": "a"}}, "truth": {"data": {"ndarray": [[1], [None]]}}},
     "truth, row 1: missing: what turned out?"),
    ({"response": {"meta": {"puid": "a"}}, "reward": "x", "truth": {"jsonData": [1]}},
     "reward: must be a number from -1e+12 to 1e+12"),
    ({"response": {"meta": {"puid": "a"}}, "truth": {"data": {"ndarray": []}}}, "truth: has no rows"),
    ({"response": {"meta": {"puid": "a"}}, "truth": {"binData": "aa"}},
     "truth: datatype: bytes that only their model understands"),
    ({"response": {"meta": {"puid": "a"}}, "thruth": {}}, "thruth: unknown key, did you mean truth?"),
])  # fmt: skip
def test_what_is_wrong_with_seldons_is_said(body: dict[str, Any], words: str) -> None:
    assert fault(body) == words


# --- erasure


@pytest.mark.parametrize(("body", "found"), [
    ({"ids": [1, "b", {"id": "c", "row": 2}]}, [Asked("1", None), Asked("b", None), Asked("c", 2)]),
    ({"id": 7, "row": 0}, [Asked("7", 0)]),
    ({"id": 7.0}, [Asked("7", None)]),
    ({"key": {"customer": 1, "day": 2}}, [Asked("1/2", 0)]),
    ([{"id": 1}, {"id": 2}], [Asked("1", None), Asked("2", None)]),
])  # fmt: skip
def test_ids_to_be_erased_are_read(body: Any, found: list[Asked]) -> None:
    assert reading.erased(Post(JSON, json.dumps(body).encode()), RULES) == found


@pytest.mark.parametrize(("body", "words"), [
    ({"ids": 1}, "ids: must be a list, with nothing beside it"),
    ({"ids": [None]}, "ids[0].id: missing: what is this the truth of?"),
    ({"id": 1, "truth": 1}, "truth: unknown key: id, or key, and row name what is to be erased"),
    (7, "the body: must be an object such as {id: 17, truth: 1}"),
])  # fmt: skip
def test_what_is_no_id_is_not_erased(body: Any, words: str) -> None:
    with pytest.raises(PostError) as caught:
        reading.erased(Post(JSON, json.dumps(body).encode()), RULES)
    assert str(caught.value) == words


# --- anything

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_WORDS = st.sampled_from(["id", "key", "row", "model", "truth", "weight", "value", "segments", "time", "response"])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.dictionaries(_WORDS, _VALUES, max_size=6), max_size=3))
def test_any_record_is_a_truth_or_malformed(records: list[dict[str, Any]]) -> None:
    found = read(records)
    assert len(found) >= len(records)
    for one in found:
        assert isinstance(one, Truth) or one.detail
        if isinstance(one, Truth):
            for task in (Task("binary", classes=("0", "1")), Task("regression"), Task("ranking")):
                task.truth(one.content)
            unpack(one.extra)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([JSON, LINES, {}, JSON | {"content-encoding": "gzip"}]))
def test_any_bytes_are_read_or_refused(body: bytes, headers: dict[str, str]) -> None:
    with contextlib.suppress(PostError):
        assert isinstance(read(body, headers), list)
