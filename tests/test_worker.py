"""The relay process: what it loads, what it weighs, and how it takes over from one that died."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from proxy.rig import MIB, converse, recorder, relay
from support import build_profile, eventually

from exporter.handoff.tally import Slot

HEAVY = ("numpy", "scipy", "flask", "yaml", "prometheus_client", "orjson", "psutil", "cheroot", "requests")
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
NOTHING = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize("module", ["exporter.worker", "exporter.supervisor"])
def test_a_process_of_the_request_path_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*[name for name in {HEAVY} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.split() == []


def test_an_analyser_that_has_nothing_to_score_or_to_post_starts_without_what_that_takes() -> None:
    code = "import sys, exporter.analyser; print(*{'scipy.special', 'requests'} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.split() == []


def test_whoever_reads_the_settings_for_serve_loads_nothing_heavy_so_that_clients_do_not_wait(tmp_path: Path) -> None:
    train = tmp_path / "train.csv"
    train.write_text("age,p\n" + "".join(f"{row % 90},{row % 2}\n" for row in range(200)))
    profile = build_profile(train, tmp_path / "profile.json", "--prediction", "p")
    said = ["check", "--json", "--no-relay", "--profile", str(profile)]
    code = (
        f"import sys, exporter.cli; assert exporter.cli.main({said}) == 0;"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    settings, loaded = found.stdout.splitlines()
    assert (json.loads(settings)["profile"], loaded) == (str(profile), "[]")


def test_a_fresh_worker_is_small() -> None:
    with recorder(lambda _: None) as server, relay(server.port) as running:
        eventually(lambda: running.slot(Slot.HEARTBEAT_NS))
        assert running.resident() <= 40 * MIB


@pytest.mark.parametrize("times", [1, 2])
def test_sigterm_ends_a_worker_with_nothing_to_do(times: int) -> None:
    with recorder(lambda _: None) as server, relay(server.port) as running:
        eventually(lambda: running.slot(Slot.HEARTBEAT_NS))
        for _ in range(times):
            running.process.send_signal(signal.SIGUSR1)
        assert running.stop() == 0


def test_sigint_is_left_to_the_supervisor() -> None:
    with recorder(lambda peer: (peer.some(), peer.send(NOTHING))) as server, relay(server.port) as running:
        eventually(lambda: running.slot(Slot.HEARTBEAT_NS))
        running.process.send_signal(signal.SIGINT)
        assert converse(running.port, lambda peer: peer.send(GET)).received == NOTHING


def test_a_successor_goes_on_counting_where_a_killed_worker_stopped() -> None:
    with recorder(lambda peer: (peer.some(), peer.send(NOTHING))) as server, relay(server.port) as running:
        converse(running.port, lambda peer: peer.send(GET))
        with running.connect() as client:
            client.send(GET[:-2])
            eventually(lambda: running.slot(Slot.CONNECTIONS) == 2)
            running.process.send_signal(signal.SIGKILL)
            running.process.wait(10)
            client.to_end()
        running.start()
        assert running.slot(Slot.CONNECTIONS_OPEN) == running.slot(Slot.IN_FLIGHT) == 0
        converse(running.port, lambda peer: peer.send(GET))
        running.settled()
        assert running.slot(Slot.OFFERED) == len(running.exchanges()) == 2
        assert running.slot(Slot.WORKER_LOST) == running.reader.corrupt == 0
