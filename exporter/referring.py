"""What models are compared with, put together: profiles of the operator, and provisional references of live traffic."""

import time

from exporter.config import Settings
from exporter.handoff import memory
from exporter.handoff.ledger import Arrays
from exporter.monitor.provisional import Provisionals
from exporter.profile import document
from exporter.profile.directory import OneProfile, ProfileDirectory
from exporter.profile.standing import Standing
from exporter.state.provisional import ProvisionalFiles


class Referring:
    """All references of the analyser."""

    def __init__(self, settings: Settings, profile_fd: int | None, kept: Arrays, seats: "memoryview[int]") -> None:
        """`kept` is what a predecessor had made, `seats` the board."""
        self.references = Standing(_profiles(settings, profile_fd), time.time)
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


def _profiles(settings: Settings, kept: int | None) -> OneProfile | ProfileDirectory:
    """The operator's: the file that the supervisor has kept, or a directory that is looked at here."""
    if kept is None and settings.profile is not None:
        return ProfileDirectory(settings.profile)
    profile = None if kept is None else document.loads(memory.kept(kept), str(settings.profile))
    return OneProfile(profile, settings.model.name)
