"""One browser and one world for all tests of the status page: to have them come about takes longer than to look."""

from collections.abc import Iterator
from typing import Any

import pytest
from status_world import World, status_world, wide_world
from watched_pages import Watched, chromium


@pytest.fixture(scope="session")
def chrome() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def world(chrome: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:  # noqa: ARG001 (first, whether there is one)
    with status_world(tmp_path_factory.mktemp("status")) as made:
        yield made


@pytest.fixture(scope="session")
def wide(chrome: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:  # noqa: ARG001 (as above)
    with wide_world(tmp_path_factory.mktemp("wide")) as made:
        yield made


@pytest.fixture
def watched(chrome: Any) -> Iterator[Watched]:
    with Watched(chrome) as pages:
        yield pages
