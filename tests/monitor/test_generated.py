"""Tokens of language models, the ends of their answers and the beginnings of their streams."""

import json
from typing import Any

from monitor_scenes import exchange, watch

from exporter.records import Body, Capture

STREAM = {"content-type": "text/event-stream; charset=utf-8"}


def chat(answer: Any, **changes: Any) -> Any:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    asked = b'{"model": "m", "messages": [{"role": "user", "content": "Hi!"}]}'
    response = Body(len(body), Capture.WHOLE, body)
    return exchange(asked, b"", 1.0, path="/v1/chat/completions", response=response)._replace(**changes)


def answer(reason: Any, **usage: Any) -> dict[str, Any]:
    return {"choices": [{"finish_reason": reason, "message": {"content": "Hello"}}], "usage": usage}


def test_tokens_and_ends_of_answers_are_counted() -> None:
    seen = watch(None, [
        chat(answer("stop", prompt_tokens=9, completion_tokens=2, total_tokens=11)),
        chat(answer("length", prompt_tokens=1, completion_tokens=40, total_tokens=41)),
        chat(answer("poetry", prompt_tokens=10**15, completion_tokens=-4)), chat(answer(None, prompt_tokens="many")),
        chat(answer("stop", prompt_tokens=5), status=500),
    ]).snapshot(1.0).generated  # fmt: skip
    assert seen.tokens == {"prompt": 10, "completion": 42}
    assert {reason: count for reason, count in seen.finished.items() if count} == {"stop": 1, "length": 1, "other": 1}
    assert sum(seen.first_byte.counts) == 0, "none of them was a stream"


def test_the_beginnings_of_streams_are_timed() -> None:
    events = b'data: {"choices": [{"finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    streams = [chat(events, response_headers=STREAM, first_byte_ns=first) for first in (2_000_000, 300_000_000, 0)]
    seen = watch(None, streams).snapshot(1.0).generated
    assert seen.finished["stop"] == 3
    assert sum(seen.first_byte.counts) == 2, "of one nobody knows it"
    assert seen.first_byte.total == 0.302


def test_a_model_that_generates_nothing_has_no_such_counts() -> None:
    assert watch(None, [exchange([[1, 2]], [0.5], 1.0)]).snapshot(1.0).generated is None
