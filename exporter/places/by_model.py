"""Profiles in stores, one for each model and version that the traffic names. For the analyser: a thread asks.

What an earlier analyser or an earlier run kept of a place is in force at once, and until the store says otherwise.
"""

import logging
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
_KEPT: Final = Known("kept", "")


def under(place: Location, poll_s: float, copies: str | None) -> ProfilesByName:
    """The profiles in a directory, or under a path or an address with `{model}` and `{version}` in it."""
    if place.scheme == FILE:
        return at_path(place) if place.is_template else in_directory(place.text)
    return ProfilesByName(Store(place, poll_s, None if copies is None else Path(copies)).look)


class Store:
    """Addresses in a store. Not for several threads."""

    def __init__(self, template: Location, poll_s: float, copies: Path | None) -> None:
        """`copies` is where what was found is kept for the next analyser, or the next run."""
        self._template = template
        self._poll_s = poll_s
        self._copies = copies
        self._due: dict[Wish, float] = {}

    def look(self, wish: Wish, before: Found | None) -> Found | None:
        """What is found for a wish now; what was found before where it is not time yet or nothing has changed."""
        place = self._template.of(*wish)
        if wish not in self._due and (kept := self._kept(place)) is not None:
            self._due[wish] = 0.0
            return kept
        if time.monotonic() < self._due.get(wish, 0.0):
            return before
        found = self._ask(place, before)
        self._due[wish] = time.monotonic() + self._poll_s
        return found

    def _kept(self, place: Location) -> Found | None:
        copy = asking.copy_of(place.text, self._copies)
        if copy is None:
            return None
        try:
            profile = document.load(str(copy))
        except ExporterError:  # there is none, or it was damaged: the store is asked
            return None
        _LOG.info("profile: %s: in force is the one that was kept of it, until the store answers", place.shown)
        return Found(place.shown, _KEPT, profile)

    def _ask(self, place: Location, before: Found | None) -> Found | None:
        known = before.signature if before and isinstance(before.signature, Known) else Known()
        copy = asking.copy_of(place.text, self._copies)
        asked = Known() if known == _KEPT else known
        answer, raw = asking.ask(Order(place.text, asked, None if copy is None else str(copy)))
        profile = before.profile if before else None
        if answer.outcome in {FAILED, INVALID}:
            return Found(place.shown, known, profile, f"{place.shown}: {answer.words}")
        if answer.outcome == FOUND:
            return Found(place.shown, answer.known, document.loads(raw, place.shown))
        if before is not None and before.fault:
            return Found(place.shown, known, profile)
        return before
