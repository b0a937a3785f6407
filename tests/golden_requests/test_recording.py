"""What is learned from several answers to one request, and what is kept of a file that is there."""

from typing import Any

import pytest
from golden_requests.scripted import told

from exporter.errors import ConfigError, DataError
from exporter.golden import drafts, recording
from exporter.golden.cases import Answer
from exporter.golden.recording import Learned, learned, updated


def of(*documents: Any) -> Learned:
    return learned([told(document) for document in documents])


def test_what_is_always_answered_is_expected_as_it_is() -> None:
    assert of({"p": [0.5, 1]}, {"p": [0.5, 1]}) == Learned({"body": {"p": [0.5, 1]}})
    assert of({"p": 0.5}, {"p": 0.5000000001}) == Learned({"body": {"p": 0.5}})


@pytest.mark.parametrize(("documents", "ignored"), [
    ([{"id": "a", "p": 1}, {"id": "b", "p": 1}], "/id"), ([{"n": 1}, {"n": 2}], "/n"),
    ([{"at": 1_790_000_000.5}, {"at": 1_790_000_000.6}], "/at"),
    ([{"at": 1_790_000_000_123.5}, {"at": 1_790_000_000_124.5}], "/at"),
    ([{"p": 1, "cached": True}, {"p": 1}], "/cached"), ([{"p": [1]}, {"p": [1, 2]}], "/p"),
    ([{"p": 1}, {"p": "1"}], "/p"),
    ([{"p": 0.1}, {"p": 0.9}], "/p"),
    ([{"p": [{"id": "a"}, {"id": "b"}]}, {"p": [{"id": "c"}, {"id": "d"}]}], "/p/*/id"),
    ([{"p": [{"id": "a"}, {"id": "b"}]}, {"p": [{"id": "a"}, {"id": "d"}]}], "/p/1/id"),
    ([{"p": None}, {"p": 1.5}], "/p"), ([{"p": True}, {"p": 1}], "/p"), ([{"p": 10**400}, {"p": 1.5}], "/p"),
])  # fmt: skip
def test_what_differs_between_answers_is_ignored_and_told(documents: list[Any], ignored: str) -> None:
    found = of(*documents)
    assert found.expect == {"body": documents[0], "ignore": [ignored]}
    assert found.notes == (f"{ignored} differs from answer to answer: it is ignored",)


def test_numbers_that_tremble_get_a_tolerance_wider_than_what_was_seen() -> None:
    found = of({"p": [0.500, 0.7]}, {"p": [0.501, 0.702]}, {"p": [0.499, 0.7]})
    assert found.expect == {"body": {"p": [0.5, 0.7]}, "tolerances": {"/p/*": {"absolute": 0.006}}}
    assert found.notes == ("/p/* trembles: it may be 0.006 away",)
    assert of({"p": [0.5, 0.7]}, {"p": [0.5, 0.702]}).expect["tolerances"] == {"/p/1": {"absolute": 0.006}}


def test_a_version_in_the_body_is_no_part_of_what_is_expected() -> None:
    document = {"model_name": "m", "model_version": "3", "outputs": []}
    assert of(document, document).expect == {"body": document, "ignore": ["/model_version"]}


def test_other_codes_and_bodies_are_expectations_too() -> None:
    assert learned([Answer(404, {}, b'{"e": 1}')]).expect == {"status": 404, "body": {"e": 1}}
    assert learned([Answer(200, {}, b"fine")]).expect == {"text": "fine"}
    assert learned([Answer(200, {}, b"\xff\x00")]).expect == {"base64": "/wA="}
    assert learned([Answer(204, {}, b"")] * 2).expect == {"status": 204}


@pytest.mark.parametrize(("given", "words"), [
    ((Answer(200, {}, b"1"), Answer(503, {}, b"")), "now with 200, now with 503"),
    ((told([1]), told({"a": 1})), "another kind of JSON"), ((told([1]), told([1, 2])), "another kind of JSON"),
    ((Answer(200, {}, b'"\\ud800"'),), "half a surrogate pair"),
    ((Answer(200, {}, b"a!"), Answer(200, {}, b"b!")), "another body each time"),
])  # fmt: skip
def test_what_has_nothing_in_common_cannot_be_expected(given: tuple[Answer, ...], words: str) -> None:
    with pytest.raises(DataError, match=words):
        learned(given)


def test_what_people_said_of_comparing_stays() -> None:
    before = {
        "status": 200, "body": {"p": 1, "q": 2}, "tolerance": {"absolute": 1}, "extra": "refuse", "ignore": ["/q"],
        "tolerances": {"/p": {"absolute": 3}},
    }  # fmt: skip
    found = Learned(
        {"body": {"p": 5}, "ignore": ["/id"], "tolerances": {"/p": {"absolute": 0.1}, "/r": {"absolute": 1}}}
    )
    assert updated(before, found) == {
        "body": {"p": 5}, "tolerance": {"absolute": 1}, "extra": "refuse", "ignore": ["/q", "/id"],
        "tolerances": {"/p": {"absolute": 3}, "/r": {"absolute": 1}},
    }  # fmt: skip


def test_where_some_places_are_looked_at_new_values_are_of_the_same_places() -> None:
    before = {"values": {"/p/0": 0.5}, "ignore": ["/p/1"]}
    assert updated(before, Learned({"body": {"p": [0.7, 1]}})) == {"values": {"/p/0": 0.7}, "ignore": ["/p/1"]}
    with pytest.raises(DataError, match="nothing at /p/0"):
        updated(before, Learned({"body": {"p": []}}))
    with pytest.raises(DataError, match="nothing at /p/0"):
        updated(before, Learned({"status": 500, "text": "x"}))


def test_several_versions_stand_beside_each_other() -> None:
    draft = drafts.Draft({"cases": [{"name": "a", "request": {"path": "/"}, "versions": {"1": {"body": 1}}}]}, {})
    draft.answered("a", Learned({"body": 2}), "2")
    assert draft.document()["cases"][0]["versions"] == {"1": {"body": 1}, "2": {"body": 2}}


def test_a_case_that_was_never_answered_is_left_out() -> None:
    draft = drafts.Draft({}, {"path": "/x"})
    draft.add([("a", b"1", ""), ("a", b"\xff", "image/png"), ("\n", b"a,b", "text/csv"), ("t", b"t", "")])
    assert draft.names == ["a", "a 2", "_", "t"]
    with pytest.raises(ConfigError):
        draft.document()
    draft.answered("a 2", Learned({}), "")
    assert draft.document() == {"defaults": {"path": "/x"}, "cases": [
        {"name": "a 2", "request": {"headers": {"content-type": "image/png"}, "base64": "/w=="}, "expect": {}}
    ]}  # fmt: skip
    assert [case.request.content for case in draft.golden("f").cases] == [b"1", b"\xff", b"a,b", b"t"]
    assert [dict(case.request.headers)["content-type"] for case in draft.golden("f").cases] == [
        "application/json", "image/png", "text/csv", "text/plain; charset=utf-8",
    ]  # fmt: skip


def test_times_of_any_unit_are_clocks_only_where_they_go_on() -> None:
    assert recording._is_clock([1.79e9, 1.79e9 + 1])
    assert recording._is_clock([1.79e18, 1.79e18 + 1e9])
    assert not recording._is_clock([1.79e9, 1.79e9])
    assert not recording._is_clock([0.5, 0.6])
