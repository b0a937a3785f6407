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
from exporter.golden import answers, patterns
from exporter.golden.cases import DEFAULT, Answer, Case, Difference, Expected, Pointer, Rules, Tolerance, Verdict
from exporter.golden.near import is_near, is_number, spells
from exporter.golden.patterns import Nodes

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
        whose = f"version {_json(version)}" if version else "an answer that says no version"
        return Verdict("version", f"nothing is expected of {whose}")
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
        yield from _Walk(rules).differences(value, found, pointer, patterns.along(patterns.root(rules), pointer))


class _Walk:
    """Through what is expected and what has come, side by side, and what the file says of each place."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def differences(self, expected: Any, got: Any, at: Pointer, said: Nodes) -> Iterator[Difference]:  # noqa: ANN401 (JSON)
        """In order."""
        if said and patterns.is_ignored(said):
            return
        if isinstance(expected, dict) and isinstance(got, dict):
            yield from self._objects(expected, got, at, said)
        elif isinstance(expected, list) and isinstance(got, list):
            yield from self._lists(expected, got, at, said)
        elif is_number(expected) and is_number(got):
            yield from self._numbers(expected, got, at, said)
        elif not _alike(expected, got):
            yield _scalars(expected, got, at)

    def _objects(
        self, expected: dict[str, Any], got: dict[str, Any], at: Pointer, said: Nodes
    ) -> Iterator[Difference]:  # fmt: skip
        for key, value in expected.items():
            within = patterns.below(said, key)
            if key in got:
                yield from self.differences(value, got[key], (*at, key), within)
            elif not patterns.is_ignored(within):
                yield Difference(written((*at, key)), "missing", _json(value), "")
        if not self._rules.extra:
            for key in got.keys() - expected.keys():
                if not patterns.is_ignored(patterns.below(said, key)):
                    yield Difference(written((*at, key)), "extra", "", _json(got[key]))

    def _lists(self, expected: list[Any], got: list[Any], at: Pointer, said: Nodes) -> Iterator[Difference]:
        if len(expected) != len(got):
            reason = "missing" if len(got) < len(expected) else "extra"
            yield Difference(written(at), reason, f"a list of {len(expected)}", f"one of {len(got)}")
            return
        for place, (value, other) in enumerate(zip(expected, got, strict=True)):
            yield from self.differences(value, other, (*at, str(place)), patterns.below(said, str(place)))

    def _numbers(self, expected: float, got: float, at: Pointer, said: Nodes) -> Iterator[Difference]:
        tolerance = patterns.tolerance(said) or self._rules.tolerance
        if tolerance is None and isinstance(expected, int) and isinstance(got, int):
            if expected != got:
                yield Difference(written(at), "value", _json(expected), _json(got))
        elif not is_near(expected, got, tolerance or DEFAULT):
            yield Difference(written(at), "value", _json(expected) + _shown(tolerance or DEFAULT, expected), _json(got))


def _shown(tolerance: Tolerance, expected: float) -> str:
    try:
        away = tolerance.absolute + tolerance.relative * abs(expected)
    except OverflowError:  # a whole number beyond all floats
        return ""
    return f" ± {away:.3g}" if math.isfinite(away) else ""


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
