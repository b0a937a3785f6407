"""What a server answers to a request, several times over, as what it must answer from now on.

What differs between the answers is no part of it: ids and clocks are ignored, numbers that tremble get a tolerance.
Each of these is told, for people to look at. What the file says already of comparing is theirs, and stays.
"""

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from exporter.errors import DataError, DecodeError
from exporter.golden import answers, comparing
from exporter.golden.cases import ANY, DEFAULT, Answer, Pointer
from exporter.golden.near import is_near, is_number
from exporter.origins import tokens

_VERSION: Final = ("model_version",)
"""Where the Open Inference Protocol has the version: an answer of another is compared all the same."""
_MOST_ODD: Final = 0.1
"""Share of the largest one by which numbers may tremble; what differs more is no number to expect."""
_ROOM: Final = 3.0
"""Times the widest difference seen: a few answers show less than many."""
_CLOCKS: Final = tuple((1.5e9 * unit, 4e9 * unit) for unit in (1.0, 1e3, 1e6, 1e9))
"""Unix times of this age, in seconds down to nanoseconds."""


class Learned(NamedTuple):
    """What a request is to be answered with."""

    expect: dict[str, Any]
    """As the file has it."""
    notes: tuple[str, ...] = ()
    """For people."""


class _Odd(NamedTuple):
    """A place where answers differ; without a tolerance it is no place to compare."""

    at: Pointer
    absolute: float | None = None


def learned(given: Sequence[Answer]) -> Learned:
    """What the answers to one request have in common. DataError where that is nothing."""
    codes = sorted({answer.status for answer in given})
    if len(codes) > 1:
        raise DataError(f"is answered now with {codes[0]}, now with {codes[-1]}")
    status = {} if codes[0] == 200 else {"status": codes[0]}
    notes = (f"is answered with {codes[0]}",) if not 200 <= codes[0] < 300 else ()
    try:
        documents = [answers.document(answer) for answer in given]
    except DecodeError:
        return _unread(given, status, notes)
    odd = list(_together(list(_odd(documents, ())), documents[0]))
    if any(not one.at for one in odd):
        raise DataError("is answered with another kind of JSON each time")
    if not answers.is_writable(documents[0]):
        raise DataError("is answered with half a surrogate pair, which no file can hold")
    found: dict[str, Any] = status | {"body": documents[0]} | _rules(odd, documents[0])
    return Learned(found, (*notes, *map(_note, odd)))


def _unread(given: Sequence[Answer], status: dict[str, Any], notes: tuple[str, ...]) -> Learned:
    """Of bodies that are no JSON. DataError where they differ, as nobody can say in what."""
    contents = {answers.plain(answer) for answer in given}
    if len(contents) > 1:
        raise DataError("is answered with another body each time, which is not JSON")
    content = contents.pop()
    if not content:
        return Learned(status | {"status": given[0].status}, (*notes, "is answered with an empty body"))
    try:
        return Learned(status | {"text": content.decode()}, (*notes, "is answered with text, which must be the same"))
    except UnicodeDecodeError:
        said = "is answered with bytes, which must be the same"
        return Learned(status | {"base64": base64.b64encode(content).decode()}, (*notes, said))


def _odd(values: Sequence[Any], at: Pointer) -> Iterator[_Odd]:
    """The places in which values differ."""
    first = values[0]
    if all(isinstance(value, dict) for value in values):
        for key in dict.fromkeys(key for value in values for key in value):
            if all(key in value for value in values):
                yield from _odd([value[key] for value in values], (*at, key))
            else:
                yield _Odd((*at, key))
    elif all(isinstance(value, list) and len(value) == len(first) for value in values):
        for place in range(len(first)):
            yield from _odd([value[place] for value in values], (*at, str(place)))
    elif all(map(is_number, values)):
        yield from _odd_numbers(values, at)
    elif any(type(value) is not type(first) or value != first for value in values):
        yield _Odd(at)


def _odd_numbers(values: Sequence[float], at: Pointer) -> Iterator[_Odd]:
    is_still = all(is_near(values[0], value, DEFAULT) for value in values)
    if _whole_and_several(values) or _is_clock(values) or not (is_still or _trembles(values)):
        yield _Odd(at)
    elif not is_still:
        yield _Odd(at, float(f"{_ROOM * (max(values) - min(values)):.1g}"))


def _trembles(values: Sequence[float]) -> bool:
    """Whether it is one number all the same."""
    try:
        spread = float(max(values)) - float(min(values))
        return math.isfinite(spread) and spread <= _MOST_ODD * max(map(abs, values))
    except OverflowError:  # a whole number beyond all floats
        return False


def _whole_and_several(values: Sequence[float]) -> bool:
    """Counters, ids and clocks: no tolerance helps there."""
    return len(set(values)) > 1 and all(isinstance(value, int) for value in values)


def _is_clock(values: Sequence[float]) -> bool:
    """Whether they grow from answer to answer and look like times."""
    grows = all(one < other for one, other in pairwise(values))
    return len(values) > 1 and grows and any(low < values[0] < high for low, high in _CLOCKS)


def _together(odd: Sequence[_Odd], document: object) -> Iterator[_Odd]:
    """The same with a pattern in place of several positions of lists."""
    groups: dict[Pointer, list[_Odd]] = {}
    for one in odd:
        groups.setdefault(_pattern(one.at, document), []).append(one)
    for group in groups.values():
        widths = [one.absolute for one in group]
        absolute = None if None in widths else max(width for width in widths if width is not None)
        tokens_of = zip(*(one.at for one in group), strict=True)
        yield _Odd(tuple(found[0] if len(set(found)) == 1 else ANY for found in tokens_of), absolute)


def _pattern(at: Pointer, document: object) -> Pointer:
    found = []
    for depth, token in enumerate(at):
        found.append(ANY if isinstance(answers.find(document, at[:depth]), list) else token)
    return tuple(found)


def _rules(odd: Sequence[_Odd], document: object) -> dict[str, Any]:
    ignore = [comparing.written(one.at) for one in odd if one.absolute is None]
    if isinstance(document, dict) and "outputs" in document and _VERSION[0] in document:
        ignore = list(dict.fromkeys((*ignore, comparing.written(_VERSION))))
    wide = {comparing.written(one.at): {"absolute": one.absolute} for one in odd if one.absolute is not None}
    return ({"ignore": ignore} if ignore else {}) | ({"tolerances": wide} if wide else {})


def _note(one: _Odd) -> str:
    where = comparing.written(one.at)
    if one.absolute is None:
        return f"{where} differs from answer to answer: it is ignored"
    return f"{where} trembles: it may be {one.absolute:g} away"


# --- into a file that is there


def updated(before: Mapping[str, Any], found: Learned) -> dict[str, Any]:
    """An expectation of the file with what is answered now; what it says of comparing stays. DataError."""
    expect, kept = dict(found.expect), dict(before)
    if "values" in kept:
        expect = _at_the_same_places(kept["values"], expect)
    for key in ("status", "body", "text", "base64", "values"):
        kept.pop(key, None)
    new = {key: value for key, value in expect.items() if key not in {"ignore", "tolerances"}}
    ignore = list(dict.fromkeys((*kept.pop("ignore", ()), *expect.get("ignore", ()))))
    tolerances = {**expect.get("tolerances", {}), **kept.pop("tolerances", {})}
    return new | kept | ({"ignore": ignore} if ignore else {}) | ({"tolerances": tolerances} if tolerances else {})


def _at_the_same_places(values: Mapping[str, Any], expect: dict[str, Any]) -> dict[str, Any]:
    found = {pointer: answers.find(expect.get("body"), tokens(pointer)) for pointer in values}
    for pointer, value in found.items():
        if value is answers.ABSENT:
            raise DataError(f"is answered with nothing at {pointer}")
    return {key: value for key, value in expect.items() if key != "body"} | {"values": found}
