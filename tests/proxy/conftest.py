"""One relay for all the tests of a file."""

from collections.abc import Iterator

import pytest
from proxy.rig import Bench, recorder, relay


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with recorder(lambda _: None) as server, relay(server.port) as running:
        yield Bench(running, server)
