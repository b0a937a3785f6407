"""Whether an answer is the expected one: numbers within a tolerance, all else equal, lists in their order.

A number may be `absolute + relative * |expected|` away, as the decimals that people write: of 1.0 with 0.1 absolute,
1.1 passes. Whole numbers, which are counts and classes, must be equal unless the file says a tolerance. NaN and the
infinities are alike however a server spells them, as numbers or as text.
"""

import json
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from exporter.errors import DecodeError
from exporter.golden import answers
from exporter.golden.cases import ANY, DEFAULT, Answer, Case, Difference, Expected, Pointer, Rules, Tolerance, Verdict
from exporter.golden.near import is_near, is_number, spells

MOST_DIFFERENCES: Final = 10
"""That are told of one answer."""
_SHOWN: Final = 60
_KINDS: Final = {
    bool: "a truth value", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object",
    type(None): "null",
}  # fmt: skip


def compare(case: Case, answer: Answer, version: str) -> Verdict:
    """How an answer is judged that is of a version of the model, empty where nobody says of which."""
    if answer.failure:
        return Verdict(answer.failure, answer.detail)
    expected = case.expected_of(version)
    if expected is None:
        return Verdict("version", f"nothing is expected of version {_json(version)}")
    if answer.status != expected.status:
        return Verdict("status", f"expected {expected.status}, got {answer.status}{_said(answer)}")
    try:
        found = tuple(islice(_differences(expected, answer), MOST_DIFFERENCES))
    except DecodeError as error:
        return Verdict("body", f"the body cannot be read: {error}{_said(answer)}")
    return Verdict(found[0].reason, found[0].words, found) if found else Verdict()


def _differences(expected: Expected, answer: Answer) -> Iterator[Difference]:
    """DecodeError where the body is not of the expected kind."""
    if expected.content is not None:
        got = answers.plain(answer)
        if got != expected.content:
            yield Difference("", "value", f"{len(expected.content)} bytes", _bytes(expected.content, got))
    elif expected.text is not None:
        text = answers.text(answer)
        if text != expected.text:
            yield Difference("", "value", _json(expected.text), _json(text))
    elif expected.parts:
        document = answers.document(answer)
        for pointer, value in expected.parts:
            yield from _at(pointer, value, document, expected.rules)


def _bytes(expected: bytes, got: bytes) -> str:
    same = next((at for at, (one, other) in enumerate(zip(expected, got, strict=False)) if one != other), None)
    return f"{len(got)} bytes" + ("" if same is None else f", others from byte {same} on")


def _at(pointer: Pointer, value: object, document: object, rules: Rules) -> Iterator[Difference]:
    """The differences of one part of a document."""
    found = answers.find(document, pointer)
    if found is answers.ABSENT:
        yield Difference(written(pointer), "missing", _json(value), "")
    else:
        yield from _walk(value, found, pointer, rules)


def _walk(expected: Any, got: Any, at: Pointer, rules: Rules) -> Iterator[Difference]:  # noqa: ANN401 (JSON)
    if rules.ignore and any(fits(pattern, at) for pattern in rules.ignore):
        return
    if isinstance(expected, dict) and isinstance(got, dict):
        yield from _objects(expected, got, at, rules)
    elif isinstance(expected, list) and isinstance(got, list):
        yield from _lists(expected, got, at, rules)
    elif is_number(expected) and is_number(got):
        yield from _numbers(expected, got, at, rules)
    elif not _alike(expected, got):
        yield _scalars(expected, got, at)


def _objects(expected: dict[str, Any], got: dict[str, Any], at: Pointer, rules: Rules) -> Iterator[Difference]:
    for key, value in expected.items():
        if key in got:
            yield from _walk(value, got[key], (*at, key), rules)
        else:
            yield from _unless_ignored(Difference(written((*at, key)), "missing", _json(value), ""), (*at, key), rules)
    if not rules.extra:
        for key in got.keys() - expected.keys():
            yield from _unless_ignored(Difference(written((*at, key)), "extra", "", _json(got[key])), (*at, key), rules)


def _unless_ignored(found: Difference, at: Pointer, rules: Rules) -> Iterator[Difference]:
    if not any(fits(pattern, at) for pattern in rules.ignore):
        yield found


def _lists(expected: list[Any], got: list[Any], at: Pointer, rules: Rules) -> Iterator[Difference]:
    if len(expected) != len(got):
        reason = "missing" if len(got) < len(expected) else "extra"
        yield Difference(written(at), reason, f"a list of {len(expected)}", f"one of {len(got)}")
        return
    for place, (value, other) in enumerate(zip(expected, got, strict=True)):
        yield from _walk(value, other, (*at, str(place)), rules)


def _numbers(expected: float, got: float, at: Pointer, rules: Rules) -> Iterator[Difference]:
    tolerance = _tolerance(at, rules)
    if tolerance is None and isinstance(expected, int) and isinstance(got, int):
        if expected != got:
            yield Difference(written(at), "value", _json(expected), _json(got))
    elif not is_near(expected, got, tolerance or DEFAULT):
        yield Difference(written(at), "value", _json(expected) + _shown(tolerance or DEFAULT, expected), _json(got))


def _tolerance(at: Pointer, rules: Rules) -> Tolerance | None:
    return next((tolerance for pattern, tolerance in rules.tolerances if fits(pattern, at)), rules.tolerance)


def _shown(tolerance: Tolerance, expected: float) -> str:
    if not math.isfinite(expected) or abs(expected) > 1e300:
        return ""
    return f" ± {tolerance.absolute + tolerance.relative * abs(expected):.3g}"


def _alike(expected: object, got: object) -> bool:
    """Whether scalars that are not both numbers are one value."""
    if type(expected) is type(got):
        return expected == got
    if is_number(expected) and isinstance(got, str):
        return spells(got, expected)
    return is_number(got) and isinstance(expected, str) and spells(expected, got)


def _scalars(expected: object, got: object, at: Pointer) -> Difference:
    if _KINDS[type(expected)] == _KINDS[type(got)]:
        return Difference(written(at), "value", _json(expected), _json(got))
    words = (f"{_KINDS[type(one)]}, {_json(one)}" if one is not None else "null" for one in (expected, got))
    return Difference(written(at), "type", *words)


def fits(pattern: Pointer, at: Pointer) -> bool:
    """Whether a place is one of a pattern."""
    return len(pattern) == len(at) and all(one in {ANY, other} for one, other in zip(pattern, at, strict=True))


def written(at: Pointer) -> str:
    """A place as a JSON pointer (RFC 6901, 3)."""
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in at)


def _said(answer: Answer) -> str:
    """The beginning of what a server says instead, which mostly says why."""
    try:
        words = " ".join(answers.text(answer)[: 4 * _SHOWN].split())
    except DecodeError:
        return ""
    return f": {_cut(words)}" if words else ", an empty body"


def _json(value: object) -> str:
    return _cut(json.dumps(value[:_SHOWN] if isinstance(value, str) else value, ensure_ascii=False))


def _cut(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else "�" for letter in text[: _SHOWN + 1])
    return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}…"
