"""Parts of a document, each checked where it stands: what is wrong is a `Fault` that begins with its path."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

LONGEST_TEXT: Final = 1024
_COUNT_LIMIT: Final = 2**53
Parse = Callable[[object, str], Any]
"""Takes a node and its path."""


class Fault(Exception):
    """Path and words of what is wrong."""


def mapping(node: object, path: str) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(node, Mapping):
        raise Fault(f"{path}: must be a mapping")
    return node


def only(node: Mapping[str, Any], known: set[str], prefix: str) -> None:
    """A fault for the first key that nobody knows."""
    for key in node:
        if key not in known:
            raise Fault(f"{prefix}{key}: unknown key, known are {', '.join(sorted(known))}")


def items(node: object, path: str, parse_item: Parse) -> list[Any]:
    """A list, whose items are all alike."""
    if not isinstance(node, list):
        raise Fault(f"{path}: must be a list")
    return [parse_item(item, f"{path}[{index}]") for index, item in enumerate(node)]


def optional(node: object, path: str, parse: Parse) -> Any:  # noqa: ANN401 (whatever it parses)
    """None where there is nothing."""
    return None if node is None else parse(node, path)


def name(node: object, path: str) -> str:
    """Text that is not empty."""
    if not isinstance(node, str) or not node:
        raise Fault(f"{path}: must be text of 1 to {LONGEST_TEXT} characters")
    return text(node, path)


def text(node: object, path: str) -> str:
    """Text, empty or not, that UTF-8 can hold."""
    if not isinstance(node, str) or len(node) > LONGEST_TEXT:
        raise Fault(f"{path}: must be text of at most {LONGEST_TEXT} characters")
    if not is_text(node):
        raise Fault(f"{path}: holds half a surrogate pair, which is no text")
    return node


def is_text(letters: str) -> bool:
    """Whether UTF-8 can hold it: JSON may name halves of surrogate pairs alone."""
    return letters.isprintable() or not any("\ud800" <= letter <= "\udfff" for letter in letters)


def truth(node: object, path: str) -> bool:
    """True or false."""
    if node is not True and node is not False:
        raise Fault(f"{path}: must be true or false")
    return node


def count(node: object, path: str) -> int:
    """A whole number that every reader of JSON holds exactly."""
    if not isinstance(node, int) or isinstance(node, bool) or not 0 <= node < _COUNT_LIMIT:
        raise Fault(f"{path}: must be a whole number from 0")
    return node


def number(node: object, path: str) -> float:
    """A finite number."""
    if isinstance(node, int | float) and not isinstance(node, bool):
        try:
            found = float(node)
        except OverflowError:  # an integer beyond every float
            found = math.inf
        if math.isfinite(found):
            return found
    raise Fault(f"{path}: must be a finite number")


def between(low: float, high: float) -> Callable[[object, str], float]:
    """A finite number within bounds."""
    words = f"from {low:g}" + ("" if math.isinf(high) else f" to {high:g}")

    def parse(node: object, path: str) -> float:
        found = number(node, path)
        if not low <= found <= high:
            raise Fault(f"{path}: must be {words}")
        return found

    return parse


def time(node: object, path: str) -> float:
    """Unix time of a text such as 2026-01-31T12:00:00Z."""
    try:
        return moment(str(node) if isinstance(node, str) else "")
    except (ValueError, OverflowError):
        raise Fault(f"{path}: must be a time such as 2026-01-31T12:00:00Z") from None


def moment(written: str) -> float:
    """Unix time of an ISO 8601 time, UTC where it names no zone. ValueError."""
    at = datetime.fromisoformat(written)
    try:
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError):
        raise ValueError("beyond what a calendar holds") from None
    return seconds


def stamp(seconds: float) -> str:
    """The inverse of `moment`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def shown(node: object) -> str:
    """A node in a message."""
    return repr(node)[:60] if isinstance(node, str | int | float | None) else f"a {type(node).__name__}"
