"""Whether windows are kept, and where: as the settings say."""

import logging
from collections.abc import Callable

from exporter.config import Settings
from exporter.handoff.board import Seat
from exporter.state.keeper import Keeper, Windows

_LOG = logging.getLogger("exporter.state")


def keeper(settings: Settings, seats: "memoryview[int]", windows: Windows, commit: Callable[[], None]) -> Keeper | None:
    """Who keeps them; None where nobody does. `seats` is the board."""
    state = settings.state
    if state.directory is None or not (settings.profile or settings.provisional.enable):
        if state.directory is not None:
            _LOG.info("nothing is kept in %s: there are no windows without a profile", state.directory)
        for seat in (Seat.STATE_RESTORED, Seat.STATE_KEPT_WALL_NS, Seat.STATE_KEPT_BYTES):
            seats[seat] = 0  # of a directory that a reload took away
        return None
    return Keeper(state.directory, state.interval, seats, windows, commit)
