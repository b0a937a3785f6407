"""One stage for all the faults that leave it whole, and the rows of those that were injected.

RELIABILITY=docs/reliability.md writes that document when every fault was injected and none did harm.
"""

import csv
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults.document import written
from faults.own import OwnClients
from faults.stage import Case, Probe, Stage, stage, stream
from support import build_profile

_ROWS = pytest.StashKey[list[dict[str, Any]]]()
_OWN = pytest.StashKey[dict[str, OwnClients]]()


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of rows like those of the stream."""
    directory = tmp_path_factory.mktemp("profile")
    draw = random.Random(11)
    with (directory / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["amount", "age", "colour", "score"])
        for _ in range(1000):
            writer.writerow([
                draw.lognormvariate(3, 1), draw.randint(18, 89), draw.choice(["red", "green", "blue"]), draw.random()
            ])  # fmt: skip
    words = ("--prediction", "score", "--model", "m", "--model-version", "3")
    return build_profile(directory / "train.csv", directory / "profile.json", *words)


@pytest.fixture(scope="session")
def probe() -> Iterator[Probe]:
    with stream() as found:
        yield found


@pytest.fixture(scope="session")
def shared(profile: Path) -> Iterator[Stage]:
    """Whoever uses it leaves it as it was: same worker, same supervisor, nothing under way."""
    with stage(profile, "--web.enable-lifecycle", "true") as found:
        yield found


@pytest.fixture
def case(request: pytest.FixtureRequest, probe: Probe) -> Iterator[Case]:
    """The fault that the test is marked with."""
    marker = request.node.get_closest_marker("fault")
    assert marker, "a test of this folder says which fault it injects"
    found = Case(marker.args[0], probe)
    yield found
    if found.seen.phases:
        request.config.stash.setdefault(_ROWS, []).append(found.row())


@pytest.fixture
def own_clients(request: pytest.FixtureRequest) -> OwnClients:
    """For a fault that is its clients: no stream is started. One row for all cases of a test that are marked."""
    marker = request.node.get_closest_marker("fault")
    if marker is None:
        return OwnClients(None)
    plan = marker.args[0]
    return request.config.stash.setdefault(_OWN, {}).setdefault(plan.title, OwnClients(plan))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the document, where that was asked for and everything held."""
    target = os.environ.get("RELIABILITY")
    if target and exitstatus == 0:
        own = [found.row() for found in session.config.stash.get(_OWN, {}).values()]
        rows = session.config.stash.get(_ROWS, []) + [row for row in own if row]
        Path(target).write_text(written(rows))
