"""Where stores live, for tests: each kind can be opened, closed and opened again, and lost."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from exporter.feedback.stores import Limits, Store, open_store

LIMITS: Final = Limits(predictions=1000, retention_ms=1_000_000, early_ms=100_000)


class Place(Protocol):
    """One that is empty at first."""

    lasts: bool
    """Whether what was in a store is there when it is opened again."""

    def open(self, limits: Limits = LIMITS, replica: str = "a") -> Store:
        """The store there; whoever opens it closes it."""

    def lose(self) -> None:
        """Destroy all that it holds, while nobody has it."""


class File:
    lasts = True

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "stores"
        self.path = self.directory / "feedback.sqlite"

    def open(self, limits: Limits = LIMITS, replica: str = "a") -> Store:
        return open_store(f"sqlite:{self.path}", limits, replica)

    def lose(self) -> None:
        shutil.rmtree(self.directory)


class Memory:
    lasts = False

    def open(self, limits: Limits = LIMITS, replica: str = "a") -> Store:
        return open_store("memory:", limits, replica)

    def lose(self) -> None:
        """It is lost whenever it is closed."""


PLACES: Final[dict[str, Callable[[Any], Place]]] = {
    "sqlite": lambda request: File(request.getfixturevalue("tmp_path")),
    "memory": lambda _: Memory(),
}
"""By scheme, from pytest's request: servers are fixtures."""
