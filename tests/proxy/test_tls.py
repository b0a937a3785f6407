"""TLS on either side: verified, HTTP/1.1 only, and ends that are what they were as far as TLS knows them."""

import json
import socket
import ssl
import subprocess
import threading
import urllib.request
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from proxy.rig import ANSWER, BLOCK, INSTANCES, MIB, NOTHING, PREDICT, Peer, Relay, Script, converse, recorder, relay
from support import command, eventually, model_server, sidecar, tool

from exporter.handoff.tally import Slot

GET: Final = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Files(NamedTuple):
    """A certificate for localhost that vouches for itself, and its key."""

    cert: str
    key: str

    def for_clients(self) -> dict[str, str]:
        return {"cert_file": self.cert, "key_file": self.key}

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.cert)
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context

    def serve(self, script: Script) -> Script:
        """A server's script, spoken over TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self)

        def over_tls(peer: Peer) -> None:
            peer.sock = context.wrap_socket(peer.sock, server_side=True)
            script(peer)

        return over_tls


def make(folder: Path, name: str) -> Files:
    folder.mkdir(exist_ok=True)
    files = Files(str(folder / "cert.pem"), str(folder / "key.pem"))
    subprocess.run(
        [tool("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", files.key, "-out", files.cert, "-subj", f"/CN={name}", "-days", "2",
         "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make(tmp_path_factory.mktemp("tls"), "localhost")


def connect(running: Relay, files: Files) -> Peer:
    peer = running.connect()
    peer.sock = files.client().wrap_socket(peer.sock, server_hostname="localhost", suppress_ragged_eofs=False)
    return peer


# --- clients


def test_a_client_speaks_http1_over_tls_and_is_observed(files: Files) -> None:
    def server_script(peer: Peer) -> None:
        peer.read(len(PREDICT + INSTANCES))
        peer.send(ANSWER)

    with recorder(server_script) as server, relay(server.port, listen_tls=files.for_clients()) as running:
        with connect(running, files) as client:
            assert client.sock.selected_alpn_protocol() == "http/1.1"
            client.send(PREDICT, INSTANCES)
            client.to_end()
            assert client.received == ANSWER
        running.settled()
        assert server.peers[-1].received == PREDICT + INSTANCES
        assert [one.request.content for one in running.exchanges()] == [INSTANCES]


@pytest.mark.parametrize("slow", [False, True])
def test_an_answer_that_ends_with_its_connection_is_whole(files: Files, slow: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    done = threading.Event()

    def server_script(peer: Peer) -> None:
        peer.read(len(GET))
        peer.send(head, *[BLOCK] * 16)
        peer.finish()
        done.set()

    with recorder(server_script) as server, relay(server.port, listen_tls=files.for_clients()) as running:
        with connect(running, files) as client:
            client.send(GET)
            if slow:
                client.read(MIB)
                assert not done.wait(0.5), "whoever does not read is not sent to"
            client.to_end()  # raises where TLS was not ended in order
            assert client.count == len(head) + 16 * MIB
        running.settled()
        assert running.slot(Slot.OFFERED) == 1


def test_an_upload_of_any_length_arrives(files: Files) -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (64 * MIB)

    def server_script(peer: Peer) -> None:
        peer.read(len(request) + 64 * MIB)
        peer.send(NOTHING)

    with recorder(server_script) as server, relay(server.port, listen_tls=files.for_clients()) as running:
        with connect(running, files) as client:
            client.send(request, *[BLOCK] * 64)
            client.to_end()
            assert client.received == NOTHING
        assert server.peers[-1].count == len(request) + 64 * MIB


def test_a_reset_by_the_server_is_no_ordinary_end_of_tls(files: Files) -> None:
    def server_script(peer: Peer) -> None:
        peer.read(len(GET))
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        assert got.wait(10)
        peer.reset()

    got = threading.Event()
    with (
        recorder(server_script) as server,
        relay(server.port, listen_tls=files.for_clients()) as running,
        connect(running, files) as client,
    ):
        client.send(GET)
        client.read(20)
        got.set()
        try:
            client.to_end()
        except ssl.SSLEOFError:
            client.was_reset = True
        assert client.was_reset


def test_whoever_does_not_speak_tls_is_counted_and_let_go(files: Files) -> None:
    with recorder(lambda peer: (peer.some(), peer.send(NOTHING))) as server:
        with relay(server.port, listen_tls=files.for_clients()) as running:
            client = converse(running.port, lambda peer: peer.send(GET))
            assert not client.received.startswith(b"HTTP")
            eventually(lambda: running.slot(Slot.ACCEPT_ERRORS_TLS) == 1)
            with connect(running, files) as other:
                other.send(GET)
                other.to_end()
                assert other.received == NOTHING
        assert len(server.peers) == 1


def test_a_client_that_is_refused_reads_why_over_tls(files: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with relay(port, listen_tls=files.for_clients()) as running, connect(running, files) as client:
        client.send(GET)
        client.until(b"reached\n")
        assert client.received.startswith(b"HTTP/1.1 502 ")


# --- the server


def _verify(files: Files, **more: Any) -> dict[str, Any]:
    return {"ca_file": files.cert, "server_name": None, "insecure_skip_verify": False, **more}


def answer(peer: Peer) -> None:
    peer.read(len(GET))
    peer.send(NOTHING)
    peer.to_end()


def test_a_server_is_spoken_to_over_tls(files: Files) -> None:
    with (
        recorder(files.serve(answer)) as server,
        relay(server.port, "localhost", upstream_tls=_verify(files)) as running,
    ):
        with running.connect() as client:
            client.send(GET)
            client.read(len(NOTHING))
            assert client.received == NOTHING
        running.settled()
        server.join()


@pytest.mark.parametrize(("change", "status"), [
    ({"server_name": "localhost"}, b"204"), ({"server_name": "other.example"}, b"502"),
    ({"ca_file": None}, b"502"), ({"ca_file": None, "insecure_skip_verify": True}, b"204"),
], ids=["the name", "another name", "an unknown authority", "unverified"])  # fmt: skip
def test_a_server_must_be_who_it_should(files: Files, change: Any, status: bytes) -> None:
    with recorder(files.serve(answer)) as server:
        with relay(server.port, upstream_tls=_verify(files, **change)) as running, running.connect() as client:
            client.send(GET)
            client.until(b"\r\n")
            assert client.received.startswith(b"HTTP/1.1 " + status)
            assert running.slot(Slot.CONNECT_ERRORS) == (status == b"502")
        server.errors.clear()


def test_a_client_that_half_closes_is_still_answered_over_tls(files: Files) -> None:
    ended = threading.Event()

    def server_script(peer: Peer) -> None:
        peer.read(len(GET))
        assert ended.wait(10)
        peer.send(NOTHING)
        peer.to_end()

    def half_close(peer: Peer) -> None:
        peer.send(GET)
        eventually(lambda: running.slot(Slot.IN_FLIGHT) == 1)
        peer.finish()
        ended.set()

    with recorder(files.serve(server_script)) as server:
        with relay(server.port, "localhost", upstream_tls=_verify(files)) as running:
            assert converse(running.port, half_close).received == NOTHING
            running.settled()
        server.join()


def test_a_client_that_leaves_between_requests_leaves_no_connection_to_the_server(files: Files) -> None:
    with recorder(files.serve(answer)) as server:
        with relay(server.port, "localhost", upstream_tls=_verify(files)) as running:
            with running.connect() as client:
                client.send(GET)
                client.read(len(NOTHING))
            running.settled()
        server.join()


def test_tls_on_both_sides_passes_on_what_it_gets(files: Files) -> None:
    def echo(peer: Peer) -> None:
        peer.read(8 * MIB)
        peer.send(*[BLOCK] * 8)
        peer.to_end()

    with recorder(files.serve(echo)) as server, relay(
        server.port, "localhost", upstream_tls=_verify(files), listen_tls=files.for_clients()
    ) as running, connect(running, files) as client:  # fmt: skip
        client.send(*[BLOCK] * 8)
        client.read(8 * MIB)
        assert client.digest == server.peers[-1].digest


# --- the whole sidecar


def test_a_sidecar_with_tls_scores_what_it_relays(files: Files) -> None:
    with model_server() as upstream, sidecar(
        upstream, "--listen-tls.cert-file", files.cert, "--listen-tls.key-file", files.key
    ) as running:  # fmt: skip
        request = urllib.request.Request(
            f"https://localhost:{running.port}/v1/models/m:predict", json.dumps({"instances": [[1, 2]]}).encode(),
            {"content-type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(
            request, timeout=30, context=ssl.create_default_context(cafile=files.cert)
        ) as found:
            assert json.load(found) == {"predictions": [3.0]}
        assert running.settled(1).value("model_rows_total") == 1


def test_files_that_cannot_be_used_are_named(files: Files, tmp_path: Path) -> None:
    other = make(tmp_path / "other", "other")
    locked = str(tmp_path / "locked.pem")
    subprocess.run(["openssl", "ec", "-in", files.key, "-aes128", "-passout", "pass:x", "-out", locked],
                   check=True, capture_output=True)  # fmt: skip
    none = str(tmp_path / "none.pem")
    for cert, key, words in (
        (none, files.key, f"listen_tls.cert_file: cannot read {none}"),
        (files.cert, none, f"listen_tls.key_file: cannot read {none}"),
        (files.cert, other.key, "listen_tls: "),
        (files.cert, locked, "encrypted"),
        (files.key, files.key, "no certificate and its key"),
    ):
        found = command("check", "--listen-tls.cert-file", cert, "--listen-tls.key-file", key)
        assert found.returncode == 64
        assert words in found.stderr
    found = command("check", "--listen-tls.cert-file", files.cert)
    assert found.stderr == "inference-exporter: settings: listen_tls.key_file: must be given where cert_file is\n"
    found = command("check", "--upstream", "https://m", "--upstream-tls.ca-file", files.key)
    assert "upstream_tls.ca_file" in found.stderr
