"""Text or a YAML scalar in, a checked value out, ValueError in words otherwise. What a setting may be.

The standard library only: every process reads settings.
"""

import difflib
import math
import re
from collections.abc import Callable

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)")
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB|)")
_SIZE_UNITS = {"B": 1, "": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_LONGEST_S = 10 * 366 * 86400.0
_LARGEST_B = 1 << 40
_LABEL_LENGTH = 128


class Fault(ValueError):
    """What is wrong with a part of a value, and the path to that part."""

    def __init__(self, path: str, words: str) -> None:
        super().__init__(words)
        self.path = path


def duration(value: object) -> float:
    """Seconds from `90`, `"250ms"`, `"5m"`, `"1.5h"`; more than zero."""
    seconds = _seconds(value)
    if not 0 < seconds <= _LONGEST_S:
        raise ValueError(f"must be a duration above zero such as 250ms, 30s, 5m or 1h, not {value!r}")
    return seconds


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) <= _LONGEST_S else -1.0
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return float(match[1]) * _DURATION_UNITS[match[2]] if match else -1.0


def pause(value: object) -> float:
    """As `duration`, but zero is allowed."""
    return 0.0 if _seconds(value) == 0 else duration(value)


def durations(value: object) -> tuple[float, ...]:
    """Distinct durations, shortest first, from a list, `"5m,1h"` or `"[5m, 1h]"`."""
    items = _items(value)
    if not isinstance(items, list | tuple) or not items:
        raise ValueError(f"must be a list of durations such as [5m, 1h], not {value!r}")
    return tuple(sorted({duration(item.strip() if isinstance(item, str) else item) for item in items}))


def _items(value: object) -> object:
    """A list as it is; text as flags and the environment have it is split."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    return (text[1:-1] if text.startswith("[") and text.endswith("]") else text).split(",")


def size(minimum: int) -> Callable[[object], int]:
    """Bytes from `65536`, `"64KiB"`, `"1MiB"`, not less than `minimum`."""

    def parse(value: object) -> int:
        match = _SIZE.fullmatch(str(value))
        count = int(match[1]) * _SIZE_UNITS[match[2]] if match else -1
        if not minimum <= count <= _LARGEST_B:
            raise ValueError(f"must be a size of at least {minimum} bytes such as 64KiB or 1MiB, not {value!r}")
        return count

    return parse


def integer(low: int, high: int) -> Callable[[object], int]:
    """A whole number between `low` and `high`, both included."""

    def parse(value: object) -> int:
        text = str(value)
        if not re.fullmatch(r"-?\d{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {value!r}")
        return int(text)

    return parse


def integers(low: int, high: int) -> Callable[[object], tuple[int, ...]]:
    """Distinct whole numbers, smallest first, from a list, `"200,1000"` or `"[200, 1000]"`."""
    parse = integer(low, high)

    def parse_all(value: object) -> tuple[int, ...]:
        items = _items(value)
        if not isinstance(items, list | tuple):
            raise ValueError(f"must be a list of whole numbers such as [200, 1000], not {value!r}")  # noqa: TRY004
        found = (item.strip() if isinstance(item, str) else item for item in items)
        return tuple(sorted({parse(item) for item in found if item != ""}))

    return parse_all


def number(low: float, high: float) -> Callable[[object], float]:
    """A number between `low` and `high`, both included."""

    def parse(value: object) -> float:
        try:
            found = math.nan if isinstance(value, bool) else float(str(value))
        except ValueError:
            found = math.nan
        if not low <= found <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}, not {value!r}")
        return found

    return parse


def boolean(value: object) -> bool:
    """`true` or `false`."""
    found = {"true": True, "false": False}.get(str(value).lower()) if isinstance(value, bool | str) else None
    if found is None:
        raise ValueError(f"must be true or false, not {value!r}")
    return found


def label_value(value: object) -> str:
    """A label value: text of 1 to 128 characters."""
    text = str(value) if isinstance(value, str) or type(value) is int else ""
    if not text and value != "":  # 1.10 in YAML is the number 1.1
        raise ValueError(f"must be text, write it in quotes: {value!r}")
    if not 0 < len(text) <= _LABEL_LENGTH:
        raise ValueError(f"must be 1 to {_LABEL_LENGTH} characters long")
    return text


def path(value: object) -> str:
    """A file's path, not empty."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"must be a path, not {value!r}")
    return value


def url_paths(value: object) -> tuple[str, ...]:
    """URL paths, from a list or separated by commas."""
    items = _items(value)
    if not isinstance(items, list | tuple) or any(not str(item).strip().startswith("/") for item in items):
        raise ValueError(f"must be a list of paths such as [/health, /ready], not {value!r}")
    return tuple(str(item).strip() for item in items)


def json_pointer(value: object) -> str:
    """A JSON pointer (RFC 6901) to a part of a document."""
    if not isinstance(value, str) or not re.fullmatch(r"(/([^~/]|~[01])*)+", value):
        raise ValueError(f"must be a JSON pointer such as /meta/id, not {value!r}")
    return value


def header_name(value: object) -> str:
    """A header's name, in lower case."""
    if not isinstance(value, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", value):
        raise ValueError(f"must be the name of a header such as X-Transaction-Id, not {value!r}")
    return value.lower()


def names(value: object) -> tuple[str, ...]:
    """Names, from a list or separated by commas."""
    items = _items(value)
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise ValueError(f"must be a list of names such as [customer, day], not {value!r}")
    return tuple(item.strip() for item in items if item.strip())


def spoken(value: object) -> tuple[tuple[str, str], ...]:
    """Patterns of paths with the protocol's name, from `NAME`, `PATTERN=NAME` or a list of them."""
    items = _items(value)
    if isinstance(items, list | tuple):
        return tuple(_spoken(item) for item in items if item != "")
    raise ValueError(f"must be a list of PATTERN=NAME, not {value!r}")


def _spoken(item: object) -> tuple[str, str]:
    if isinstance(item, list | tuple) and len(item) == 2:  # as it travels to child processes
        item = f"{item[0]}={item[1]}"
    match = re.fullmatch(r"(?:([/*].*)=)?(\w+)", item.strip()) if isinstance(item, str) else None
    if not match:
        raise ValueError(f"must be NAME or PATTERN=NAME such as /invocations=sagemaker, not {item!r}")
    return match[1] or "*", match[2]


def http_methods(value: object) -> tuple[str, ...]:
    """HTTP methods in capitals, from a list or separated by commas."""
    items = _items(value)
    if not isinstance(items, list | tuple) or not all(re.fullmatch(r"\s*[A-Z][A-Z-]*\s*", str(item)) for item in items):
        raise ValueError(f"must be a list of methods such as [POST, PUT], not {value!r}")
    return tuple(str(item).strip() for item in items)


def switch(value: object) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool) and value != "true" and value != "false":  # noqa: PLR1714 (a list has no hash)
        raise ValueError(f"must be true or false, not {value!r}")
    return value is True or value == "true"


def one_of(*choices: str) -> Callable[[object], str]:
    """One of the words given."""

    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {value!r}")
        return str(value)

    return parse


def some_of(*choices: str) -> Callable[[object], tuple[str, ...]]:
    """Any of the words given, from a list or separated by commas, in the order given."""

    def parse(value: object) -> tuple[str, ...]:
        asked = names(value)
        for word in asked:
            if word not in choices:
                raise ValueError(f"must be any of {', '.join(choices)}, not {word!r}{nearest(word, {*choices})}")
        return tuple(word for word in choices if word in asked)

    return parse


def off_or(*choices: str) -> Callable[[object], str]:
    """One of the words given, or `off`, which YAML takes for false."""
    parse = one_of("off", *choices)
    return lambda value: "off" if value is False else parse(value)


def format_duration(seconds: float) -> str:
    """The shortest way to write a duration, and the value of the label `window`: `300.0` → `5m`.

    Rules put it into range selectors, and PromQL knows no fractions: 1.5 seconds are `1500ms`.
    """
    for unit, width in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        # 24h is what people say; days start at two.
        if seconds >= width * (2 if unit == "d" else 1) and seconds % width == 0:
            return f"{int(seconds // width)}{unit}"
    return f"{seconds * 1000:.12g}ms"


def nearest(word: str, known: set[str]) -> str:
    """Words for an error message: the known name that was probably meant."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f", did you mean {close[0]}?" if close else ""
