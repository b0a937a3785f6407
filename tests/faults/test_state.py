"""The state directory end to end: windows go on after a restart, and whatever a disk does, traffic and scores go on.

Faults are the kernel's own: a full or read-only file system, calls that fail or hang under strace, files damaged where
they lie, processes killed.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from faults import disks
from faults.disks import (
    DAY_S,
    errors,
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
    scrape,
    shown,
    state_file,
)
from monitor_scenes import FEATURES, live_rows, make_profile
from support import Metrics, Sidecar, children, eventually, model_server, predict, sidecar, tool

from exporter.state.image import unpack

FAST = ("--windows.pane", "1s", "--windows.lengths", "60s,1000s", "--windows.snapshot-interval", "200ms",
        "--state.interval", "300ms")  # fmt: skip
LONG = "1000s"


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    with model_server() as port:
        yield port


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("profile")
    make_profile(directory)
    return directory / "profile.json"


@pytest.fixture(scope="module")
def earlier(upstream: int, profile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that a run of 60 rows has left."""
    state = tmp_path_factory.mktemp("earlier")
    with watching(upstream, profile, state) as running:
        send(running, 3)
        running.settled(3)
        assert running.stop() == 0
    return state_file(state)


@pytest.fixture
def left(earlier: Path, tmp_path: Path) -> Path:
    """That file, in a directory of the test's."""
    return Path(shutil.copy(earlier, tmp_path / earlier.name))


@contextmanager
def watching(upstream: int, profile: Path, state: Path, *flags: str) -> Iterator[Sidecar]:
    """A sidecar that keeps its windows in a directory."""
    with sidecar(upstream, "--profile", str(profile), "--state", str(state), *FAST, *flags) as running:
        yield running


def send(running: Sidecar, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        rows = live_rows(20, number)
        assert len(predict(running.url, rows)["predictions"]) == len(rows)


def samples(metrics: Metrics) -> float:
    return disks.samples(metrics, LONG)


def scores(metrics: Metrics) -> dict[tuple[str, str, str], float]:
    """Every score of the long window: nothing leaves it while a test runs."""
    names = ("psi", "psi_critical", "ks", "total_variation", "mean_shift_zscore", "missing_ratio", "window_samples",
             "window_sufficient")  # fmt: skip
    return {
        (side, name, labels.get("feature", "") + labels.get("output", "")): value
        for side in ("feature", "prediction") for name in names
        for labels, value in metrics.all(f"model_{side}_{name}", window=LONG)
    }  # fmt: skip


def kill_all(running: Sidecar) -> None:
    """As the end of a container: every process at once, and nobody is told."""
    for pid in [running.process.pid, *(pid for pid, _ in children(running.process.pid))]:
        os.kill(pid, signal.SIGKILL)
    running.process.wait(10)


# --- going on


@pytest.mark.parametrize("end", ["told to end", "killed, all of it"])
def test_windows_and_scores_go_on_after_a_restart_and_counts_begin_at_nought(
    upstream: int, profile: Path, tmp_path: Path, end: str
) -> None:
    with watching(upstream, profile, tmp_path) as running:
        send(running, 12)
        running.settled(12)
        before = kept(running)
        if end == "told to end":
            assert running.stop() == 0
        else:
            kill_all(running)
    assert samples(before) == 240
    assert before.value("inference_exporter_state_restored") == 0
    with watching(upstream, profile, tmp_path) as running:
        after = shown(running)
        assert after.value("inference_exporter_state_restored") == 1
        assert len(scores(before)) > 4 * len(FEATURES)
        assert scores(after) == scores(before)
        begun = [found.value("model_window_start_timestamp_seconds", window=LONG) for found in (before, after)]
        assert begun[0] == pytest.approx(begun[1], abs=0.5)
        assert after.value("model_window_start_timestamp_seconds", window="1m") >= begun[1] - 0.5
        for counter in ("model_feature_values_total", "model_feature_bin_total", "model_rows_total",
                        "model_requests_total", "inference_exporter_exchanges_observed_total"):  # fmt: skip
            assert after.total(counter) == 0
        send(running, 3, start=12)
        both = running.settled(3)
        assert samples(both) == 300
        assert both.value("model_feature_values_total", feature="age") == 60
        assert errors(both) == {}


def test_what_memory_holds_is_newer_than_any_file(upstream: int, profile: Path, tmp_path: Path) -> None:
    with watching(upstream, profile, tmp_path, "--state.interval", "1h", "--model.name", "m") as running:
        eventually(lambda: list(tmp_path.glob("*.ixstate")), what="the first file, of no rows")
        send(running, 5)
        before = running.settled(5)
        for _ in range(2):
            pid = running.pid_of("exporter.analyser")
            os.kill(pid, signal.SIGKILL)
            eventually(lambda pid=pid: running.pid_of("exporter.analyser") not in {0, pid}, what="the next analyser")
            after = shown(running)
            assert scores(after) == scores(before)
            assert after.value("inference_exporter_state_restored") == 0
            assert after.value("model_feature_values_total", feature="age") == 100


def test_restored_windows_and_what_is_told_of_them_survive_the_analyser(
    upstream: int, profile: Path, left: Path
) -> None:
    with watching(upstream, profile, left.parent) as running:
        kept(running)
        left.unlink()  # it is not needed any more
        pid = running.pid_of("exporter.analyser")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.analyser") not in {0, pid}, what="the next analyser")
        after = kept(running)
        assert samples(after) == 60
        assert after.value("inference_exporter_state_restored") == 1
        assert errors(after) == {}


def test_longer_windows_set_while_it_runs_have_what_the_old_ones_held(
    upstream: int, profile: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "exporter.yml"
    settings.write_text("windows: {lengths: [60s, 500s]}")
    state = tmp_path / "state"
    flags = ("--profile", str(profile), "--state", str(state), "--config", str(settings), "--windows.pane", "1s")
    with sidecar(upstream, *flags, "--windows.snapshot-interval", "200ms") as running:
        send(running, 4)
        running.settled(4)
        settings.write_text("windows: {lengths: [60s, 1000s]}")
        running.process.send_signal(signal.SIGHUP)

        def longer() -> Metrics | None:
            metrics = scrape(running)
            return metrics if metrics and metrics.all("model_feature_window_samples", window=LONG) else None

        after = eventually(longer, what="the new window")
        assert samples(after) == 80
        assert after.value("model_feature_values_total", feature="age") == 80


# --- clocks


@pytest.mark.parametrize(("changes", "restored"), [
    ({"wall_s": DAY_S}, True),  # the clock went back by a day, the machine went on
    ({"boot": "before the reboot", "wall_s": DAY_S}, False),  # it went back, who knows by how much
    ({"boot": "before the reboot", "wall_s": -DAY_S}, False),  # a day old, as far as anybody knows
], ids=["back", "reboot and back", "reboot and ahead"])  # fmt: skip
def test_clocks_that_jump_by_a_day_neither_freeze_windows_nor_empty_them_twice(
    upstream: int, profile: Path, left: Path, changes: Any, restored: bool
) -> None:
    move_clocks(left, **changes)
    held = 60 if restored else 0
    for number in range(2):
        with watching(upstream, profile, left.parent) as running:
            metrics = shown(running)
            assert samples(metrics) == held
            assert metrics.value("inference_exporter_state_restored") == int(held > 0)
            assert errors(metrics) == {}
            send(running, 1, start=number)
            metrics = running.settled(1)
            held += 20
            assert samples(metrics) == held, "what is new counts, whatever was before"
            age_s = time.time() - metrics.value("model_window_start_timestamp_seconds", window=LONG)
            assert 0 <= age_s < 900
            running.stop()


# --- what is there cannot be read


@pytest.mark.parametrize("damage", [flip, make_newer], ids=["flipped", "newer"])
def test_a_file_that_cannot_be_read_is_set_aside_and_everything_starts(
    upstream: int, profile: Path, left: Path, damage: Any
) -> None:
    damage(left)
    content = left.read_bytes()
    with watching(upstream, profile, left.parent, "--model.name", "m") as running:
        metrics = shown(running)
        assert errors(metrics) == {"unreadable": 1}
        assert metrics.value("inference_exporter_state_restored") == 0
        assert samples(metrics) == 0
        assert "cannot be read, are set aside and start empty" in running.log()
        (aside,) = left.parent.glob("*.unreadable-*")
        assert aside.read_bytes() == content
        send(running, 1)
        assert samples(running.settled(1)) == 20
        assert errors(kept(running)) == {"unreadable": 1}
        assert on_disk(left.parent) == 20


# --- the disk


def goes_on(running: Sidecar, exchanges: int) -> None:
    """Requests are answered and counted, windows grow."""
    send(running, 1, start=exchanges)
    assert samples(running.settled(exchanges + 1)) == 20 * (exchanges + 1)


def recovers(running: Sidecar, state: Path) -> None:
    """The windows are written again, all of them, by themselves."""
    metrics = kept(running)
    assert on_disk(state) == samples(metrics)
    assert "windows are kept" in running.log()
    eventually(lambda: not list(state.glob("*.tmp")), what="nothing half left")


def test_a_full_disk_costs_the_snapshot_alone_until_there_is_room(upstream: int, profile: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", "size=1m", "tmpfs"), watching(upstream, profile, disk / "state") as running:
        send(running, 1)
        kept(running)
        old = state_file(disk / "state").read_bytes()
        with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(4096))
        failing(running, "no_space")
        goes_on(running, 1)
        failing(running, "no_space", beyond=2)
        eventually(lambda: not list(disk.glob("state/*.tmp")), what="nothing half left")
        assert unpack(state_file(disk / "state").read_bytes()).owner == unpack(old).owner
        assert running.log().count("are not kept") == 1
        (disk / "filler").unlink()
        recovers(running, disk / "state")


def test_a_limit_on_files_costs_the_snapshot_alone(upstream: int, profile: Path, tmp_path: Path) -> None:
    prlimit = tool("prlimit", "util-linux")
    with watching(upstream, profile, tmp_path) as running:
        send(running, 1)
        kept(running)
        analyser = str(running.pid_of("exporter.analyser"))
        subprocess.run([prlimit, "--pid", analyser, "--fsize=100:"], check=True)
        failing(running, "no_space")
        goes_on(running, 1)
        subprocess.run([prlimit, "--pid", analyser, "--fsize=unlimited:"], check=True)
        recovers(running, tmp_path)


def test_a_disk_that_becomes_read_only_costs_the_snapshot_alone_until_it_is_not(
    upstream: int, profile: Path, tmp_path: Path
) -> None:
    with watching(upstream, profile, tmp_path) as running:
        send(running, 1)
        kept(running)
        with read_only(tmp_path):
            failing(running, "read_only")
            goes_on(running, 1)
        recovers(running, tmp_path)
    with ExitStack() as until:
        until.enter_context(read_only(tmp_path))
        with watching(upstream, profile, tmp_path) as running:
            assert samples(shown(running)) == 40, "what is there can be read all the same"
            failing(running, "read_only")
            send(running, 1, start=2)
            assert samples(running.settled(1)) == 60
            assert on_disk(tmp_path) == 40
            until.close()
            recovers(running, tmp_path)


def test_a_directory_that_cannot_be_written_at_the_start_is_said_and_tried_again(
    upstream: int, profile: Path, tmp_path: Path
) -> None:
    parent = tmp_path / "parent"
    if os.geteuid():
        parent.mkdir(0o500)
    else:
        parent.write_text("a file in its place: nothing else stops root")
    state = parent / "state"
    with watching(upstream, profile, state) as running:
        failing(running, "read_only" if os.geteuid() else "other")
        assert f"windows are not kept in {state}" in running.log()
        goes_on(running, 0)
        if os.geteuid():
            parent.chmod(0o700)
        else:
            parent.unlink()
        recovers(running, state)


def next_pane() -> None:
    """Wait until what follows lies in another pane of every window."""
    began = time.monotonic() // 5
    eventually(lambda: time.monotonic() // 5 > began, what="the next pane")


def test_two_exporters_on_one_directory_take_turns_and_what_the_first_left_goes_on(
    upstream: int, profile: Path, tmp_path: Path
) -> None:
    with watching(upstream, profile, tmp_path) as first:
        send(first, 2)
        first.settled(2)
        kept(first)
        with watching(upstream, profile, tmp_path) as second:
            failing(second, "in_use")
            assert "another exporter has it" in second.log()
            assert samples(shown(second)) == 0
            next_pane()
            send(second, 1)
            assert samples(second.settled(1)) == 20
            assert errors(kept(first)) == {}
            assert on_disk(tmp_path) == 40
            first.stop()
            after = kept(second)
            assert samples(after) == 60
            assert after.value("inference_exporter_state_restored") == 1
            assert after.value("model_feature_values_total", feature="age") == 20
            assert on_disk(tmp_path) == 60
            second.stop()


# --- settings read again


@contextmanager
def reloadable(upstream: int, profile: Path, path: Path, settings: dict[str, Any]) -> Iterator[Sidecar]:
    """A sidecar that reads some of its settings from a file."""
    path.write_text(json.dumps(settings))
    with sidecar(upstream, "--profile", str(profile), "--config", str(path), *FAST) as running:
        yield running


def test_another_version_goes_on_with_no_window_or_count_of_the_one_before(
    upstream: int, profile: Path, tmp_path: Path
) -> None:
    path, state = tmp_path / "exporter.yml", {"directory": str(tmp_path / "state")}
    with reloadable(upstream, profile, path, {"state": state, "model": {"version": "1"}}) as running:
        send(running, 3)
        running.settled(3)
        kept(running)
        reload(running, path, {"state": state, "model": {"version": "2"}})
        metrics = shown(running)
        assert {labels["model_version"] for labels, _ in metrics.all("model_rows_total")} == {"2"}
        assert samples(metrics) == 0
        assert metrics.total("model_requests_total") == metrics.total("model_rows_total") == 0
        assert metrics.total("model_feature_values_total") == 0
        assert metrics.value("inference_exporter_exchanges_observed_total") == 3
        assert metrics.value("inference_exporter_payloads_decoded_total", side="request") == 3
        send(running, 1, start=3)
        assert samples(running.settled(4)) == 20
        kept(running)
        held = [unpack(file.read_bytes()) for file in (tmp_path / "state").glob("*.ixstate")]
        assert {(one.owner.version, rows_in(one)) for one in held} == {
            ("1", 60), ("2", 20)
        }  # fmt: skip
        reload(running, path, {"state": state, "model": {"version": "1"}})
        metrics = shown(running)
        assert samples(metrics) == 60
        assert metrics.value("inference_exporter_state_restored") == 1
        assert metrics.value("inference_exporter_exchanges_observed_total") == 4


def test_a_directory_set_while_it_runs_is_read_before_it_is_written_and_forgotten_when_it_goes(
    upstream: int, profile: Path, left: Path, tmp_path: Path
) -> None:
    make_newer(left)
    content = left.read_bytes()
    path = tmp_path / "exporter.yml"
    with reloadable(upstream, profile, path, {}) as running:
        send(running, 1)
        running.settled(1)
        reload(running, path, {"state": {"directory": str(left.parent)}})
        metrics = kept(running)
        assert errors(metrics) == {"unreadable": 1}
        (aside,) = left.parent.glob("*.unreadable-*")
        assert aside.read_bytes() == content
        assert samples(metrics) == on_disk(left.parent) == 20
        reload(running, path, {})
        metrics = shown(running)
        assert metrics.value("inference_exporter_state_kept_bytes") == 0
        assert metrics.value("inference_exporter_state_kept_timestamp_seconds") == 0
        assert samples(metrics) == 20


# --- calls of the kernel that fail or hang


@pytest.mark.parametrize(("fault", "reason"), [
    ("fsync:error=EIO", "io"), ("/^rename:error=EROFS", "read_only"),
])  # fmt: skip
def test_a_call_that_fails_costs_the_snapshot_alone(
    upstream: int, profile: Path, tmp_path: Path, fault: str, reason: str
) -> None:
    with watching(upstream, profile, tmp_path) as running:
        send(running, 1)
        kept(running)
        content = state_file(tmp_path).read_bytes()
        with injected(running.pid_of("exporter.analyser"), fault):
            failing(running, reason, beyond=1)
            goes_on(running, 1)
            assert unpack(state_file(tmp_path).read_bytes()).owner == unpack(content).owner
        recovers(running, tmp_path)


def test_a_disk_that_hangs_holds_up_nobody_not_even_the_end(upstream: int, profile: Path, tmp_path: Path) -> None:
    with watching(upstream, profile, tmp_path) as running:
        send(running, 1)
        kept(running)
        analyser = running.pid_of("exporter.analyser")
        with injected(analyser, "/^rename:delay_enter=100000000"):
            eventually(lambda: list(tmp_path.glob("*.tmp")), what="a write under way")
            content = state_file(tmp_path).read_bytes()
            before = shown(running).value("inference_exporter_snapshot_timestamp_seconds")
            goes_on(running, 1)
            assert shown(running).value("inference_exporter_snapshot_timestamp_seconds") > before
            running.process.send_signal(signal.SIGTERM)
            eventually(lambda: _ended(analyser), what="the analyser's end, but for the thread that strace holds")
        assert running.process.wait(30) == 0
        assert state_file(tmp_path).read_bytes() == content
        assert on_disk(tmp_path) == 20


def test_a_disk_that_takes_long_to_read_costs_a_while_and_no_window(
    upstream: int, profile: Path, left: Path, tmp_path: Path
) -> None:
    path, state = tmp_path / "exporter.yml", {"directory": str(left.parent)}
    with reloadable(upstream, profile, path, {"state": state, "model": {"name": "m", "version": "other"}}) as running:
        kept(running)
        with injected(running.process.pid, "flock:delay_enter=12000000"):
            reload(running, path, {"state": state, "model": {"name": "m"}})
            failing(running, "slow")
            assert rows_in(unpack(left.read_bytes())) == 60
            send(running, 1)
            eventually(lambda: samples(shown(running)) == 80, what="the windows of before")
            kept(running)
        assert rows_in(unpack(left.read_bytes())) == 80
        assert shown(running).value("inference_exporter_state_restored") == 1
        assert errors(shown(running)) == {"slow": 1}


def _ended(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_without_a_profile_there_is_nothing_to_keep_and_it_says_so(upstream: int, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    with sidecar(upstream, "--state", state, "--provisional.enable", "false") as running:
        assert "there are no windows without a profile" in running.log()
        assert not (tmp_path / "state").exists()
