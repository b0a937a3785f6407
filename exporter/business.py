"""Business values, as the operator says where they are: what predictions were about, cost or earned.

`values:` is a list of at most eight of

    {name: revenue, pointer: {side: response, pointer: /offer/price}}   a number in a body, or a list of one a row
    {name: amount, feature: amount}                                      a feature, or another field of the rows
    {name: score, output: score}                                         an output
    {name: profit, feedback: true}                                       what truths say as their `value`

The standard library only: every process reads settings.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from exporter.values import Fault, json_pointer, nearest

MOST: Final = 8
_NAME: Final = re.compile(r"[a-z_]{1,32}", re.ASCII)
_KEYS: Final = frozenset(("name", "pointer", "feature", "output", "feedback"))
_SOURCES: Final = ("pointer", "feature", "output", "feedback")
_SIDES: Final = ("request", "response")
_LONGEST: Final = 128
_SHOWN: Final = 60


class BusinessValue(NamedTuple):
    """One of them; of what is behind the name one thing is said."""

    name: str
    side: str = ""
    """`request` or `response`: whose body the pointer leads into."""
    pointer: str = ""
    """A JSON pointer (RFC 6901)."""
    feature: str = ""
    output: str = ""
    feedback: bool = False


def business_values(value: object) -> tuple[BusinessValue, ...]:
    """From a list or its JSON text. ValueError, naming the path, of what is wrong."""
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list of mappings, not {_shown(value)}")  # noqa: TRY004 (settings raise one error)
    if len(value) > MOST:
        raise ValueError(f"must not be more than {MOST}")
    found = tuple(_value(item, f"[{place}]") for place, item in enumerate(value))
    if len({one.name for one in found}) < len(found):
        raise ValueError("two of them have one name")
    if sum(one.feedback for one in found) > 1:
        raise ValueError("two of them are of feedback: a truth says one value")
    return found


def _parsed(text: str) -> object:
    try:
        return json.loads(text) if text.strip() else []
    except (ValueError, RecursionError):
        words = f'must be JSON such as [{{"name": "amount", "feature": "amount"}}], not {_shown(text)}'
        raise ValueError(words) from None


def _value(item: object, path: str) -> BusinessValue:
    if isinstance(item, list | tuple) and len(item) == len(BusinessValue._fields):  # as it travels to child processes
        name, side, pointer, feature, output, feedback = item
        said = {"pointer": {"side": side, "pointer": pointer} if pointer else "", "feature": feature,
                "output": output, "feedback": feedback}  # fmt: skip
        item = {"name": name, **{key: one for key, one in said.items() if one}}
    if not isinstance(item, Mapping):
        raise Fault(path, f"must be a mapping such as {{name: amount, feature: amount}}, not {_shown(item)}")
    for key in item:
        if key not in _KEYS:
            raise Fault(f"{path}.{key}", f"unknown key{nearest(str(key), {*_KEYS})}")
    name = item.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Fault(f"{path}.name", f"must be 1 to 32 of a to z and _, not {_shown(name)}")
    sources = [key for key in _SOURCES if key in item]
    if len(sources) != 1:
        words = f", not {' and '.join(sources)}" if sources else ""
        raise Fault(path, f"must say one of {', '.join(_SOURCES)}{words}")
    return _of(name, sources[0], item[sources[0]], path)


def _of(name: str, source: str, value: Any, path: str) -> BusinessValue:  # noqa: ANN401 (YAML)
    path = f"{path}.{source}"
    if source == "pointer":
        return _of_pointer(name, value, path)
    if source == "feedback":
        if value is not True:
            raise Fault(path, f"must be true, not {_shown(value)}")
        return BusinessValue(name, feedback=True)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise Fault(path, f"must be the name of a column, not {_shown(value)}")
    return BusinessValue(name, feature=value) if source == "feature" else BusinessValue(name, output=value)


def _of_pointer(name: str, value: object, path: str) -> BusinessValue:
    if not isinstance(value, Mapping) or {*value} != {"side", "pointer"}:
        raise Fault(path, f"must be such as {{side: response, pointer: /offer/price}}, not {_shown(value)}")
    if value["side"] not in _SIDES:
        raise Fault(f"{path}.side", f"must be one of {', '.join(_SIDES)}, not {_shown(value['side'])}")
    try:
        return BusinessValue(name, value["side"], json_pointer(value["pointer"]))
    except ValueError as error:
        raise Fault(f"{path}.pointer", str(error)) from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
