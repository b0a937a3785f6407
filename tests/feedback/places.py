"""Where stores live, for tests: each kind can be opened, closed and opened again, and lost."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from feedback.servers import PostgresServer, RedisServer

from exporter.feedback.stores import Limits, Store, open_store

LIMITS: Final = Limits(predictions=1000, retention_ms=1_000_000, early_ms=100_000)
LONG: Final = LIMITS._replace(retention_ms=10**10, early_ms=10**10)
"""Where the clock decides what is old: moments of tests are those at which they were loaded, which may be long ago."""


class Place(Protocol):
    """One that is empty at first."""

    lasts: bool
    """Whether what was in a store is there when it is opened again."""
    url: str

    def open(self, limits: Limits = LIMITS, replica: str = "a") -> Store:
        """The store there; whoever opens it closes it."""

    def lose(self) -> None:
        """Destroy all that it holds, while nobody has it."""


class File:
    lasts = True

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "stores"
        self.path = self.directory / "feedback.sqlite"
        self.url = f"sqlite:{self.path}"

    def open(self, limits: Limits = LIMITS, replica: str = "a") -> Store:
        return open_store(self.url, limits, replica)

    def lose(self) -> None:
        shutil.rmtree(self.directory)


class Memory:
    lasts = False
    url = "memory:"

    def open(self, limits: Limits = LIMITS, replica: str = "a") -> Store:
        return open_store(self.url, limits, replica)

    def lose(self) -> None:
        """It is lost whenever it is closed."""


class InRedis:
    lasts = True
    _number = 0

    def __init__(self, server: RedisServer) -> None:
        InRedis._number += 1
        self.server = server
        self.prefix = f"place-{InRedis._number}"
        self.url = server.url(self.prefix)

    def open(self, limits: Limits = LIMITS, replica: str = "a") -> Store:
        return open_store(self.url, limits, replica)

    def lose(self) -> None:
        with self.server.client() as client:
            for key in client.scan_iter(f"{self.prefix}:*"):
                client.delete(key)


class InPostgres:
    lasts = True
    _number = 0

    def __init__(self, server: PostgresServer) -> None:
        InPostgres._number += 1
        self.server = server
        self.schema = f"place_{InPostgres._number}"
        self.url = server.schema(self.schema)

    def open(self, limits: Limits = LIMITS, replica: str = "a") -> Store:
        return open_store(self.url, limits, replica)

    def lose(self) -> None:
        self.server.schema(self.schema)


PLACES: Final[dict[str, Callable[[Any], Place]]] = {
    "sqlite": lambda request: File(request.getfixturevalue("tmp_path")),
    "memory": lambda _: Memory(),
    "redis": lambda request: InRedis(request.getfixturevalue("redis_server")),
    "postgresql": lambda request: InPostgres(request.getfixturevalue("postgres_server")),
}
"""By scheme, from pytest's request: servers are fixtures."""
