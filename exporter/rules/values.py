"""Thresholds: numbers and durations that stand in one file, and what people set in their place."""

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import yaml

from exporter.errors import ConfigError
from exporter.profile import strict_yaml

Value = int | float | str
"""A number, a duration in Prometheus' notation, or a text."""
_UNITS_S: Final = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_DURATION: Final = re.compile("".join(f"(?:([0-9]+){unit})?" for unit in _UNITS_S))
"""Each unit once at most and the longest first, as Prometheus has it."""
_LONGEST_S: Final = 100 * _UNITS_S["y"]
"""Prometheus refuses to load what is beyond 292 years."""
_LARGEST: Final = 1e15
"""Far beyond what anything is counted to, and still a number to whoever reckons with it."""
_COUNTED: Final = ("_seconds", "_fields", "_nats")
"""How names end of numbers that are no shares, though their defaults are below 1."""
_URL: Final = re.compile(r"https?://[^/]")
_GRAFANA: Final = "urls.grafana"
"""Links go on behind it with a path and a query, those to runbooks with no more than an anchor."""
_REGEX: Final = re.compile(r"\|")
"""What a default has that is a regular expression."""
_PYTHONS_OWN: Final = re.compile(r"\(\?|[*+?]\+")
"""Parts of a regular expression that Python knows and Prometheus, or one of the two, does not."""
_UNSAFE: Final = re.compile(r"[\s\"'\\{}<>,`\[\]]|^\W|:$")
"""What no text may have that is written into YAML, PromQL and templates."""


def flat(document: object, where: str) -> dict[str, Value]:
    """`section.name` → value, of a mapping of mappings. ConfigError with the path to what is none."""
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise ConfigError(f"{where}: a mapping of sections is needed")
    found: dict[str, Value] = {}
    for section, named in document.items():
        if not isinstance(named, Mapping):
            raise ConfigError(f"{where}: {section}: a mapping of names is needed")
        for name, value in named.items():
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise ConfigError(f"{where}: {section}.{name}: a number, a duration or a text is needed")
            found[f"{section}.{name}"] = value
    return found


def of_words(words: Iterable[str], defaults: Mapping[str, Value]) -> dict[str, Value]:
    """What `--set SECTION.NAME=VALUE` says; ConfigError where it is not so. A text stays one, be it of digits."""
    found: dict[str, Value] = {}
    for word in words:
        name, equals, text = (part.strip() for part in word.partition("="))
        if not (name and equals):
            raise ConfigError(f"--set {word}: SECTION.NAME=VALUE is needed")
        found[name] = text if isinstance(defaults.get(name), str) else _number(text)
    return found


def of_file(path: str) -> dict[str, Value]:
    """What a file says. ConfigError names it."""
    try:
        return flat(strict_yaml.load(Path(path).read_text(encoding="utf-8")), path)
    except OSError as error:
        raise ConfigError(f"--values: cannot read {path}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None


def tuned(defaults: Mapping[str, Value], given: Mapping[str, Value], where: str) -> dict[str, Value]:
    """The defaults with what is given in their place; ConfigError where one is unknown or of another kind."""
    for name, value in given.items():
        if name not in defaults:
            near = difflib.get_close_matches(name, defaults, 1)
            raise ConfigError(f"{where}: {name} is no threshold" + (f"; {near[0]}?" if near else ""))
        if fault := _fault(name, defaults[name], value):
            raise ConfigError(f"{where}: {name}: {fault}, not {value!r} (default {defaults[name]!r})")
    return {**defaults, **given}


def _fault(name: str, default: Value, value: Value) -> str | None:
    """What is wrong with a value, by the kind of its default."""
    if isinstance(default, str):
        return _text_fault(default, value) or (_base_fault(str(value)) if name == _GRAFANA else None)
    if isinstance(value, str) or not 0 <= value < _LARGEST:
        return "a number from 0 on is needed"
    if isinstance(default, int) and value != int(value):
        return "a whole number is needed"
    if isinstance(default, float) and default < 1 < value and not name.endswith(_COUNTED):
        return "a share from 0 to 1 is needed"
    return None


def _text_fault(default: str, value: Value) -> str | None:
    """A list is asked for its parts, each of which is of one kind."""
    text = value if isinstance(value, str) else ""
    kind, comma, _ = default.partition(",")
    if comma:
        return next(filter(None, (_text_fault(kind, part) for part in text.split(","))), None)
    if _DURATION.fullmatch(default):
        return None if 0 < _length_s(text) <= _LONGEST_S else "a duration such as 10m or 1h30m is needed"
    if _URL.match(default) and not _URL.match(text):
        return "an address that begins with http:// or https:// is needed"
    if _URL.match(default) and "#" in text:
        return "an address without # is needed"
    if not _is_plain(text):
        return "a text without blanks, quotes, commas and brackets is needed"
    return None if not _REGEX.search(default) or _is_regex(text) else "a regular expression is needed"


def _base_fault(text: str) -> str | None:
    return "an address without ? and without / at its end is needed" if "?" in text or text.endswith("/") else None


def _length_s(text: str) -> float:
    """How long a duration is; 0 where it is none."""
    found = _DURATION.fullmatch(text)
    counts = found.groups("0") if found else ()
    return sum(float(count) * unit_s for count, unit_s in zip(counts, _UNITS_S.values(), strict=False))


def _is_regex(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return not _PYTHONS_OWN.search(text)


def _is_plain(text: str) -> bool:
    """Whether it is itself wherever it is written; YAML has words that are no text, such as null."""
    return bool(text) and not _UNSAFE.search(text) and strict_yaml.load(text) == text


def _number(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
