"""The ways in and out: several ports, IPv6, Unix sockets, names that move."""

import asyncio
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from proxy.rig import ANSWER, INSTANCES, PREDICT, Peer, converse, recorder, relay
from support import Answering, command, eventually, free_port, model_server, predict, sidecar

from exporter.handoff.tally import Slot
from exporter.proxy.upstream import Upstream


def unix_listener(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(path))
    sock.listen(256)
    return sock


def ask(peer: Peer) -> None:
    peer.send(PREDICT, INSTANCES)
    peer.read(len(ANSWER))


def answer(peer: Peer) -> None:
    peer.read(len(PREDICT + INSTANCES))
    peer.send(ANSWER)


def test_a_server_behind_a_unix_socket_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "model.sock"
    with recorder(answer, unix_listener(path)) as server, relay(str(path)) as running:
        assert running.converse(ask).received == ANSWER
        running.settled()
        assert server.peers[-1].received == PREDICT + INSTANCES
        assert running.slot(Slot.OFFERED) == 1


def test_a_unix_socket_without_a_server_is_a_502(tmp_path: Path) -> None:
    with relay(str(tmp_path / "none.sock")) as running:
        assert running.converse(lambda peer: peer.send(PREDICT)).received.startswith(b"HTTP/1.1 502 ")


def test_clients_may_come_through_a_unix_socket(tmp_path: Path) -> None:
    listener = unix_listener(tmp_path / "relay.sock")
    with recorder(answer) as server, relay(server.port, listener=listener) as running:
        assert running.converse(ask).received == ANSWER
        running.settled()


def test_a_half_close_passes_through_unix_sockets(tmp_path: Path) -> None:
    def server_script(peer: Peer) -> None:
        peer.to_end()
        peer.send(ANSWER)

    path = tmp_path / "model.sock"
    listener = unix_listener(tmp_path / "relay.sock")
    with recorder(server_script, unix_listener(path)), relay(str(path), listener=listener) as running:
        assert running.converse(lambda peer: (peer.send(PREDICT, INSTANCES), peer.finish())).received == ANSWER


def test_both_sides_may_be_ipv6() -> None:
    with (
        recorder(answer, socket.create_server(("::1", 0), family=socket.AF_INET6)) as server,
        relay(server.port, host="::1", listener=socket.create_server(("::1", 0), family=socket.AF_INET6)) as running,
    ):
        assert running.converse(ask).received == ANSWER


class Seen(asyncio.Protocol):
    """Notes where it was connected to."""

    address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.address = transport.get_extra_info("peername")[0]
        transport.close()


def test_a_name_is_resolved_at_every_connect_and_all_its_addresses_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    answers = iter([["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        assert host == "model.test"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

    async def connect() -> str:
        seen = Seen()
        await Upstream(("model.test", port), 5.0).connect(lambda: seen)
        return seen.address

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with socket.create_server(("127.0.0.1", port)):
        assert asyncio.run(connect()) == "127.0.0.1"
    with socket.create_server(("127.0.0.2", port)):
        assert asyncio.run(connect()) == "127.0.0.2"


# --- the whole sidecar


class Second(Answering):
    """Another port of the same server."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        self.rfile.read(int(self.headers["content-length"]))
        self._send(200, b'{"predictions": [22]}', "application/json")


def test_several_ports_of_one_server_are_one_account(tmp_path: Path) -> None:
    third = tmp_path / "third.sock"
    second_port = free_port()
    with model_server() as first, model_server(Second) as second, sidecar(
        first, "--route", f"127.0.0.1:{second_port}=http://127.0.0.1:{second}",
        "--route", f"unix:{third}=http://127.0.0.1:{second}", "--workers", "2",
    ) as running:  # fmt: skip
        assert predict(running.url, [[1, 2]])["predictions"] == [3.0]
        assert predict(f"http://127.0.0.1:{second_port}", [[1, 2]])["predictions"] == [22]
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(third))
            with Peer(sock) as client:
                client.send(PREDICT, INSTANCES)
                client.until(b"}")
            assert client.received.endswith(b'{"predictions": [22]}')
        assert running.settled(3).total("model_requests_total") == 3
        assert running.stop() == 0
    assert not third.exists(), "what was made is removed"


def test_the_server_may_be_watched_through_its_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "model.sock"
    code = f"import socket; s = socket.socket(socket.AF_UNIX); s.bind({str(path)!r}); s.listen(9)\nwhile 1: s.accept()"
    server = subprocess.Popen([sys.executable, "-c", code])
    try:
        with sidecar(1, "--upstream", f"unix:{path}", "--upstream-probe-interval", "100ms") as running:
            for name in ("model_server_up", "model_server_process_visible"):
                eventually(lambda name=name: running.metrics().total(name) == 1, what=name)
    finally:
        server.kill()
        server.wait(10)


def test_a_socket_left_by_a_killed_sidecar_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "relay.sock"
    unix_listener(path).close()
    assert stat.S_ISSOCK(path.stat().st_mode)
    with model_server() as upstream, sidecar(upstream, "--listen", f"unix:{path}") as running:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert sock.recv(1)
        assert running.stop() == 0


@pytest.mark.parametrize("taken_by", ["a server", "a file"])
def test_a_path_that_is_taken_is_left_alone(tmp_path: Path, taken_by: str) -> None:
    path = tmp_path / "relay.sock"
    with unix_listener(path) if taken_by == "a server" else path.open("w"):
        result = command(
            "serve", "--upstream", "http://127.0.0.1:9", "--listen", f"unix:{path}",
            "--web.listen-address", "127.0.0.1:0", "--health.listen-address", "127.0.0.1:0",
        )  # fmt: skip
    assert result.returncode == 64
    assert f"listen: cannot listen on unix:{path}: " in result.stderr
    assert path.exists()


def test_the_port_of_an_upstream_and_of_a_client_need_not_be_of_one_kind(tmp_path: Path) -> None:
    path = tmp_path / "model.sock"
    with recorder(answer, unix_listener(path)), relay(str(path)) as running:
        assert converse(running.port, ask).received == ANSWER
