"""Parts of the file of golden requests, read strictly: mappings, values and bodies. Each fault has its path."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from exporter.golden.cases import MOST_BODY
from exporter.values import Fault, nearest

BODIES: Final = ("body", "text", "base64")
"""The ways to write a body: as a JSON value, as text, as bytes."""
_DEEPEST: Final = 64
_MOST_VALUES: Final = 200_000
"""Of one body: aliases of YAML may stand for more than any file holds."""


def mapping(value: object, place: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    """A mapping that has no other keys. Fault."""
    if not isinstance(value, dict):
        raise Fault(place, f"must be a mapping with {', '.join(known)}")
    for key in value:
        if key not in known:
            raise Fault(key if place == "document" else f"{place}.{key}", f"unknown key{nearest(str(key), set(known))}")
    return value


def read(given: Mapping[str, Any], key: str, place: str, parse: Any, default: Any) -> Any:  # noqa: ANN401 (what the parser gives)
    """What stands under a key, parsed. Fault."""
    return checked(parse, given[key], f"{place}.{key}") if key in given else default


def checked(parse: Any, value: object, place: str) -> Any:  # noqa: ANN401 (what the parser gives)
    """What a parser of settings makes of a value. Fault."""
    try:
        return parse(value)
    except ValueError as error:
        raise Fault(place, str(error)) from None


def body(value: object, kind: str, place: str) -> bytes:
    """The bytes that a body of a kind stands for. Fault."""
    if kind == "body":
        _judge(value, place)
        content = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    elif not isinstance(value, str):
        raise Fault(place, "must be text")
    else:
        content = value.encode("utf-8", "surrogatepass") if kind == "text" else _bytes(value, place)
    if len(content) > MOST_BODY:
        raise Fault(place, f"is longer than {MOST_BODY} bytes")
    return content


def _bytes(value: str, place: str) -> bytes:
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Fault(place, "must be base64 (RFC 4648, 4)") from None


def _judge(value: object, place: str) -> None:
    """Fault where a value is not one of JSON."""
    waiting, seen = [(value, 0)], 0
    while waiting:
        one, depth = waiting.pop()
        seen += 1
        if depth > _DEEPEST or seen > _MOST_VALUES:
            raise Fault(place, f"has more than {_DEEPEST} levels or {_MOST_VALUES} values")
        if isinstance(one, dict):
            if not all(isinstance(key, str) for key in one):
                raise Fault(place, "must have texts as keys: write numbers in quotes")
            waiting += [(inner, depth + 1) for inner in one.values()]
        elif isinstance(one, list):
            waiting += [(inner, depth + 1) for inner in one]
        elif one is not None and not isinstance(one, str | int | float):
            raise Fault(place, f"must be of JSON, not a {type(one).__name__}")
