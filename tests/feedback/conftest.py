"""A place for every kind of store."""

from collections.abc import Iterator

import pytest
from feedback.places import PLACES, Place

from exporter.feedback.stores import Store


@pytest.fixture(params=sorted(PLACES))
def place(request: pytest.FixtureRequest) -> Place:
    return PLACES[request.param](request)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    opened = place.open()
    yield opened
    opened.close()
