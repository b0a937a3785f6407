"""What is kept of fleets in a directory, a file each: `fleet` goes on after a restart as if it had not been away."""

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from exporter.fleet.answers import Fleet
from exporter.fleet.watched import Watched
from exporter.records import Owner
from exporter.state import clock, faults
from exporter.state.directory import Claim, Directory
from exporter.state.image import Unreadable, pack, unpack

_LOG = logging.getLogger("exporter.fleet")
_PATIENCE_S: Final = 2.0


class Keeping:
    """A directory of our own. Every fault is counted and costs what was kept, never the watching."""

    def __init__(self, directory: str, interval_s: float) -> None:
        self._claim = Claim(Path(directory))
        self._places: dict[Fleet, Directory] = {}
        self._interval_s = interval_s
        self._due_s = 0.0
        self.errors: Counter[str] = Counter()
        """By STATE_ERRORS."""
        self._said = ""

    def restore(self, watched: Watched, latest: int) -> bool:
        """Have it go on with what was kept of it, up to the latest pane that there may be; whether there was any."""
        place = self._place(watched.fleet)
        try:
            content = place.read(_PATIENCE_S)
            image = unpack(content) if content is not None else None
        except Unreadable as error:
            self._fault("unreadable", f"{place.file}: {error}")
            self._set_aside(place)
            return False
        except OSError as error:
            self._fault(faults.reason(error), f"{place.file}: {faults.words(error)}")
            return False
        place.is_read()
        return image is not None and image.owner == owner(watched.fleet) and watched.put_back(image.arrays, latest)

    def _set_aside(self, place: Directory) -> None:
        try:
            place.set_aside()
        except OSError as error:
            self._fault(faults.reason(error), f"{place.file}: {faults.words(error)}")

    def keep(self, every: Iterable[Watched]) -> None:
        """Write all of them."""
        for one in every:
            place = self._place(one.fleet)
            try:
                place.write(pack(owner(one.fleet), clock.now(), one.held()))
            except OSError as error:
                self._fault(faults.reason(error), f"{place.file}: {faults.words(error)}")
            except ValueError as error:  # too large
                self._fault("other", f"{place.file}: {error}")
            else:
                self._said = ""

    def keep_when_due(self, every: Iterable[Watched], now_s: float) -> None:
        """As `keep`, once in a while."""
        if now_s >= self._due_s:
            self._due_s = now_s + self._interval_s
            self.keep(every)

    def let_go(self) -> None:
        """Let somebody else have the directory."""
        self._claim.let_go()

    def forget(self, fleet: Fleet) -> None:
        """It is not watched any more; its file may be tidied away."""
        place = self._places.pop(fleet, None)
        if place is not None:
            self._claim.files.discard(place.file)

    def _place(self, fleet: Fleet) -> Directory:
        if fleet not in self._places:
            self._places[fleet] = Directory(self._claim.path, owner(fleet), self._claim)
        return self._places[fleet]

    def _fault(self, reason: str, words: str) -> None:
        self.errors[reason] += 1
        if words != self._said:
            self._said = words
            _LOG.warning("state: %s", words)


def owner(fleet: Fleet) -> Owner:
    """Whose a file is."""
    return Owner(fleet.model, fleet.version, repr((*fleet.by, fleet.profile)))
