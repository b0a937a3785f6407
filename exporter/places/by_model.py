"""Profiles in stores, one for each model and version that the traffic names. For the analyser, which waits for none.

What an earlier analyser or an earlier run kept of a place is in force at once, and until the store says otherwise.
"""

import logging
import threading
import time
from pathlib import Path
from typing import Final

from exporter.errors import ExporterError
from exporter.locations import FILE, Location
from exporter.places import asking
from exporter.places.asking import FAILED, FOUND, INVALID, Known, Order
from exporter.profile import document
from exporter.profile.directory import Found, ProfilesByName, Wish, at_path, in_directory

_LOG = logging.getLogger("exporter.profile")
_LOOK_S: Final = 0.2


def under(place: Location, poll_s: float, copies: str | None) -> ProfilesByName:
    """The profiles in a directory, or under a path or an address with `{model}` and `{version}` in it."""
    if place.scheme == FILE:
        return at_path(place) if place.is_template else in_directory(place.text)
    return ProfilesByName(Store(place, poll_s, None if copies is None else Path(copies)).look)


class Store:
    """Addresses in a store, which a thread asks one by one: a slow answer keeps nobody from what is there already."""

    def __init__(self, template: Location, poll_s: float, copies: Path | None) -> None:
        """`copies` is where what was found is kept for the next analyser, or the next run."""
        self._template = template
        self._poll_s = poll_s
        self._copies = copies
        self._due: dict[Wish, float] = {}
        self._known: dict[Wish, Known] = {}
        self._faulty: set[Wish] = set()
        self._news: dict[Wish, Found] = {}
        threading.Thread(target=self._run, name="store", daemon=True).start()

    def look(self, wish: Wish, before: Found | None) -> Found | None:
        """What is known by now, and at first what was kept."""
        if wish not in self._due:
            kept = self._kept(wish)
            self._due[wish] = 0.0
            return kept
        return self._news.pop(wish, before)

    def _kept(self, wish: Wish) -> Found | None:
        place = self._template.of(*wish)
        copy = asking.copy_of(place.text, self._copies)
        if copy is None:
            return None
        try:
            profile = document.load(str(copy))
        except ExporterError:  # there is none, or it was damaged: the store is asked
            return None
        _LOG.info("profile: %s: in force is the one that was kept of it, until the store answers", place.shown)
        return Found(place.shown, Known(), profile)

    # in the thread

    def _run(self) -> None:
        while True:
            for wish in [wish for wish, due in [*self._due.items()] if time.monotonic() >= due]:
                try:
                    self._ask(wish)
                except Exception:  # noqa: BLE001 (whatever it was, the next time it may succeed)
                    _LOG.exception("asking for the profile of %r failed", wish.model)
                self._due[wish] = time.monotonic() + self._poll_s
            time.sleep(_LOOK_S)

    def _ask(self, wish: Wish) -> None:
        place, known = self._template.of(*wish), self._known.get(wish, Known())
        copy = asking.copy_of(place.text, self._copies)
        answer, raw = asking.ask(Order(place.text, known, None if copy is None else str(copy)))
        if answer.outcome in {FAILED, INVALID}:
            self._faulty.add(wish)
            waiting = self._news.get(wish)
            if waiting is None or waiting.profile is None:  # one that nobody has taken yet goes before; a fault recurs
                self._news[wish] = Found(place.shown, known, None, f"{place.shown}: {answer.words}")
        elif answer.outcome == FOUND:
            self._known[wish] = answer.known
            self._faulty.discard(wish)
            self._news[wish] = Found(place.shown, answer.known, document.loads(raw, place.shown))
        elif wish in self._faulty:  # over: the next fault is news
            self._faulty.discard(wish)
            self._news[wish] = Found(place.shown, known, None)
