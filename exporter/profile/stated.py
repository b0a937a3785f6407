"""What people state about a training, in files of JSON: its performance, and the importance of features."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exporter.errors import ConfigError, DataError
from exporter.profile import parsing, whole_file
from exporter.profile.parsing import Fault

_LARGEST: Final = 8 << 20
_MOST_DEEP: Final = 32


def performance(path: str) -> dict[str, float]:
    """Measures by name; those of nested objects have names joined by points. ConfigError, DataError with the path."""
    document = _load(path)
    try:
        found: dict[str, float] = {}
        for name, value in _flat(parsing.mapping(document, "metrics"), "", 0):
            if name in found:
                raise Fault(f"{name}: stands there twice")
            found[name] = value
    except Fault as fault:
        raise DataError(f"{path}: {fault}") from None
    return found


def _flat(node: object, path: str, depth: int) -> Iterator[tuple[str, float]]:
    if not isinstance(node, dict):
        yield path, parsing.number(node, path)
        return
    if depth > _MOST_DEEP:
        raise Fault(f"{path}: nested too deeply")
    for key, value in node.items():
        yield from _flat(value, parsing.name(f"{path}.{key}" if path else key, path or "metrics"), depth + 1)


def importance(path: str) -> dict[str, float]:
    """Weights by feature, none negative. ConfigError, DataError with the path."""
    try:
        weights = parsing.mapping(_load(path), "importance")
        return {name: parsing.between(0, float("inf"))(weight, name) for name, weight in weights.items()}
    except Fault as fault:
        raise DataError(f"{path}: {fault}") from None


def _load(path: str) -> object:
    try:
        return json.loads(whole_file.read(Path(path), _LARGEST))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON: {error}") from None
