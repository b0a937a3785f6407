"""Section of the settings about versions of one model that are there together: stable, canaries and shadows.

As in `config`, which puts it in its place. Standard library only: every process reads settings.
"""

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from exporter.keys import setting
from exporter.values import header_name, label_value

_HOST, _PORT = "host", re.compile(r":[0-9]*\Z")
SUFFIX = "-shadow"
"""What the version of shadow traffic ends in."""


class HeaderRule(NamedTuple):
    """What a header must say."""

    name: str
    """In lower case."""
    pattern: "re.Pattern[str]"

    def fits(self, headers: Mapping[str, str]) -> bool:
        """Whether it is there and says that; names of `headers` are in lower case.

        A host may say it before its port: of `churn:8080` Envoy makes `churn-shadow:8080`.
        """
        found = headers.get(self.name)
        if found is None:
            return False
        is_said = self.pattern.match(found) is not None
        return is_said or (self.name == _HOST and self.pattern.match(_PORT.sub("", found)) is not None)


def header_rule(text: str) -> HeaderRule:
    """What `X-Shadow` (whatever it says), `X-Shadow=true` or `Host=*-shadow` means: a shell's pattern, of any case."""
    name, _, pattern = text.partition("=")
    return HeaderRule(header_name(name), re.compile(fnmatch.translate(pattern or "*"), re.IGNORECASE))


def _written(value: object) -> str:
    """A header and what it must say, as people write it."""
    name, equals, pattern = value.partition("=") if isinstance(value, str) else ("", "", "")
    if not isinstance(value, str) or bool(equals) != bool(pattern) or not pattern.isprintable():
        raise ValueError(f"must be NAME or NAME=PATTERN such as X-Shadow=true, not {value!r}")
    header_name(name)
    return value


@dataclass(frozen=True, slots=True)
class Versions:
    """Which of several versions is the stable one, and which traffic is a copy."""

    stable: str | None = setting(
        None,
        "The version with which others are compared; the one that the profile in force names, else the one that came"
        " first, where left out.",
        label_value,
    )
    shadow_header: str | None = setting(
        None,
        "Header that copies of requests have, whose answers nobody gets: NAME, or NAME=PATTERN such as Host=*-shadow."
        f" They are watched as the version VERSION{SUFFIX}, and count as nothing that was served.",
        _written,
    )

    @property
    def shadow(self) -> HeaderRule | None:
        """By what copies are known; None where there are none."""
        return header_rule(self.shadow_header) if self.shadow_header else None

    @property
    def headers(self) -> tuple[str, ...]:
        """Headers of requests that are needed, in lower case."""
        return (self.shadow.name,) if self.shadow else ()


NO_VERSIONS = Versions()
