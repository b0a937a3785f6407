"""What an answer says: its body as a JSON value, text or bytes, whatever it was packed in, and the model's version.

CSV and JSON lines are lists of rows and of values. Tensors in binary (Open Inference Protocol) become the tensors with
`data` that the same server sends in JSON, so that people can read what is expected.
"""

import base64
import json
import re
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from typing import Any, Final

from exporter.decode import Decoder, blobs, delimited, identity, inflate, tensors
from exporter.decode.identity import Named
from exporter.decode.media import Kind, media
from exporter.errors import DecodeError
from exporter.golden.cases import MOST_BODY, Answer, Case, Pointer, Source
from exporter.origins import tokens
from exporter.records import Body, Capture, Exchange

_LENGTH: Final = "inference-header-content-length"
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_DEEPEST: Final = 200
"""Levels of an answer: the standard library takes of the stack for each, and a thread's is small."""
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{}]', re.DOTALL)
"""Those of JSON, and texts, in which they mean nothing."""
ABSENT: Final = object()
"""What is found where a pointer leads nowhere; null is a value."""


def plain(answer: Answer) -> bytes:
    """The body without its Content-Encoding. DecodeError."""
    content, partial = inflate.inflated(answer.content, answer.headers.get("content-encoding", ""), False)
    if partial or len(content) > inflate.MOST:
        raise DecodeError("truncated", f"longer than {MOST_BODY} bytes")
    return content


def text(answer: Answer) -> str:
    """The body as text. DecodeError."""
    try:
        return plain(answer).decode()
    except UnicodeDecodeError:
        raise DecodeError("content_type", "no UTF-8") from None


def document(answer: Answer) -> Any:  # noqa: ANN401 (JSON)
    """The body as a JSON value. DecodeError."""
    content = plain(answer)
    if _LENGTH in answer.headers:
        return _tensors(content, answer.headers[_LENGTH])
    kind = media(answer.headers.get("content-type", ""))
    if kind.kind is Kind.CSV:
        return delimited.rows(content, kind.charset, partial=False)
    if kind.kind is Kind.LINES:
        return [parsed(line) for line in content.splitlines() if line.strip()]
    return parsed(content)


def parsed(content: bytes) -> Any:  # noqa: ANN401 (JSON)
    """As the standard library reads JSON, NaN and whole numbers of any length too, but no key twice. DecodeError."""
    if not content:
        raise DecodeError("empty")
    try:
        words = content.decode(json.detect_encoding(content), "surrogatepass")
        if _is_deep(words):
            raise DecodeError("invalid_json", f"more than {_DEEPEST} levels")
        return json.loads(words, object_pairs_hook=_once)
    except (ValueError, UnicodeError):
        raise DecodeError("invalid_json") from None


def _is_deep(words: str) -> bool:
    """Whether JSON has too many levels, whatever the interpreter's own limit would be."""
    if words.count("[") + words.count("{") <= _DEEPEST:
        return False
    steps = ({"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0) for found in _BRACKETS.finditer(words))
    return any(depth > _DEEPEST for depth in accumulate(steps))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. RFC 8259, 4: of two values of one key every reader believes another."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DecodeError("invalid_json", "a key stands there twice")
    return found


def is_writable(value: object) -> bool:
    """Whether a file can hold it: half of a surrogate pair, which JSON has in escapes, is no character of UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def find(value: object, pointer: Pointer) -> object:
    """What a pointer leads to (RFC 6901, 4), or ABSENT."""
    for word in pointer:
        if isinstance(value, dict):
            value = value.get(word, ABSENT)
        elif isinstance(value, list) and _INDEX.fullmatch(word) and int(word) < len(value):
            value = value[int(word)]
        else:
            return ABSENT
    return value


def _tensors(content: bytes, length: str) -> dict[str, Any]:
    """An answer with tensors behind its JSON, all of them in JSON. DecodeError."""
    if not (length.isascii() and length.isdecimal() and len(length) <= 18) or int(length) > len(content):
        raise DecodeError("tensor_size", "the header's length does not fit")
    head = parsed(content[: int(length)])
    if not isinstance(head, dict) or not isinstance(head.get("outputs"), list):
        raise DecodeError("shape", "a list of tensors was expected")
    rest = blobs.Blobs(content, int(length))
    opened = [_opened(tensor, rest) for tensor in head["outputs"]]
    rest.end()
    return {**head, "outputs": opened}


def _opened(tensor: Any, rest: blobs.Blobs) -> Any:  # noqa: ANN401 (JSON)
    if not isinstance(tensor, dict) or "data" in tensor or not isinstance(tensor.get("parameters"), dict):
        return tensor
    blob = rest.take(tensor["parameters"].get("binary_data_size"))
    parameters = {key: value for key, value in tensor["parameters"].items() if key != "binary_data_size"}
    kept = {key: value for key, value in tensor.items() if key != "parameters"}
    return {**kept, **({"parameters": parameters} if parameters else {}), "data": _values(blob, tensor)}


def _values(blob: memoryview, tensor: Mapping[str, Any]) -> list[Any]:
    """Values in row-major order; of more than two dimensions the bytes, as text."""
    try:
        columns = list(blobs.columns(blob, tensors.form(tensor)))
    except DecodeError as error:
        if error.reason != "shape":
            raise
        return [base64.b64encode(blob).decode()]
    return [cell.item() if hasattr(cell, "item") else cell for row in zip(*columns, strict=True) for cell in row]


# --- whose it is


def named(case: Case, answer: Answer, source: Source) -> Named:
    """The model and the version that an answer is of, each empty where nobody says so.

    The file says where the version is, or else the path, the protocol's own place in the body, or the case's headers.
    """
    found = _decoder().read(_exchange(case, _shallow(answer)))
    said = Named(found.model, found.version)
    own = _own(answer, source)
    return said._replace(version=own) if own else said


def _shallow(answer: Answer) -> Answer:
    """Without its body where that has too many levels."""
    try:
        return answer._replace(content=b"") if _is_deep(text(answer)) else answer
    except DecodeError:  # no text: what it is instead has none
        return answer


def _own(answer: Answer, source: Source) -> str:
    if source.header:
        return identity.believed(answer.headers.get(source.header, ""))
    if not source.pointer:
        return ""
    try:
        return identity.spelled(find(document(answer), tokens(source.pointer)))
    except DecodeError:
        return ""


@cache
def _decoder() -> Decoder:
    return Decoder()


def _exchange(case: Case, answer: Answer) -> Exchange:
    request = case.request
    return Exchange(
        1, 1, 1, answer.status, request.method, request.path.partition("?")[0],
        {name.lower(): value for name, value in request.headers}, answer.headers,
        Body(len(request.content), Capture.WHOLE, request.content),
        Body(len(answer.content), Capture.WHOLE, answer.content),
    )  # fmt: skip
