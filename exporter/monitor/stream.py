"""Records as they come out of a ring, into the monitors of their models."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from exporter.decode import Decoder
from exporter.handoff import frames
from exporter.monitor.models import Models
from exporter.monitor.watched import Found
from exporter.records import Exchange, Observation

_RUN_RECORDS: Final = 32
_RUN_BYTES: Final = 256 << 10


class Witness(Protocol):
    """Who looks at single exchanges, after they were counted."""

    def see(self, exchanges: Sequence[Exchange], decoded: Sequence[Observation], found: Sequence[Found | None]) -> None:
        """Exchanges, what was decoded of each, and whose it is: None where it is no traffic of a model."""
        ...


def observe(records: Sequence[bytes], decoder: Decoder, models: Models, witness: Witness | None = None) -> int:
    """Take in what came through a ring; how many records were damaged.

    Step by step for some at a time: an interpreter that does one thing again and again is a quarter faster.
    """
    damaged = 0
    for run in _runs(records):
        exchanges = [exchange for exchange in map(_unpacked, run) if exchange]
        damaged += len(run) - len(exchanges)
        exchanges = list(filter(models.attributing.is_data, exchanges))
        decoded = list(map(decoder.decode, exchanges))
        found = list(map(models.observe, exchanges, decoded))
        if witness is not None:
            witness.see(exchanges, decoded, found)
    return damaged


def _unpacked(record: bytes) -> Exchange | None:
    try:
        return frames.unpack(record)
    except (ValueError, UnicodeError):
        return None


def _runs(records: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The same records in runs, short and small enough for what is made of one to be held in memory at once."""
    start = size = 0
    for at, record in enumerate(records):
        if at - start == _RUN_RECORDS or (size and size + len(record) > _RUN_BYTES):
            yield records[start:at]
            start, size = at, 0
        size += len(record)
    if start < len(records):
        yield records[start:]
