"""What may stand in the file of `--web.config.file`, part by part: YAML in, a checked value out, ValueError otherwise.

A part of a mapping that is wrong is a Fault, which has the path to it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from exporter.values import Fault, nearest

_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_S: Final = 86400.0
_UNUSABLE: Final = re.compile("[\0\ud800-\udfff]")
"""What YAML can say, and neither a path nor a file can hold."""
Parsers = Mapping[str, Callable[[Any], Any]]


def mapping(value: object, path: str, known: Parsers) -> dict[str, Any]:
    """What is said under known keys: what is empty is not said. Fault."""
    if value is None or value == "":
        return {}
    if not isinstance(value, Mapping):
        raise Fault(path or "document", "must be a mapping")
    found = {}
    for word, part in value.items():
        at = f"{path}.{word}" if path else str(word)
        if word not in known:
            raise Fault(at, f"unknown key{nearest(str(word), set(known))}")
        if part is not None and part != "":
            found[word] = _at(at, known[word], part)
    return found


def _at(path: str, parse_part: Callable[[Any], Any], value: object) -> Any:  # noqa: ANN401 (what it parses to)
    try:
        return parse_part(value)
    except Fault:
        raise
    except ValueError as error:
        raise Fault(path, str(error)) from None


def go_duration(value: object) -> float:
    """Seconds, as Go writes them: `100ms`, `1m30s`."""
    said = "0s" if value in (0, "0") and not isinstance(value, bool) else value
    parts = _PART.findall(said) if isinstance(said, str) and _DURATION.fullmatch(said) else None
    seconds = sum(float(count) * _UNITS[unit] for count, unit in parts) if parts else -1.0
    if not 0 <= seconds <= _LONGEST_S:
        raise ValueError(f"must be a duration such as 100ms or 1s, a day at most, not {value!r}")
    return seconds


def text(value: object) -> str:
    """Text, which an error does not repeat: it may be a key."""
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {type(value).__name__}")  # noqa: TRY004 (settings raise one error)
    if _UNUSABLE.search(value):
        raise ValueError("must be text without NUL and halves of characters")
    return value


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, one at least."""
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise ValueError("must be a list of texts")
    return tuple(value)


def one_of(choices: tuple[str, ...]) -> Callable[[Any], str]:
    """One of the words given."""

    def parse_one(value: object) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {value!r}")
        return str(value)

    return parse_one


def each_of(choices: Mapping[str, str]) -> Callable[[Any], tuple[str, ...]]:
    """A list of any of the words given."""

    def parse_all(value: object) -> tuple[str, ...]:
        for item in texts(value):
            if item not in choices:
                raise ValueError(f"must be any of {', '.join(choices)}, not {item!r}{nearest(item, set(choices))}")
        return texts(value)

    return parse_all
