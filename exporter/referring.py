"""What models are compared with, put together: profiles of the operator, and provisional references of live traffic."""

import time
from collections.abc import Mapping
from typing import Any, Final

from exporter import locations
from exporter.config import Settings
from exporter.errors import ConfigError
from exporter.handoff import memory
from exporter.handoff.ledger import Arrays
from exporter.monitor import door
from exporter.monitor.provisional import Provisionals
from exporter.monitor.said import Said
from exporter.override import NO_OVERRIDES
from exporter.places import by_model
from exporter.profile import document, overrides
from exporter.profile.directory import OneProfile, ProfilesByName
from exporter.profile.standing import Standing
from exporter.profile.veiled import Veils
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.state.provisional import ProvisionalFiles

_SEGMENTS_SHARE: Final = 24


class Referring:
    """All references of the analyser."""

    def __init__(
        self, settings: Settings, orders: Mapping[str, Any], kept: Arrays, seats: "memoryview[int]"
    ) -> None:  # fmt: skip
        """`orders` say what the supervisor has kept; `kept` is what a predecessor had made, `seats` the board."""
        salt = _salt(settings, orders)
        private = Private(settings.privacy, salt) if settings.privacy.deny or settings.privacy.hash else None
        self.settings = door.hidden(settings, private) if private else settings
        """Without the names that are to be hidden."""
        self.references = Standing(_profiles(settings, orders), time.time, private)
        self.said = _said(self.settings, orders, salt, private)
        hide = [Veils(private)] if private else []
        self.provisional = Provisionals(settings.provisional, self.references, kept, *hide)
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


def segment_bytes(settings: Settings) -> int:
    """What one model's segments may take: with both copies in the ledger an eighth of the analyser's memory."""
    return settings.analyser.memory_limit // _SEGMENTS_SHARE


def _said(settings: Settings, orders: Mapping[str, Any], salt: Salt | None, private: Private | None) -> Said:
    """What people say of columns, in the file that the supervisor has kept."""
    kept = orders["overrides_fd"]
    rules = NO_OVERRIDES if kept is None else overrides.loads(memory.kept(kept), str(settings.overrides))
    if private:
        rules = door.hidden_rules(rules, private)
    return Said(rules, salt, settings.segments, segment_bytes(settings), private)


def _salt(settings: Settings, orders: Mapping[str, Any]) -> Salt | None:
    """That in the file that the supervisor has kept."""
    kept = orders["salt_file_fd"]
    try:
        return None if kept is None else Salt(memory.kept(kept))
    except ValueError as error:  # it was another one a moment ago, when it was checked
        raise ConfigError(f"salt_file: {settings.salt_file} {error}") from None
