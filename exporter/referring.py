"""What models are compared with, put together: profiles of the operator, and provisional references of live traffic."""

import time
from collections.abc import Mapping
from typing import Any

from exporter import locations
from exporter.config import Settings
from exporter.handoff import memory
from exporter.handoff.ledger import Arrays
from exporter.monitor.provisional import Provisionals
from exporter.places import by_model
from exporter.profile import document
from exporter.profile.directory import OneProfile, ProfilesByName
from exporter.profile.standing import Standing
from exporter.state.provisional import ProvisionalFiles


class Referring:
    """All references of the analyser."""

    def __init__(self, settings: Settings, orders: Mapping[str, Any], kept: Arrays, seats: "memoryview[int]") -> None:
        """`orders` are the analyser's; `kept` is what a predecessor had made, `seats` the board."""
        self.references = Standing(_profiles(settings, orders), time.time)
        self.provisional = Provisionals(settings.provisional, self.references, kept)
        self._files: ProvisionalFiles | None = None
        if settings.state.directory is not None and settings.provisional.enable:
            self._files = ProvisionalFiles(settings.state.directory, seats, self.provisional)
            self.provisional.keep_in(self._files.keep)
            self._files.resume()

    def look(self) -> None:
        """Take what people did to files, and make what is due."""
        if self._files is not None:
            self._files.take()
        self.provisional.advance(time.monotonic())


def _profiles(settings: Settings, orders: Mapping[str, Any]) -> OneProfile | ProfilesByName:
    """The operator's: the one profile that the supervisor has, or those that are looked for here."""
    place, kept = settings.profile, orders["profile_fd"]
    if place is not None and orders["profiles_are_many"]:
        return by_model.under(locations.parse(place), settings.profile_poll_interval, orders["profiles_dir"])
    profile = None if kept is None else document.loads(memory.kept(kept), locations.shown(str(place)))
    return OneProfile(profile, settings.model.name)
