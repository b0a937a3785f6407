"""What clients see of a state directory that fails, holds what nobody can read, or comes from another time: nothing."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import pytest
from faults.disks import (
    DAY_S,
    failing,
    flip,
    injected,
    kept,
    make_newer,
    mounted,
    move_clocks,
    on_disk,
    read_only,
    reload,
    rows_in,
    samples,
    shown,
    state_file,
)
from faults.stage import Case, Stage, fault, stage
from support import Metrics, eventually, predict

from exporter.state.directory import file_name
from exporter.state.image import pack, unpack

LONGEST = "10m"
PANE_S = 5.0
"""No pane of the windows of a stage is longer."""
BAD = {
    "damaged": flip,
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "newer": make_newer,
    "foreign": lambda path: _give_away(path, model="another"),
}
CLOCKS: dict[str, tuple[dict[str, Any], bool]] = {
    "set back": ({"wall_s": DAY_S}, True),
    "booted and set back": ({"boot": "before the reboot", "wall_s": DAY_S}, False),
    "booted and set ahead": ({"boot": "before the reboot", "wall_s": -DAY_S}, False),
}


def _give_away(path: Path, **whose: str) -> None:
    """Somebody else's windows under this name."""
    image = unpack(path.read_bytes())
    path.write_bytes(pack(image.owner._replace(**whose), image.moment, image.arrays.items()))


class Place:
    """A sidecar that keeps its windows in a directory, on a small disk of its own."""

    def __init__(self, scene: Stage, disk: Path) -> None:
        self.scene, self.disk, self.state = scene, disk, disk / "state"
        rows = [{"amount": 9.0, "age": age, "colour": "red"} for age in range(20, 60)]
        predict(scene.running.url, rows, f"/v1/models/m:predict?rows={len(rows)}")
        eventually(lambda: samples(shown(scene.running), LONGEST) == len(rows), what="rows")
        kept(scene.running)
        self.left = state_file(self.state).read_bytes()
        """A file of windows with some rows."""
        self._others_from = time.monotonic() + PANE_S

    def next_pane(self) -> None:
        """Wait until what follows is in other panes than what was left: of one that both have, one counts alone."""
        eventually(lambda: time.monotonic() > self._others_from, what="the next pane")

    def goes_on(self, held: int) -> Metrics:
        """A scrape after new rows were counted, in windows that had `held` rows before."""

        def counted() -> Metrics | None:
            metrics = shown(self.scene.running)
            new = metrics.total("model_rows_total")
            return metrics if new and samples(metrics, LONGEST) == held + new else None

        found: Metrics = eventually(counted, what=f"windows go on from {held} rows")
        return found

    def gets(self, version: str, change: Callable[[Path], Any]) -> None:
        """Have the settings of another version, and another directory, in which what was left is its own, changed."""
        self.state = self.disk / version.replace(" ", "-")
        self.state.mkdir()
        image = unpack(self.left)
        owner = image.owner._replace(version=version)
        path = self.state / file_name(owner)
        path.write_bytes(pack(owner, image.moment, image.arrays.items()))
        change(path)
        reload(self.scene.running, self.disk.with_name("exporter.yml"), settings(self.state, version))


def settings(state: Path, version: str = "3") -> dict[str, Any]:
    return {"state": {"directory": str(state), "interval": "300ms"}, "model": {"version": version}}


@pytest.fixture(scope="module")
def place(profile: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Whoever uses it leaves it with a directory in which windows are kept."""
    disk = tmp_path_factory.mktemp("place") / "disk"
    disk.mkdir()
    path = disk.with_name("exporter.yml")
    path.write_text(json.dumps(settings(disk / "state")))
    with mounted(disk, "-t", "tmpfs", "-o", "size=1m", "tmpfs"), stage(profile, "--config", str(path)) as scene:
        yield Place(scene, disk)


def _goes_on(place: Place, case: Case, reason: str, failure: AbstractContextManager[Any]) -> None:
    """While windows are not kept, for that reason and none besides, nobody notices; then they are kept again."""
    running = place.scene.running
    with case.streaming(running):
        before = shown(running).total("inference_exporter_state_errors_total", reason=reason)
        with failure:
            failing(running, reason, beyond=before + 1)
        kept(running)
    case.unharmed()
    case.accounted()
    assert case.tell("state_errors_total", exact=False, reason=reason) == case.moved("state_errors_total") > 0
    eventually(lambda: on_disk(place.state) == samples(kept(running), LONGEST), what="all that is shown on the disk")
    case.remark = "holds; windows are kept again, all of them, as soon as it is over"


class _Filled:
    """Not a byte is free."""

    def __init__(self, disk: Path) -> None:
        self._filler = disk / "filler"

    def __enter__(self) -> None:
        with self._filler.open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(4096))

    def __exit__(self, *_: object) -> None:
        self._filler.unlink()


@fault(14, "State directory on a full disk", "the file system is filled to the last byte, then emptied")
def test_a_full_disk_harms_nobody(place: Place, case: Case) -> None:
    _goes_on(place, case, "no_space", _Filled(place.disk))


@fault(14, "State directory read-only", "the file system is mounted read-only, then as before")
def test_a_disk_that_becomes_read_only_harms_nobody(place: Place, case: Case) -> None:
    _goes_on(place, case, "read_only", read_only(place.disk))


@fault(14, "State directory on a broken disk", "each fsync of the analyser fails with EIO, by strace, for a while")
def test_a_disk_that_breaks_harms_nobody(place: Place, case: Case) -> None:
    _goes_on(place, case, "io", injected(place.scene.analyser, "fsync:error=EIO"))


@fault(
    15, "State files that nobody can read",
    "an analyser starts on one with a flipped bit, on a truncated one, on one of a newer version, and on another"
    " model's under the name of ours",
)  # fmt: skip
def test_state_files_that_cannot_be_read_harm_nobody(place: Place, case: Case) -> None:
    running = place.scene.running
    with case.streaming(running):
        for name, change in BAD.items():
            place.gets(name, change)
            assert place.goes_on(0).value("inference_exporter_state_restored") == 0
            kept(running)
            assert len(list(place.state.glob("*.unreadable-*"))) == len(list(place.state.glob("*.ixstate"))) == 1
    case.unharmed()
    case.accounted()
    assert case.tell("state_errors_total", reason="unreadable") == case.moved("state_errors_total") == len(BAD)
    case.remark = "holds; they are set aside for people to look at, windows start empty and are kept"


@fault(
    16, "Clocks that jump by a day",
    "an analyser starts on windows that were kept by a wall clock that was a day ahead; then on the same after a"
    " reboot, a day ahead and a day behind",
)  # fmt: skip
def test_clocks_that_jump_harm_nobody(place: Place, case: Case) -> None:
    running, held = place.scene.running, rows_in(unpack(place.left))
    place.next_pane()
    with case.streaming(running):
        for name, (changes, restored) in CLOCKS.items():
            place.gets(name, lambda path, changes=changes: move_clocks(path, **changes))
            metrics = place.goes_on(held * restored)
            assert metrics.value("inference_exporter_state_restored") == restored
    case.unharmed()
    case.accounted()
    assert case.moved("state_errors_total") == 0
    case.say("`state_restored` is 1 where the machine went on, and 0 after a reboot; new rows count in either case")
