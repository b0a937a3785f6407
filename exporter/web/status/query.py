"""What may be asked in the query of an address of the API: each parameter is said once, for us and for the document.

What is not known, said twice or out of its bounds is refused: an answer to another question would be believed.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from werkzeug.datastructures import MultiDict

from exporter.values import nearest

Asked = Mapping[str, Any]
"""By parameter; what may be said several times is a list."""
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", re.ASCII)
_LONGEST_NUMBER: Final = 32
_SHOWN: Final = 50


class Parameter(NamedTuple):
    """One word of a query."""

    name: str
    says: str
    schema: Mapping[str, Any]
    """JSON Schema of a value: its `type`, and `minimum`, `maximum`, `enum`."""
    most: int = 1
    """How often it may be said."""
    required: bool = False
    default: Any = None


class Refused(Exception):
    """Nothing is answered, and why; `status` is the code of HTTP."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def read(parameters: Sequence[Parameter], said: "MultiDict[str, str]") -> Asked:
    """What a query says. Refused where it cannot be meant."""
    known = {one.name for one in parameters}
    for name in said:
        if name not in known:
            words = f"there is no parameter {shown(name)}{nearest(name, known)}" if known else "no parameters are known"
            raise Refused(400, words)
    return {one.name: _value(one, said.getlist(one.name)) for one in parameters}


def shown(text: str) -> str:
    """What somebody said, as part of a message: quoted, and no longer than a line."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def named(names: Iterable[str], most: int = 20) -> str:
    """The first of them."""
    found = list(names)
    return ", ".join(found[:most]) + (", …" if len(found) > most else "") or "none"


def _value(one: Parameter, said: Sequence[str]) -> Any:  # noqa: ANN401 (of any type)
    if len(said) > one.most:
        often = "once" if one.most == 1 else f"{one.most} times at most"
        raise Refused(400, f"{one.name} may be said {often}")
    if not said and one.required:
        raise Refused(400, f"{one.name} must be said: {one.says}")
    values = [_converted(one, text) for text in said]
    if one.most > 1:
        return values
    return values[0] if values else one.default


def _converted(one: Parameter, text: str) -> Any:  # noqa: ANN401 (as above)
    if one.schema["type"] == "string":
        choices = one.schema.get("enum", (text,))
        if text not in choices:
            raise Refused(400, f"{one.name} must be {' or '.join(choices)}, not {shown(text)}")
        return text
    number = _number(text, whole=one.schema["type"] == "integer")
    least, most = one.schema["minimum"], one.schema["maximum"]
    if number is None or not least <= number <= most:
        kind = "a whole number" if one.schema["type"] == "integer" else "a number"
        raise Refused(400, f"{one.name} must be {kind} from {least} to {most}, not {shown(text)}")
    return number


def _number(text: str, *, whole: bool) -> float | None:
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    if whole:
        return int(text) if text.lstrip("-").isdigit() else None
    number = float(text)
    return number if math.isfinite(number) else None
