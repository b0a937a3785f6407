"""A place for every kind of store."""

from collections.abc import Iterator

import pytest
from feedback.places import PLACES, Place
from feedback.servers import PostgresServer, RedisServer, Server

from exporter.feedback.stores import Store


@pytest.fixture(params=sorted(PLACES))
def place(request: pytest.FixtureRequest) -> Place:
    return PLACES[request.param](request)


@pytest.fixture(params=sorted(PLACES.keys() - {"memory"}))
def lasting(request: pytest.FixtureRequest) -> Place:
    """One that does not die with its process."""
    return PLACES[request.param](request)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    opened = place.open()
    yield opened
    opened.close()


def started(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.end()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    yield from started(RedisServer())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    yield from started(PostgresServer())
