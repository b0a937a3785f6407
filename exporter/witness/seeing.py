"""One exchange, with all that those who keep something of it look at."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from exporter.config import Settings
from exporter.contexts import FORMATS, Reader
from exporter.monitor.models import Models
from exporter.monitor.watched import Found, Shown, Watched
from exporter.records import Exchange, Observation
from exporter.snapshots import BlockSnapshot, Moved
from exporter.trace_context import Context
from exporter.witness import stumbles
from exporter.witness.environment import propagators
from exporter.witnessed import Flag

NO_FLAGS: Final[tuple[Flag, ...]] = ()


class Seen(NamedTuple):
    """An exchange that was counted."""

    exchange: Exchange
    decoded: Observation
    """As the payload has it: only those may look at it who know what is denied and hashed."""
    known: Observation
    """The same as it is called here: nothing of it is secret but the values."""
    watched: Watched
    context: Context | None
    """What the caller says of its trace."""
    flags: tuple[Flag, ...] = NO_FLAGS


class Seeing:
    """Puts them together."""

    def __init__(self, settings: Settings, *, judges: bool) -> None:
        """`judges` says whether anybody wants to know which checks rows failed."""
        self._read = Reader(settings.tracing.contexts or propagators() or tuple(FORMATS))
        self._judges = judges

    def seen(
        self, exchanges: Sequence[Exchange], decoded: Sequence[Observation], found: Sequence[Found | None]
    ) -> Iterator[Seen]:
        """A run of them, in order."""
        flags = self._judged(found) if self._judges else [NO_FLAGS] * len(found)
        read = self._read
        for exchange, own, of, failed in zip(exchanges, decoded, found, flags, strict=True):
            if of is not None:
                yield Seen(exchange, own, of[1], of[0], read(exchange.request_headers), failed)

    @staticmethod
    def _judged(found: Sequence[Found | None]) -> list[tuple[Flag, ...]]:
        """Model by model: those of one are judged together."""
        flags = [NO_FLAGS] * len(found)
        places: dict[int, list[int]] = {}
        for place, of in enumerate(found):
            if of is not None and of[0].profile is not None:
                places.setdefault(id(of[0]), []).append(place)
        for own in places.values():
            several = [of for of in (found[place] for place in own) if of is not None]
            try:
                judged = several[0][0].monitor.checks.judge([observation for _, observation in several])
            except Exception as error:  # noqa: BLE001 (as in `witness`)
                stumbles.tell(error)
                continue
            for place, failed in zip(own, judged, strict=True):
                flags[place] = failed
        return flags


def watch(shown: Iterable[Shown], models: Models) -> None:
    """Have rows marked that lie in the bins which have grown, by the longest window that says so."""
    of = {one.label: one.snapshot for one in shown}
    for watched in models:
        snapshot = of.get(watched.label)
        if snapshot is not None:
            watched.monitor.checks.watch(_moved(snapshot.features), _moved(snapshot.outputs))


def _moved(block: BlockSnapshot | None) -> tuple[Moved, ...]:
    return next((one.moved for one in reversed(block.scores) if one.moved), ()) if block else ()
