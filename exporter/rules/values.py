"""Thresholds: numbers and durations that stand in one file, and what people set in their place."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from exporter.errors import ConfigError
from exporter.profile import strict_yaml

Value = int | float | str
"""A number, a duration in Prometheus' notation, or a text."""
_DURATION: Final = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+")
_UNSAFE: Final = re.compile(r"[\s\"'\\{}<>]")
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


def of_words(words: Iterable[str]) -> dict[str, Value]:
    """What `--set SECTION.NAME=VALUE` says; ConfigError where that is not its form."""
    found: dict[str, Value] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ConfigError(f"--set {word}: SECTION.NAME=VALUE is needed")
        found[name.strip()] = _number(text.strip())
    return found


def of_file(path: str) -> dict[str, Value]:
    """What a file says. ConfigError names it."""
    return flat(strict_yaml.of_file(path), path)


def tuned(defaults: Mapping[str, Value], given: Mapping[str, Value], where: str) -> dict[str, Value]:
    """The defaults with what is given in their place; ConfigError where one is unknown or of another kind."""
    for name, value in given.items():
        if name not in defaults:
            near = difflib.get_close_matches(name, defaults, 1)
            raise ConfigError(f"{where}: {name} is no threshold" + (f"; {near[0]}?" if near else ""))
        if fault := _fault(defaults[name], value):
            raise ConfigError(f"{where}: {name}: {fault}, not {value!r} (default {defaults[name]!r})")
    return {**defaults, **given}


def _fault(default: Value, value: Value) -> str | None:
    """What is wrong with a value, by the kind of its default."""
    if isinstance(default, str):
        return _text_fault(_DURATION.fullmatch(default) is not None, value)
    if isinstance(value, str) or not 0 <= value < float("inf"):
        return "a number from 0 on is needed"
    if isinstance(default, int) and value != int(value):
        return "a whole number is needed"
    if isinstance(default, float) and default < 1 < value:
        return "a share from 0 to 1 is needed"
    return None


def _text_fault(is_duration: bool, value: Value) -> str | None:
    text = value if isinstance(value, str) else ""
    if is_duration:
        is_fine = _DURATION.fullmatch(text) is not None and re.search("[1-9]", text) is not None
        return None if is_fine else "a duration such as 10m is needed"
    return None if text and not _UNSAFE.search(text) else "a text without blanks, quotes and braces is needed"


def _number(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
