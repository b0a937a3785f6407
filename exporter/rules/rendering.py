"""The rules as people write them, made the files that Prometheus reads: thresholds and phrases at their places."""

import re
from collections.abc import Mapping
from typing import Final

from exporter.errors import ConfigError
from exporter.rules.phrases import PHRASES
from exporter.rules.values import Value

_PLACE: Final = re.compile(r"<<([a-z_]+\.[a-z0-9_]+)>>")
_PHRASE: Final = "text."
_MADE: Final = "# Made by `make docs` of "
_HEAD: Final = _MADE + "alert_rules/{name}; with thresholds of your own: inference-exporter rules --set.\n"


def rendered(source: str, name: str, values: Mapping[str, Value]) -> str:
    """The file that is made of a source. ConfigError where it names what there is not."""
    return _HEAD.format(name=name) + "".join(_line(line, name, values) for line in source.splitlines(keepends=True))


def differing(values: Mapping[str, Value], shipped: Mapping[str, Value]) -> str:
    """What a tuned copy says of itself; nothing where all thresholds are the shipped ones."""
    changed = [
        f"#   {name}: {value} (shipped: {shipped[name]})\n" for name, value in values.items() if value != shipped[name]
    ]
    return "".join(["# A tuned copy, made by `inference-exporter rules`. What differs:\n", *changed] if changed else [])


def is_made(text: str) -> bool:
    """Whether a file of rules was made here, tuned or not, rather than by hand."""
    return f"\n{_MADE}" in f"\n{text[:100_000]}"


def named(source: str) -> set[str]:
    """The thresholds that a source asks for, its phrases' own among them."""
    found = set(_PLACE.findall(source))
    phrases = {key for key in found if key.startswith(_PHRASE)}
    return (found - phrases).union(*(named(PHRASES[key.removeprefix(_PHRASE)]) for key in phrases))


def _line(line: str, name: str, values: Mapping[str, Value]) -> str:
    """A phrase of several lines stands where its place stood, as far in."""

    def known(found: re.Match[str]) -> str:
        key = found[1]
        if key in values:
            return str(values[key])
        phrase = PHRASES.get(key.removeprefix(_PHRASE)) if key.startswith(_PHRASE) else None
        if phrase is None:
            raise ConfigError(f"{name}: {key} is no threshold and no phrase")
        indent = line[: len(line) - len(line.lstrip())]
        filled = "".join(_line(one, name, values) for one in phrase.splitlines(keepends=True))
        return filled.replace("\n", f"\n{indent}")

    return _PLACE.sub(known, line)
