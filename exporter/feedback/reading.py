"""The body of a POST as truths. Bytes in, truths and what was not understood out; no clock, no I/O.

One JSON object; a list of them, or `{"feedback": [...]}`; JSON Lines; Seldon's feedback. What is wrong with one record
is said of it, and the others count all the same.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from exporter.decode import inflate, json_body
from exporter.errors import DecodeError, PostError
from exporter.feedback import record, seldon
from exporter.feedback.record import Asked, Rules
from exporter.truths import Told, Truth
from exporter.values import Fault

MALFORMED: Final = "malformed"
_LINES: Final = frozenset(("application/jsonl", "application/x-ndjson", "application/ndjson", "application/jsonlines",
                           "application/x-jsonlines", "application/jsonl+json"))  # fmt: skip
_LIST: Final = "feedback"
_LINE: Final = "line "
_VALUES: Final = 100
"""Of a record at most, on the average: parsed, a body of brackets takes thirty times its size."""
_ALWAYS: Final = 100_000
Read = Truth | Told
"""A truth, or why it is none."""


class _Item(NamedTuple):
    """A value of a body, and where it is."""

    path: str
    value: Any


class Post(NamedTuple):
    """What came."""

    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    at_ms: int = 0
    """When, Unix time in milliseconds."""


def truths(post: Post, rules: Rules, check: Callable[[Truth], None]) -> list[Read]:
    """What a POST says, in its order; `check` has the last word on each, a Fault. PostError: malformed, too_large."""

    def read(document: Any) -> list[Truth]:  # noqa: ANN401 (JSON)
        if seldon.is_feedback(document):
            found = seldon.truths(document, rules, post.at_ms)
        else:
            found = [record.truth_of(document, rules, post.at_ms)]
        for one in found:
            check(one)
        return found

    found: list[Read] = []
    for item in _items(post, rules):
        found += _read(item, read)
        if len(found) > rules.most_records:
            raise _too_many(rules)
    return found


def erased(post: Post, rules: Rules) -> list[Asked]:
    """Whose predictions and truths are to be erased. PostError: malformed, too_large."""
    document = _parsed(_plain(post, rules))
    if isinstance(document, dict) and "ids" in document:
        if len(document) > 1 or not isinstance(document["ids"], list):
            raise PostError(MALFORMED, "ids: must be a list, with nothing beside it")
        items = _listed([one if isinstance(one, dict) else {"id": one} for one in document["ids"]], "ids")
    else:
        items = _listed(document) if isinstance(document, list) else [_Item("", document)]
    if len(items) > rules.most_records:
        raise _too_many(rules)
    return [_asked(item, rules) for item in items]


def _asked(item: _Item, rules: Rules) -> Asked:
    try:
        return record.asked(_object(item), rules)
    except Fault as fault:
        raise PostError(MALFORMED, _told(item, fault)) from None


def _read(item: _Item, read: Callable[[Any], list[Truth]]) -> list[Read]:
    if isinstance(item.value, DecodeError):
        return [Told(MALFORMED, (), f"{item.path}: not JSON")]
    try:
        return [*read(_object(item))]
    except Fault as fault:
        return [Told(MALFORMED, (), _told(item, fault))]


def _told(item: _Item, fault: Fault) -> str:
    """What is wrong, and where."""
    of_line = item.path.startswith(_LINE)
    where = f"{item.path}: {fault.path[1:]}" if of_line and fault.path else f"{item.path}{fault.path}".removeprefix(".")
    return f"{where}: {fault}" if where else str(fault)


def _object(item: _Item) -> dict[str, Any]:
    if not isinstance(item.value, dict):
        raise Fault("" if item.path else "the body", "must be an object such as {id: 17, truth: 1}")
    return item.value


# --- bodies


def _items(post: Post, rules: Rules) -> Iterator[_Item]:
    plain = _plain(post, rules)
    if post.headers.get("content-type", "").partition(";")[0].strip().lower() in _LINES:
        return _lines(plain)
    try:
        document = _parsed(plain)
    except PostError as error:
        if error.reason != MALFORMED or not _begins_with_line(plain):
            raise
        return _lines(plain)
    if isinstance(document, dict) and _LIST in document:
        if len(document) > 1 or not isinstance(document[_LIST], list):
            raise PostError(MALFORMED, f"{_LIST}: must be a list, with nothing beside it")
        return iter(_listed(document[_LIST], _LIST))
    if isinstance(document, list):
        return iter(_listed(document))
    if not isinstance(document, dict):
        raise PostError(MALFORMED, "the body must be an object, a list of them, or lines of them")
    return iter([_Item("", document)])


def _listed(values: list[Any], path: str = "") -> list[_Item]:
    return [_Item(f"{path}[{place}]", value) for place, value in enumerate(values)]


def _lines(plain: bytes) -> Iterator[_Item]:
    """A value of each line that is not blank."""
    for number, line in enumerate(io.BytesIO(plain.removeprefix(b"\xef\xbb\xbf")), 1):
        text = line.strip(b" \t\r\n\x1e")
        if text:
            yield _Item(f"{_LINE}{number}", _value(text))


def _value(text: bytes) -> Any:  # noqa: ANN401 (JSON)
    try:
        return json_body.parsed(text)
    except DecodeError as error:
        return error


def _begins_with_line(plain: bytes) -> bool:
    """Whether what is no JSON may be lines of it: the first of several is an object."""
    first, *rest = plain.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)
    return bool(rest and rest[0].strip()) and isinstance(_value(first.strip()), dict)


def _parsed(plain: bytes) -> Any:  # noqa: ANN401 (JSON)
    try:
        return json_body.parsed(plain)
    except DecodeError as error:
        words = "nothing was posted" if error.reason == "empty" else "the body is not JSON"
        raise PostError(MALFORMED, f"{words}{f': {error.detail}' if error.detail else ''}") from None


def _plain(post: Post, rules: Rules) -> bytes:
    coding = post.headers.get("content-encoding", "")
    try:
        plain, cut = inflate.inflated(post.body, coding, partial=False, most=rules.most_bytes + 1)
    except DecodeError as error:
        raise PostError(MALFORMED, f"content-encoding: {error}") from None
    if cut or len(plain) > rules.most_bytes:
        raise PostError("too_large", "the body inflates to more than feedback.max_body, or too many times its size")
    most = max(_VALUES * rules.most_records, _ALWAYS)
    if sum(map(plain.count, (b",", b"[", b"{"))) > most:
        raise PostError("too_large", f"more than {most} values: say less at once")
    return plain


def _too_many(rules: Rules) -> PostError:
    return PostError("too_large", f"more than {rules.most_records} records (feedback.max_records)")
