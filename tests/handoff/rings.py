"""Rings to write to and to read from."""

import os

import pytest

from exporter.handoff import ring
from exporter.handoff.reader import Reader
from exporter.handoff.ring import Ring


def new(capacity: int = 1 << 20) -> Ring:
    fd = ring.create(capacity)
    try:
        return Ring(fd)
    finally:
        os.close(fd)


def drain(reader: Reader) -> list[bytes]:
    """Every record there is."""
    seen: list[bytes] = []
    for _ in range(1000):
        if not reader.queued_bytes:
            return seen
        seen += reader.take(3, 100)
    pytest.fail("the reader does not come to an end")
