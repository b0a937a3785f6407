"""Text or a YAML scalar in, a checked value out, ValueError in words otherwise. What a setting may be.

The standard library only: every process reads settings.
"""

import re
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)")
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB|)")
_SIZE_UNITS = {"B": 1, "": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_LABEL_LENGTH = 128


def duration(value: object) -> float:
    """Seconds from `90`, `"250ms"`, `"5m"`, `"1.5h"`; more than zero."""
    match = _DURATION.fullmatch(str(value))
    seconds = float(match[1]) * _DURATION_UNITS[match[2]] if match else 0.0
    if seconds <= 0:
        raise ValueError(f"must be a duration above zero such as 250ms, 30s, 5m or 1h, not {value!r}")
    return seconds


def pause(value: object) -> float:
    """As `duration`, but zero is allowed."""
    return 0.0 if str(value) in {"0", "0s", "0.0"} else duration(value)


def durations(value: object) -> tuple[float, ...]:
    """Distinct durations, shortest first, from a list or `"5m,1h"`."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not items:
        raise ValueError(f"must be a list of durations such as [5m, 1h], not {value!r}")
    return tuple(sorted({duration(item.strip() if isinstance(item, str) else item) for item in items}))


def size(minimum: int) -> Callable[[object], int]:
    """Bytes from `65536`, `"64KiB"`, `"1MiB"`, not less than `minimum`."""

    def parse(value: object) -> int:
        match = _SIZE.fullmatch(str(value))
        count = int(match[1]) * _SIZE_UNITS[match[2]] if match else -1
        if count < minimum:
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


def address(value: object) -> str:
    """`HOST:PORT`, `:PORT` or `[IPv6]:PORT`, given back as written."""
    split_address(str(value))
    return str(value)


def split_address(text: str) -> tuple[str, int]:
    """The host (without brackets, `0.0.0.0` where left out) and port of `HOST:PORT`."""
    host, colon, port = text.rpartition(":")
    if not colon or not re.fullmatch(r"\d{1,5}", port) or int(port) > 65535 or (":" in host and host[0] != "["):
        raise ValueError(f"must be HOST:PORT such as 127.0.0.1:8080, not {text!r}")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 (a sidecar is reached from outside its pod)


def upstream_url(value: object) -> str:
    """`http://HOST[:PORT]` of the model server; a path would be ignored by a relay, so it is refused."""
    text = str(value)
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme != "http" or not parts.hostname or port in {-1, 0} or parts.username is not None:
        raise ValueError(f"must be http://HOST:PORT such as http://127.0.0.1:8000, not {text!r}")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(f"must not have a path, bytes are relayed unchanged: {text!r}")
    return text


def split_upstream(url: str) -> tuple[str, int]:
    """The host and port of a checked upstream URL."""
    parts = urlsplit(url)
    return cast("str", parts.hostname), parts.port or 80


def label_value(value: object) -> str:
    """A label value: text of 1 to 128 characters."""
    text = str(value)
    if not 0 < len(text) <= _LABEL_LENGTH:
        raise ValueError(f"must be 1 to {_LABEL_LENGTH} characters long")
    return text


def path(value: object) -> str:
    """A file's path, not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be a path, not {value!r}")
    return value


def paths(value: object) -> tuple[str, ...]:
    """URL paths, from a list or separated by commas."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or any(not str(item).strip().startswith("/") for item in items):
        raise ValueError(f"must be a list of paths such as [/health, /ready], not {value!r}")
    return tuple(str(item).strip() for item in items)


def one_of(*choices: str) -> Callable[[object], str]:
    """One of the words given."""

    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {value!r}")
        return str(value)

    return parse


def format_duration(seconds: float) -> str:
    """The shortest way to write a duration, and the value of the label `window`: `300.0` → `5m`."""
    for unit, width in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        # 24h is what people say; days start at two.
        if seconds >= width * (2 if unit == "d" else 1) and seconds % width == 0:
            return f"{int(seconds // width)}{unit}"
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"
