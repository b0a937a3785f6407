"""Flags about tables of data that several commands have: how a text file is written, and what hashes were made with."""

import argparse
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from exporter.profile.files import Dialect
    from exporter.scalars.salted import Salt

SOURCES: Final = "CSV with a header, JSON Lines (either may be .gz or .zst), Parquet, Arrow, Feather or NumPy"


def add_salt(parser: argparse.ArgumentParser) -> None:
    """The salt of hashes."""
    parser.add_argument("--salt-file", metavar="FILE", help="the secret under which categories are hashed")


def salt(given: argparse.Namespace) -> "Salt | None":
    """What is given. ConfigError where it cannot be read."""
    from exporter.profile import salts  # noqa: PLC0415

    return salts.load(given.salt_file, "--salt-file") if given.salt_file else None


def add_dialect(parser: argparse.ArgumentParser) -> None:
    """What a text file is like."""
    parser.add_argument("--delimiter", type=_character, metavar="CHARACTER", help="of a CSV file (found out)")
    parser.add_argument("--quote", type=_character, metavar="CHARACTER", help="of a CSV file (found out)")
    parser.add_argument(
        "--decimal", choices=(".", ","), default=".", help="what stands before a fraction in a CSV file"
    )
    parser.add_argument("--encoding", default="utf-8-sig", metavar="NAME", help="of a CSV file (UTF-8)")


def _character(text: str) -> str:
    found = text.replace("\\t", "\t")
    if len(found) != 1 or found in "\r\n\0":
        raise argparse.ArgumentTypeError(f"must be one character, not {text!r}")
    return found


def dialect(given: argparse.Namespace) -> "Dialect":
    """What is given."""
    from exporter.profile.files import Dialect  # noqa: PLC0415

    return Dialect(given.delimiter, given.quote, given.decimal, given.encoding)
