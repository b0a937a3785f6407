"""Names that the model server has for columns: asked for once, by every way there is to reach a server."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from decode.test_contract import exchange
from merging import serving
from support import eventually

from exporter import config, metadata
from exporter.decode import Decoder
from exporter.decode.naming import Schema, metadata_path, named, schema
from exporter.records import Failure, Table
from exporter.reference import Column, Profile

INPUTS = [{"name": "age", "datatype": "FP32", "shape": [-1]}, {"name": "tenure", "datatype": "FP32", "shape": [-1, 1]}]
OUTPUTS = [{"name": "no", "datatype": "FP32", "shape": [-1, 1]}, {"name": "yes", "datatype": "FP32", "shape": [-1]}]
MODEL = {"name": "churn", "versions": ["1"], "platform": "x", "inputs": INPUTS, "outputs": OUTPUTS}
SCHEMA = Schema(("age", "tenure"), ("no", "yes"))
INFER = "/v2/models/churn/infer"


class Server:
    """A model server that says what its model is like, and remembers who asked for what."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.asked: list[str] = []
        self.answers = list(answers) or [(200, json.dumps(MODEL).encode())]

    @contextmanager
    def running(self, sock: socket.socket | None = None) -> Iterator[str]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, body = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self) -> str:
                return ""

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if sock is not None:
            server.socket.close()
            server.socket = sock
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


def asked(upstream: str, **more: Any) -> metadata.Metadata:
    found = metadata.asked(config.resolve(("test", {"upstream": upstream, **more})))
    assert found is not None
    return found


def answer(ask: metadata.Metadata, path: str = INFER) -> Schema:
    found: Schema = eventually(lambda: ask(path), what="an answer")
    return found


# --- what servers say


@pytest.mark.parametrize(("document", "expected"), [
    (MODEL, SCHEMA),
    ({"inputs": [{"name": "x", "shape": [-1, 4]}], "outputs": OUTPUTS}, Schema((), ("no", "yes"))),
    ({"inputs": [{"name": "a", "shape": [-1]}], "outputs": []}, Schema()),
    ({"inputs": [{"name": "a", "shape": ["-1", "1"]}, {"name": "b", "shape": ["-1", "1"]}]}, Schema(("a", "b"))),
    ({"inputs": [{"name": "a", "shape": [-1]}, {"name": "b", "shape": [-1, 2]}]}, Schema()),
    ({"inputs": [{"name": "a", "shape": [-1]}, {"name": "a", "shape": [-1]}]}, Schema()),
    ({"inputs": [{"name": 1, "shape": [-1]}, {"name": "a", "shape": [-1]}]}, Schema()),
    ({"inputs": [{"name": "a", "shape": -1}, {"name": "b"}]}, Schema()), ({"inputs": [1, 2]}, Schema()),
    ({"inputs": "ab", "outputs": {}}, Schema()), ({}, Schema()),
])  # fmt: skip
def test_inputs_that_are_columns_one_by_one_are_names(document: Any, expected: Schema) -> None:
    assert schema(json.dumps(document).encode()) == expected


@pytest.mark.parametrize(("path", "expected"), [
    (INFER, "/v2/models/churn"), ("/v2/models/a%20b/versions/3/infer", "/v2/models/a%20b/versions/3"),
    ("/seldon/ns/x/v2/models/m/infer", "/seldon/ns/x/v2/models/m"), ("/v2/models/m", None), ("/v2/infer", None),
    ("/v2/models/a/b/infer", None), ("/v1/models/m:predict", None), ("/v2/models/m/infer/x", None), ("", None),
])  # fmt: skip
def test_only_inferences_of_the_open_inference_protocol_have_metadata(path: str, expected: str | None) -> None:
    assert metadata_path(path) == expected


BARE = Table(1, None, ((1,), (2,)))


@pytest.mark.parametrize(("table", "names", "order", "expected"), [
    (BARE, ("a", "b"), (), ("a", "b")), (BARE, ("a", "b"), ("b", "a"), ("a", "b")),
    (BARE, ("a", "b"), ("a", "x"), ("a", "b")), (BARE, ("a", "b"), ("x", "y", "z"), ("a", "b")),
    (BARE, ("a", "b"), ("x", "y"), None), (BARE, ("a", "b", "c"), (), None), (BARE, (), (), None),
    (Table(1, ("q", "r"), ((1,), (2,))), ("a", "b"), (), ("q", "r")),
])  # fmt: skip
def test_names_of_the_request_come_first_then_the_servers_then_the_profiles(
    table: Table, names: Any, order: Any, expected: Any
) -> None:
    found = named(table, names, order)
    assert isinstance(found, Table)
    assert found.names == expected
    assert found.columns == table.columns
    assert named(Failure("empty"), ("a", "b"), ()) == Failure("empty")


# --- asking


def test_a_model_is_asked_for_once_and_nobody_waits_for_it() -> None:
    server = Server()
    with server.running() as address:
        ask = asked(f"http://{address}")
        assert ask(INFER) is None
        assert answer(ask) == SCHEMA
        assert all(ask(INFER) == SCHEMA for _ in range(10))
        assert answer(ask, "/v2/models/churn/versions/2/infer") == SCHEMA
        assert ask("/v1/models/churn:predict") is None
    assert server.asked == ["/v2/models/churn", "/v2/models/churn/versions/2"]


def test_a_server_that_refuses_is_not_asked_again_and_one_that_fails_is() -> None:
    refusing = Server((404, b"no"), (200, b"too late"))
    with refusing.running() as address:
        ask = asked(f"http://{address}")
        assert answer(ask) == Schema()
        assert len(refusing.asked) == 1
    failing = Server((503, b"busy"), (200, json.dumps(MODEL).encode()))
    with failing.running() as address:
        assert answer(asked(f"http://{address}")) == SCHEMA
        assert len(failing.asked) == 2


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b"x" * (2 << 20), b"\xff\xfe"])
def test_what_is_no_metadata_gives_no_names(body: bytes) -> None:
    with Server((200, body)).running() as address:
        assert answer(asked(f"http://{address}")) == Schema()


def test_a_server_that_is_not_there_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "_WAITS_S", (0.0, 0.01, 0.01))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ask = asked(f"http://127.0.0.1:{port}")
    for _ in range(3):
        assert ask(INFER) is None
    eventually(ask._wanted.empty, what="the last try")
    with Server().running() as address:
        other = asked(f"http://{address}")
        assert answer(other, "/v2/models/caf\xe9 \x01/infer") == SCHEMA


def _slow_of_one(head: bytes) -> Iterator[bytes]:
    if b"slow" not in head:
        yield serving.answer(json.dumps(MODEL).encode())
        return
    yield b"HTTP/1.1 200 OK\r\nX: "
    while True:
        time.sleep(0.02)
        yield b"x"


def test_an_answer_that_drips_does_not_keep_those_of_other_models_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "_TIMEOUT_S", 0.5)
    with serving.serving(_slow_of_one) as server:
        ask = asked(f"http://127.0.0.1:{server.port}")
        assert ask("/v2/models/slow/infer") is None
        assert answer(ask) == SCHEMA


def test_models_are_bounded() -> None:
    server = Server()
    with server.running() as address:
        ask = asked(f"http://{address}")
        for number in range(200):
            ask(f"/v2/models/m{number}/infer")
        answer(ask, f"/v2/models/m{metadata.MOST_MODELS - 1}/infer")
        assert ask("/v2/models/m199/infer") is None
    assert len(server.asked) == metadata.MOST_MODELS


def test_it_can_be_switched_off() -> None:
    assert metadata.asked(config.resolve(("test", {"upstream": "http://h:1", "upstream_metadata": "false"}))) is None


def test_a_server_behind_a_unix_socket_is_asked_there(tmp_path: Path) -> None:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(tmp_path / "s"))
    sock.listen()
    with Server().running(sock):
        assert answer(asked(f"unix:{tmp_path}/s")) == SCHEMA


def test_a_server_of_tls_is_verified_and_one_that_wants_an_introduction_gets_it(tmp_path: Path) -> None:
    from proxy.test_tls import make  # noqa: PLC0415 (needs openssl)

    files = make(tmp_path, "model.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    sock = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
    port = sock.getsockname()[1]
    with Server().running(sock):
        trusting: dict[str, Any] = {"upstream_tls.ca_file": files.cert, "upstream_tls.server_name": "model.example"}
        assert answer(asked(f"https://127.0.0.1:{port}", **trusting)) == SCHEMA
    with socket.create_server(("127.0.0.1", 0)) as plain:
        ask = asked(f"http://127.0.0.1:{plain.getsockname()[1]}", upstream_proxy_protocol="v1")
        assert ask(INFER) is None
        caller, _ = plain.accept()
        with caller:
            heard = b""
            while b"\r\n\r\n" not in heard:
                heard += caller.recv(4096)
    assert heard.startswith(b"PROXY UNKNOWN\r\nGET /v2/models/churn HTTP/1.1\r\n")


# --- decoding


def test_a_decoder_gives_bare_tensors_the_servers_names() -> None:
    request = b'{"inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}]}'
    response = b'{"outputs": [{"name": "p", "shape": [2, 2], "datatype": "FP32", "data": [0.5, 0.5, 0, 1]}]}'
    columns = tuple(Column(name, "numeric", (0,) * 16, (0.0, 1.0)) for name in ("tenure", "age"))
    profile = Profile("churn", "1", None, 1, "x", columns, ())
    decoder = Decoder(ask=lambda path: SCHEMA if path == INFER else None, profile_of=lambda _: profile)
    seen = decoder.decode(exchange(request, response, path=INFER))
    assert seen.features == Table(2, ("age", "tenure"), ([1, 3], [2, 4]))
    assert seen.predictions == Table(2, ("no", "yes"), ([0.5, 0], [0.5, 1]))
    assert Decoder().decode(exchange(request, response, path=INFER)).features == Table(2, None, ([1, 3], [2, 4]))
