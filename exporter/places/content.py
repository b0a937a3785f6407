"""What a store gives, and what it may say instead."""

from collections.abc import Iterable
from typing import NamedTuple

from exporter.profile import whole_file


class Content(NamedTuple):
    """A file's bytes."""

    raw: bytes
    mark: str = ""
    """By which the store tells whether they have changed; empty where it cannot."""


class Absent(Exception):
    """There is nothing in that place (yet), in words."""


class Refused(Exception):
    """What is there cannot be had, in words: by whom or why. Never with an address, which may hold secrets."""


def whole(pieces: Iterable[bytes]) -> bytes:
    """Pieces put together. Refused where they are more than a profile may have, however many are still to come."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) > whole_file.LARGEST:
            raise Refused(f"larger than {whole_file.LARGEST >> 20} MiB")
    return bytes(held)


def missing(extra: str, error: ImportError) -> Refused:
    """What to install."""
    return Refused(f"{extra} needs its extra ({error.name}): pip install 'inference-exporter[{extra}]'")
