"""Flags of commands that ask a Prometheus: where it is and how to be let in."""

import argparse
from typing import TYPE_CHECKING, Final

from exporter.errors import ConfigError

if TYPE_CHECKING:
    from exporter.prometheus import Access

WORDS: Final = (
    "prometheus.url", "prometheus.bearer_token_file", "prometheus.basic_auth_file", "prometheus.ca_file",
    "prometheus.header",
)  # fmt: skip
"""What a parsed command line calls them."""


def add(parser: argparse.ArgumentParser) -> None:
    """Say what they are."""
    parser.add_argument("--prometheus.url", metavar="URL",
                        help="root of a Prometheus, Thanos or Mimir, such as http://prometheus:9090")  # fmt: skip
    parser.add_argument("--prometheus.bearer-token-file", metavar="FILE", help="of a bearer token")
    parser.add_argument("--prometheus.basic-auth-file", metavar="FILE",
                        help="of a line USER:PASSWORD")  # fmt: skip
    parser.add_argument("--prometheus.ca-file", metavar="FILE",
                        help="PEM of the authorities to be trusted (the usual ones)")  # fmt: skip
    parser.add_argument("--prometheus.header", action="append", default=[], metavar="NAME=VALUE",
                        help="sent along, such as X-Scope-OrgID=team; repeatable")  # fmt: skip


def access(given: argparse.Namespace) -> "Access":
    """What is given. ConfigError where it cannot be meant."""
    from exporter.prometheus import Access  # noqa: PLC0415 (these commands only)

    url, token_file, password_file, ca_file, headers = (getattr(given, word) for word in WORDS)
    if token_file and password_file:
        raise ConfigError("--prometheus.bearer-token-file: cannot be said beside --prometheus.basic-auth-file")
    return Access(url, token_file, password_file, ca_file, dict(_header(pair) for pair in headers))


def _header(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not equals or not name.replace("-", "").isalnum() or not (name + value).isascii() or not value.isprintable():
        raise ConfigError(f"--prometheus.header: must be NAME=VALUE such as X-Scope-OrgID=team, not {name!r}")
    return name, value
