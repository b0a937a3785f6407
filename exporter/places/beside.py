"""What the operator says beside the profile, overrides and a salt, in memory that an analyser is given.

For the supervisor: the standard library only. An analyser that is started again finds the same, whatever the files
hold by then.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from exporter.errors import ConfigError, DataError
from exporter.handoff import memory
from exporter.profile import whole_file

KEYS: Final = ("overrides", "salt_file")
Contents = Mapping[str, bytes]
"""By key; empty where there is no file."""


def read(paths: Mapping[str, str | None]) -> Contents:
    """What the files hold now. ConfigError where one of them cannot be read; a disk may take its time."""
    return {key: b"" if path is None else _read(key, path) for key, path in paths.items()}


def _read(key: str, path: str) -> bytes:
    try:
        return whole_file.read(Path(path), whole_file.LARGEST_OVERRIDES)
    except (OSError, ValueError, DataError) as error:
        raise ConfigError(f"{key}: cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


class Beside:
    """The files as they are in force."""

    def __init__(self, contents: Contents) -> None:
        self.fds: dict[str, int | None] = dict.fromkeys(KEYS)
        """Memory by key; None where nothing is said."""
        self._contents: Contents = dict.fromkeys(KEYS, b"")
        self._stale: list[int] = []
        self.put_in_force(contents)

    def put_in_force(self, contents: Contents) -> frozenset[str]:
        """The keys whose files hold something else now. Memory of the others stays: analysers are still given it."""
        changed = frozenset(key for key in KEYS if contents[key] != self._contents[key])
        for key in changed:
            self._stale += [fd for fd in (self.fds[key],) if fd is not None]
            self.fds[key] = memory.keep(key, contents[key]) if contents[key] else None
        self._contents = contents
        return changed

    def forget(self) -> None:
        """Give the memory back of what was in force, once nobody will be given it any more."""
        while self._stale:
            os.close(self._stale.pop())
