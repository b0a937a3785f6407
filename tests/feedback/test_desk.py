"""POST /feedback, over real sockets to a real store: what who posts is told."""

import gzip
import json
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from feedback.posting import RULES, Posted, posted
from hypothesis import given, settings
from hypothesis import strategies as st
from web.doors import served

from exporter.feedback.desk import Desk
from exporter.feedback.keeping import Keeping
from exporter.feedback.stores import Store, Unavailable
from exporter.truths import OUTCOMES, key_of

LINES = {"Content-Type": "application/x-ndjson"}


def outcomes(told: dict[str, Any]) -> list[str]:
    return [one["outcome"] for one in told["results"]]


def counts(told: dict[str, Any]) -> dict[str, int]:
    assert set(told) == {*OUTCOMES, "waiting", "results"}
    return {word: count for word, count in told.items() if word != "results" and count}


def down() -> Store:
    raise Unavailable("nobody is there")


def test_every_truth_is_answered_in_its_order(tmp_path: Path) -> None:
    with posted(tmp_path / "f.sqlite") as at:
        at.predicted("a", "b")
        told = at.told([{"id": "b", "truth": 1}, {"id": "c", "truth": 0}, {"id": "b", "truth": 1},
                        {"id": "b", "truth": 0}, {"id": "a"}])  # fmt: skip
        assert outcomes(told) == ["matched", "early", "duplicate", "conflicting", "malformed"]
        assert told["results"][4] == {"outcome": "malformed", "detail": "[4].truth: missing: what turned out?"}
        assert counts(told) == dict.fromkeys(("matched", "early", "duplicate", "conflicting", "malformed"), 1)


def test_one_truth_lines_and_compressed_ones_are_taken(tmp_path: Path) -> None:
    with posted(tmp_path / "f.sqlite") as at:
        at.predicted("1", "2", "3", "4")
        assert outcomes(at.told({"id": 1, "truth": 1})) == ["matched"]
        assert outcomes(at.told(b'{"id": 2, "truth": 1}\n{"id": "3", "truth": 1}', **LINES)) == ["matched", "matched"]
        assert outcomes(at.told(gzip.compress(b'{"id": 4.0, "truth": 1}'), **{"Content-Encoding": "gzip"})) == [
            "matched"
        ]


def test_seldons_rows_are_joined_one_by_one(tmp_path: Path) -> None:
    with posted(tmp_path / "f.sqlite") as at:
        at.predicted("puid", rows=2)
        body = {"response": {"meta": {"puid": "puid"}}, "reward": 1.0, "truth": {"data": {"ndarray": [[1], [0], [1]]}}}
        assert outcomes(at.told(body)) == ["matched", "matched", "early"]


def test_what_went_well_can_be_left_out(tmp_path: Path) -> None:
    with posted(tmp_path / "f.sqlite") as at:
        at.predicted("a")
        told = at.told([{"id": "a", "truth": 1}, {"id": None, "truth": 1}, {"id": "a", "truth": 2}],
                       "/feedback?results=errors")  # fmt: skip
        assert [(one["index"], one["outcome"]) for one in told["results"]] == [(1, "malformed"), (2, "conflicting")]
        assert counts(told) == {"matched": 1, "malformed": 1, "conflicting": 1}
        assert at.post({"id": "a", "truth": 1}, "/feedback?results=none").status == 400
        assert at.post({"id": "a", "truth": 1}, "/feedback?result=all").status == 400


@pytest.mark.parametrize(("kind", "truth", "words"), [
    ("regression", "many", "truth: must be a number: the model predicts numbers"),
    ("regression", True, "truth: must be a number: the model predicts numbers"),
    ("binary", [1, 0], "truth: must be one class: the model predicts classes"),
    ("ranking", "first", "truth: must be the rank of what was right, from 1, or a list of relevances: the model ranks"),
])  # fmt: skip
def test_what_cannot_be_of_the_models_task_is_malformed_at_once(
    tmp_path: Path, kind: str, truth: Any, words: str
) -> None:
    with posted(tmp_path / "f.sqlite", kind=kind) as at:
        assert at.told({"id": 1, "truth": truth})["results"] == [{"outcome": "malformed", "detail": words}]


@pytest.mark.parametrize(("body", "status", "words"), [
    (b"", 400, "nothing was posted\n"),
    (b"x", 400, "the body is not JSON\n"),
    (b"[" * 50_000, 400, "the body is not JSON: nested too deeply\n"),
    (b"x" * (RULES.most_bytes + 1), 413, "the body is longer than 1048576 bytes (feedback.max_body)\n"),
    (b'{"id":1,"truth":1}\n' * 1001, 413, "more than 1000 records (feedback.max_records)\n"),
])  # fmt: skip
def test_a_body_that_cannot_be_taken_is_refused_as_a_whole(
    tmp_path: Path, body: bytes, status: int, words: str
) -> None:
    with posted(tmp_path / "f.sqlite") as at:
        answer = at.post(body)
        assert (answer.status, answer.body.decode()) == (status, words)
        at.keeping.sync()
        assert at.keeping.snapshot().truths == 0


def test_a_body_that_does_not_come_is_given_up(tmp_path: Path) -> None:
    with posted(tmp_path / "f.sqlite") as at, socket.create_connection(("127.0.0.1", at.web.port), timeout=30) as sock:
        sock.sendall(b"POST /feedback HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        assert sock.recv(1 << 16).startswith(b"HTTP/1.1 408 ")


def test_it_is_off_unless_the_settings_say_otherwise() -> None:
    with served() as web:
        for path in ("/feedback", "/feedback/erase"):
            answer = web.ask(path, "POST", body=b"{}")
            assert (answer.status, answer.body) == (403, b"taking truths is not enabled: set feedback.enable\n")
            assert web.ask(path).status == 405


def test_a_token_of_its_own_is_needed_where_there_is_one(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    tokens = dict.fromkeys(("/feedback", "/feedback/erase"), ("feedback.token_file", str(token)))
    with posted(tmp_path / "f.sqlite", tokens=tokens) as at:
        for path in ("/feedback", "/feedback/erase"):
            assert at.post({"id": 1, "truth": 1}, path).status == 401
        assert at.post({"id": 1, "truth": 1}, Authorization="Bearer 0123456789abcdef").status == 200
        assert at.post({"id": 1, "truth": 1}, Origin="http://evil.example").status == 403


def test_while_the_store_is_down_truths_wait_within_bounds() -> None:
    with posted(down, most_bytes=20_000) as at:
        answer = at.post([{"id": 1, "truth": 1}, {"id": 2}])
        told = json.loads(answer.body)
        assert (answer.status, outcomes(told), counts(told)) == (
            202,
            ["waiting", "malformed"],
            {"waiting": 1, "malformed": 1},
        )
        statuses = [at.post({"id": one, "truth": 1}).status for one in range(60)]
        assert set(statuses) == {202, 429}
        refused = at.post({"id": 1, "truth": 1})
        assert (refused.headers["Retry-After"], refused.body) == (
            "1", b"too many truths wait for their store (feedback.max_buffer)\n"
        )  # fmt: skip
        at.keeping.sync()
        found = at.keeping.snapshot()
        assert found.truths == found.truths_waiting + found.told["malformed"]
        assert (found.truths_waiting, found.refused) == (1 + statuses.count(202), 1 + statuses.count(429))


# --- erasure


def test_what_is_erased_is_not_known_any_more(tmp_path: Path) -> None:
    with posted(tmp_path / "f.sqlite") as at:
        at.predicted("a", "b")
        at.told([{"id": "a", "truth": 1}, {"id": "c", "truth": 1}])
        assert at.told({"ids": ["a", "c", "d"]}, "/feedback/erase") == {"erased": 2, "waiting": False}
        assert outcomes(at.told([{"id": "a", "truth": 1}, {"id": "b", "truth": 1}])) == ["early", "matched"]


def test_of_a_request_every_row_is_erased_or_the_one_that_is_named(tmp_path: Path) -> None:
    with posted(tmp_path / "f.sqlite", most_bytes=16 << 20) as at:
        at.predicted("a", "b", rows=3000)
        assert at.told({"id": "a", "row": 7}, "/feedback/erase")["erased"] == 1
        assert at.told({"id": "a"}, "/feedback/erase")["erased"] == 2999
        assert at.told({"id": "a"}, "/feedback/erase")["erased"] == 0
        assert outcomes(at.told({"id": "b", "row": 2999, "truth": 1})) == ["matched"]


def test_rows_behind_a_gap_are_erased_too(tmp_path: Path) -> None:
    with posted(tmp_path / "f.sqlite", most_bytes=16 << 20) as at:
        at.predicted("a", rows=6000)
        for first in (2100, 3000):
            gap = [{"id": "a", "row": row} for row in range(first, first + 900)]
            assert at.told(gap, "/feedback/erase")["erased"] == 900
        assert at.told({"id": "a"}, "/feedback/erase")["erased"] == 4200


class Counting:
    """What erases: keys that are there, and how many it was asked for."""

    def __init__(self, there: set[int]) -> None:
        self.there, self.asked = there, 0

    def erase(self, keys: Sequence[int], _: float) -> int:
        found = self.there.intersection(keys)
        self.asked += len(keys)
        self.there -= found
        return len(found)


def test_a_request_of_many_rows_costs_the_others_nothing() -> None:
    rows = {key_of("big", row) for row in range(50_000)} | {key_of(f"r{number}") for number in range(5000)}
    counting = Counting(rows)
    desk = Desk(RULES._replace(most_records=10_000), cast("Keeping", counting), lambda _: None)
    ids = [f"r{number}" for number in range(5000)]
    ids[2500:2500] = ["big"]
    answer = desk.erase({}, json.dumps({"ids": ids}).encode())
    assert json.loads(answer.content) == {"erased": 55_000, "waiting": False}
    assert counting.asked < 300_000


def test_erasure_waits_for_a_store_that_is_down() -> None:
    with posted(down) as at:
        answer = at.post({"ids": [1, 2]}, "/feedback/erase")
        assert (answer.status, json.loads(answer.body)) == (202, {"erased": 0, "waiting": True})
        assert at.post({"ids": [[]]}, "/feedback/erase").status == 400


# --- attacks


def test_many_at_once_leave_the_page_alone(tmp_path: Path) -> None:
    with posted(tmp_path / "f.sqlite") as at:
        slow = [socket.create_connection(("127.0.0.1", at.web.port), timeout=30) for _ in range(40)]
        for sock in slow:
            sock.sendall(b"POST /feedback HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n[")
        time.sleep(0.5)
        assert at.web.ask("/metrics").status == 200
        for sock in slow:
            sock.close()


@settings(deadline=None, max_examples=60)
@given(
    st.binary(max_size=300) | st.sampled_from([b'{"id":1,"truth":1}', b'[{"id":"\\ud800"}]', b'{"\\ud800":1}']),
    st.sampled_from(["application/json", "application/x-ndjson", ""]), st.sampled_from(["", "gzip", "br", "x"]),
    st.sampled_from(["/feedback", "/feedback?results=errors", "/feedback/erase"]),
)  # fmt: skip
def test_any_post_is_answered(at: Posted, body: bytes, kind: str, coding: str, path: str) -> None:
    answer = at.post(body, path, **{"Content-Type": kind, "Content-Encoding": coding})
    assert answer.status in {200, 400, 413}
    if answer.status == 200:
        json.loads(answer.body)


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Posted]:
    with posted(tmp_path_factory.mktemp("any") / "f.sqlite") as found:
        yield found
