"""What is seen of the model server from outside, with real processes."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from support import eventually, free_port

from exporter import vitals
from exporter.vitals import ServerWatch

FORKING_SERVER = """
import os, socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for _ in range(2):
    if os.fork() == 0:
        end = time.process_time() + 0.2
        while time.process_time() < end: pass
        time.sleep(60)
time.sleep(60)
"""


@contextmanager
def forking_server() -> Iterator[tuple[int, psutil.Process]]:
    """A pre-forking server: a parent and two children that share its socket."""
    port = free_port()
    process = psutil.Popen([sys.executable, "-c", FORKING_SERVER, str(port)])
    try:
        eventually(lambda: len(process.children()) == 2, what="two children")
        yield port, process
    finally:
        family = [*process.children(recursive=True), process]
        for one in family:
            one.kill()
        psutil.wait_procs(family)


def test_the_whole_tree_of_a_forking_server_is_added_up() -> None:
    with forking_server() as (port, process):
        watch = ServerWatch(("127.0.0.1", port), None, lambda: ())
        eventually(lambda: watch.look().process.cpu_seconds > 0.35, what="the children's CPU time")
        seen = watch.look()
        assert (seen.up, seen.visible, seen.processes) == (True, True, 3)
        assert seen.process.started_wall_s == process.create_time()
        own = sum(one.memory_info().rss for one in [process, *process.children()])
        assert seen.process.resident_bytes == pytest.approx(own, rel=0.2)


def test_cpu_time_of_children_that_ended_is_kept() -> None:
    script = "import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', 'sum(range(10**7))'])\ntime.sleep(60)"
    process = psutil.Popen([sys.executable, "-c", script])
    watch = ServerWatch(("127.0.0.1", free_port()), process.pid, lambda: ())
    try:
        eventually(lambda: watch.look().processes == 2, what="the child")
        seen = []
        eventually(lambda: seen.append(watch.look()) or seen[-1].processes == 1, what="its end")
        after = watch.look()
        assert after.process.cpu_seconds >= max(one.process.cpu_seconds for one in seen)
        assert after.process.cpu_seconds > 0.1
    finally:
        process.kill()
        process.wait()


def test_a_server_that_is_gone_is_down_and_another_one_is_found_again(caplog: pytest.LogCaptureFixture) -> None:
    with forking_server() as (port, _):
        watch = ServerWatch(("localhost", port), None, lambda: ())
        assert watch.look().visible
    eventually(lambda: not watch.look().visible, what="its end seen")
    with caplog.at_level(logging.WARNING):
        caplog.clear()
        watch._told = False
        for _ in range(3):
            seen = watch.look()
            assert (seen.up, seen.visible, seen.process) == (False, False, None)
    assert len(caplog.records) == 1, "said once"
    listener = socket.create_server(("127.0.0.1", port))
    with listener:
        assert watch.look().visible


def test_a_process_of_ours_on_that_port_is_not_taken_for_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not ServerWatch(("127.0.0.1", port), None, lambda: (os.getpid(),)).look().visible


def test_the_same_port_on_another_host_or_address_is_not_taken_for_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        # An address for documentation (RFC 5737): nobody's, and nothing is sent to it here.
        assert ServerWatch(("192.0.2.1", port), None, lambda: ())._find() is None
        assert ServerWatch(("127.0.0.2", port), None, lambda: ())._find() is None


def test_a_declared_process_is_believed_while_it_lives() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    watch = ServerWatch(("127.0.0.1", free_port()), child.pid, lambda: ())
    assert watch.look().visible
    child.communicate(b"\n")
    assert not watch.look().visible


def test_processes_of_ours_that_ended_are_left_out() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    assert set(vitals.own({"me": os.getpid(), "gone": child.pid, "never": 0})) == {"me"}
