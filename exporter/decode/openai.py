"""OpenAI's API as many servers speak it: chat, completions, embeddings. Sizes and numbers, never content.

One row each way, with fixed names. What was asked: how many messages and characters, whether to stream, and the numbers
that steer the model. What came: tokens by `usage`, why it ended, how many choices. Of a stream (server-sent events)
only what these stand in is parsed. Source: OpenAI, API reference, chat completions; vLLM, OpenAI-compatible server.
"""

from collections.abc import Mapping
from typing import Any, Final

from exporter.decode import json_body
from exporter.decode.media import Kind
from exporter.decode.payload import Payload, Side
from exporter.errors import DecodeError
from exporter.records import Table

FINISH_REASONS: Final = ("stop", "length", "tool_calls", "content_filter", "function_call")
OTHER: Final = "other"
"""What is passed on as it is, and anything else."""
_STEERING: Final = ("max_tokens", "temperature", "top_p", "n")
_ASKED: Final = ("messages", "content_characters", "stream", *_STEERING)
_TOKENS: Final = (
    ("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"), ("total_tokens", ""),
)  # fmt: skip
"""Names of counts in `usage`, of chat and of responses."""
_ANSWERED: Final = (*(f"usage.{name}" for name, _ in _TOKENS), "finish_reason", "choices")
_MOST_DEPTH: Final = 5
_TELLING: Final = (b'"usage"', b'"finish_reason"')
_LONGEST_EVENT: Final = 64 << 10


def _features(payload: Payload) -> Table:
    """The row of a request. DecodeError: those of `Payload.document`."""
    document = payload.document
    messages = document.get("messages")
    content = next((document[key] for key in ("messages", "prompt", "input") if key in document), None)
    row = [
        len(messages) if isinstance(messages, list) else None, _characters(content, _MOST_DEPTH),
        document.get("stream") is True, *(_number(document.get(key)) for key in _STEERING),
    ]  # fmt: skip
    return Table(1, _ASKED, tuple((cell,) for cell in row))


def _characters(content: object, depth: int) -> int:
    """How long all texts are together; the words of `role` and `type` are none."""
    if isinstance(content, str):
        return len(content)
    if not depth:
        return 0
    if isinstance(content, list):
        return sum(_characters(part, depth - 1) for part in content)
    if isinstance(content, dict):
        return sum(_characters(content.get(key), depth - 1) for key in ("content", "text"))
    return 0


def _outputs(payload: Payload) -> Table:
    """The row of an answer. DecodeError: truncated, unknown_protocol, and those of `Payload.document`."""
    if payload.kind is Kind.EVENTS:
        return _of_stream(payload)
    document = payload.document
    choices = document.get("choices", document.get("data"))
    return _row(document.get("usage"), _finish(document), len(choices) if isinstance(choices, list) else None)


def _of_stream(payload: Payload) -> Table:
    """The row that the chunks of a stream make together; which chunks do not matter is seen without parsing them."""
    usage: object = None
    ends: dict[object, Mapping[str, Any]] = {}
    for line in payload.content.splitlines():
        if line.startswith(b"data:") and len(line) <= _LONGEST_EVENT and any(key in line for key in _TELLING):
            chunk = _chunk(line[5:].strip())
            if "model" in chunk:
                payload.tell(chunk)
            usage = chunk.get("usage") or usage
            if _finish(chunk):
                ends[_index(chunk)] = chunk
    if payload.partial and not isinstance(usage, dict):
        raise DecodeError("truncated", "the end of the stream is not there")
    if not ends and not usage:
        raise DecodeError("unknown_protocol", "no event of the stream tells of its end")
    first = ends.get(0) or next(iter(ends.values()), {})
    return _row(usage, _finish(first), sum(len(chunk["choices"]) for chunk in ends.values()) or None)


def _index(chunk: Mapping[str, Any]) -> object:
    """Which of several choices a chunk is about, each of which ends by itself."""
    index = chunk["choices"][0].get("index", 0)
    return index if isinstance(index, int) else 0


def _chunk(line: bytes) -> Mapping[str, Any]:
    try:
        found = json_body.parsed(line)
    except DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _row(usage: object, finish: str | None, choices: int | None) -> Table:
    counts = usage if isinstance(usage, dict) else {}
    tokens = [_number(counts.get(name, counts.get(other))) for name, other in _TOKENS]
    return Table(1, _ANSWERED, tuple((cell,) for cell in (*tokens, finish, choices)))


def _finish(document: Mapping[str, Any]) -> str | None:
    """Why the first choice ended, in a word that is known; None where it does not say."""
    choices = document.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    reason = first.get("finish_reason") if isinstance(first, dict) else None
    if reason is None:
        return None
    return reason if isinstance(reason, str) and reason in FINISH_REASONS else OTHER


def _number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_prompt(document: Mapping[str, Any]) -> bool:
    """Whether an object with one of the keys is a prompt, not a feature of that name."""
    messages = document.get("messages")
    if isinstance(messages, list) and messages and isinstance(messages[0], dict):
        return "role" in messages[0]
    return isinstance(document.get("prompt"), str | list) and "model" in document


def _is_answer(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("choices", document.get("data", [])), list)


def _is_object(document: object) -> bool:
    return isinstance(document, dict) and bool(document)


REQUEST: Final = Side(
    _features,
    keys=("messages", "prompt"),
    claims=_is_prompt,
    bare=_is_object,
    paths=("/(?:chat/)?completions", "/embeddings", "/responses"),
)
RESPONSE: Final = Side(
    _outputs,
    keys=("choices", "usage"),
    claims=_is_answer,
    kinds=(Kind.EVENTS,),
    model=("model", ""),
    id="",
)
