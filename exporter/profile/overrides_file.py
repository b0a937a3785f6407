"""A file of overrides that says what was measured of traffic, beside all that it has said before."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from exporter.errors import ConfigError
from exporter.profile import overrides, strict_yaml, whole_file
from exporter.profile.calibrate import SIDES, Shown

_WIDTH: Final = 118


class _Dumper(yaml.SafeDumper):
    """A hook of PyYAML's: what two rules share is written out for both."""

    def ignore_aliases(self, _: object) -> bool:
        """All of them."""
        return True


def existing(path: str) -> dict[str, Any]:
    """What a file of overrides says, once it is known to be right. ConfigError names the path to a fault."""
    overrides.load(path)
    return strict_yaml.load(whole_file.read(Path(path), whole_file.LARGEST_OVERRIDES).decode()) or {}


def merged(before: Mapping[str, Any], columns: Iterable[Shown]) -> dict[str, Any]:
    """A document with the dependence and wander of each column in a rule of its own name; the rest as it was."""
    found = {side: dict(before.get(side) or {}) for side in SIDES}
    for one in columns:
        own = dict(found[one.side].get(one.name) or {})
        own |= {"dependence": _short(one.dependence), "wander": _short(one.wander)}
        found[one.side][one.name] = own
    return {side: rules for side, rules in found.items() if rules}


def text(document: Mapping[str, Any], head: Iterable[str]) -> str:
    """As it is written, with lines of comment before it, which must not have line ends. It can be read again."""
    body = yaml.dump(
        document, Dumper=_Dumper, default_flow_style=None, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    return "".join(f"# {line}\n" for line in head) + body


def save(path: str, content: str) -> None:
    """Write it whole or not at all. ConfigError where that is impossible, or where it could not be read again."""
    if len(content.encode()) > whole_file.LARGEST_OVERRIDES:
        raise ConfigError(f"{path}: would be larger than {whole_file.LARGEST_OVERRIDES >> 20} MiB")
    overrides.loads(content.encode(), path)
    try:
        whole_file.write(Path(path), content)
    except OSError as error:
        raise ConfigError(f"--output: cannot write {path}: {error.strerror}") from None


def _short(number: float) -> float:
    return float(f"{number:.4g}")
