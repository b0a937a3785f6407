"""Golden requests by the ways in which a server may be reached, and the page that they make."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from support import eventually

from exporter import config, marks
from exporter.checked import GoldenChecked
from exporter.records import Label
from exporter.rounds import Rounds

PATH = "/v1/models/m:predict"
ANSWER = json.dumps({"predictions": [1.0]}).encode()


@contextmanager
def listening(sock: socket.socket, heard: list[bytes]) -> Iterator[None]:
    """A server that hears what it is sent, and answers all of it alike."""

    def serve() -> None:
        while True:
            try:
                peer, _ = sock.accept()
            except OSError:
                return
            with peer:
                told = b""
                while not told.endswith(b"}") and (part := peer.recv(1 << 16)):
                    told += part
                heard.append(told)
                peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                             % (len(ANSWER), ANSWER))  # fmt: skip

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        sock.shutdown(socket.SHUT_RDWR)
        sock.close()
        thread.join(5)


def rounds(directory: Path, expected: float, **given: object) -> Rounds:
    file = directory / "golden.yml"
    case = {"name": "a case", "request": {"path": PATH, "body": {"instances": [[1]]}},
            "expect": {"body": {"predictions": [expected]}}}  # fmt: skip
    file.write_text(yaml.safe_dump({"cases": [case]}))
    said = {"golden.file": str(file), "golden.interval": "1s"} | given
    return Rounds(config.resolve(("test", said)), {})


def first_round(found: Rounds) -> GoldenChecked:
    """What is known after it."""
    stop = threading.Event()
    found.start(stop)

    def look() -> GoldenChecked | None:
        found.look(lambda model, version: Label(model or "m", version or "1"))
        known = found.snapshot()
        return known if known and known.rounds else None

    try:
        known: GoldenChecked = eventually(look, what="a round")
        return known
    finally:
        stop.set()


@pytest.mark.parametrize("version", ["off", "v1", "v2"])
def test_a_unix_socket_and_the_proxy_protocol_are_spoken_as_by_the_relay(tmp_path: Path, version: str) -> None:
    sock, heard = socket.socket(socket.AF_UNIX), list[bytes]()
    sock.bind(str(tmp_path / "server"))
    sock.listen()
    upstream = {"upstream": f"unix:{tmp_path / 'server'}", "upstream_proxy_protocol": version}
    with listening(sock, heard):
        known = first_round(rounds(tmp_path, 1.0, **upstream))
    (found,) = known.versions
    assert (found.asked, found.passed, found.failing[1]) == (1, 1, 0)
    assert heard[0].startswith({"off": b"POST ", "v1": b"PROXY UNKNOWN\r\n", "v2": b"\r\n\r\n\0\r\nQUIT\n"}[version])
    if version == "off":
        assert f"{marks.GOLDEN}: a case\r\n".encode() in heard[0].lower()
        assert marks.ID.encode() in heard[0]


def test_without_a_file_or_a_server_nothing_is_sent(tmp_path: Path) -> None:
    for found in (Rounds(config.resolve(), {}), rounds(tmp_path, 1.0)):
        found.start(threading.Event())
        assert not found.look(Label)
        assert (found.own, found.snapshot()) == ({}, None)
    assert not [one for one in threading.enumerate() if one.name == "golden"]
