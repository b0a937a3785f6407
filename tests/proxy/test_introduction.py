"""The PROXY protocol: the server is told who its client is, before the client's first byte and never twice."""

import socket
import struct
from pathlib import Path

import pytest
from proxy.rig import ANSWER, INSTANCES, PREDICT, Peer, Relay, recorder, relay
from support import command

from exporter.handoff.tally import Slot

SIGNATURE = bytes.fromhex("0D0A0D0A000D0A515549540A")


def talk(running: Relay) -> tuple[int, int]:
    """Two exchanges on one connection; the client's port and the relay's."""
    with running.connect() as client:
        for number in (1, 2):
            client.send(PREDICT, INSTANCES)
            client.read(len(ANSWER) * number - client.count)
        assert client.received == ANSWER * 2
        name = client.sock.getsockname()
        return (name[1], running.port) if isinstance(name, tuple) else (0, 0)


def answer(peer: Peer) -> None:
    for number in (1, 2):
        peer.until(INSTANCES)
        peer.send(ANSWER)
        if number == 1:
            peer.read(1)
    peer.to_end()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("form", ["v1", "v2"])
def test_the_server_is_told_the_address_of_each_client_once(host: str, form: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server(
        ("::", 0) if "ffff" in host else (host, 0), family=family, dualstack_ipv6="ffff" in host
    )
    with recorder(answer) as server, relay(server.port, listener=listener, proxy_protocol=form) as running:
        running.address = (host, running.port)
        client, own = talk(running)
        running.settled()
        version = 6 if host == "::1" else 4
        address = host.rpartition(":ffff:")[2]
        expected = f"PROXY TCP{version} {address} {address} {client} {own}\r\n".encode()
        if form == "v2":
            packed = socket.inet_pton(socket.AF_INET6 if version == 6 else socket.AF_INET, address)
            kind, size = (0x21, 36) if version == 6 else (0x11, 12)
            expected = SIGNATURE + struct.pack("!BBH", 0x21, kind, size) + packed * 2 + struct.pack("!HH", client, own)
        assert server.peers[-1].received == expected + (PREDICT + INSTANCES) * 2
        assert running.slot(Slot.BYTES_TO_SERVER) == 2 * len(PREDICT + INSTANCES), "only what clients sent is relayed"
        assert running.slot(Slot.OFFERED) == 2


@pytest.mark.parametrize(("form", "said"), [
    ("v1", b"PROXY UNKNOWN\r\n"), ("v2", SIGNATURE + b"\x20\x00\x00\x00"), ("off", b""),
])  # fmt: skip
def test_of_a_client_without_an_address_nothing_is_said(tmp_path: Path, form: str, said: bytes) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "relay.sock"))
    listener.listen()
    with recorder(answer) as server, relay(server.port, listener=listener, proxy_protocol=form) as running:
        talk(running)
        running.settled()
        assert server.peers[-1].received == said + (PREDICT + INSTANCES) * 2


def test_it_cannot_be_had_with_tls() -> None:
    found = command("check", "--upstream", "https://m", "--upstream-proxy-protocol", "v1")
    assert found.returncode == 64
    assert "settings: upstream_proxy_protocol: cannot be had with an https:// upstream" in found.stderr
