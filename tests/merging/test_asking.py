"""The model server's page is fetched within its bounds, whatever the server does."""

import gzip
import os
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest
from merging.serving import IMPATIENT, LIMITS, OPEN_TYPE, TYPE, answer, serving
from support import free_port

from exporter.collect.rendered import OPEN_METRICS, TEXT
from exporter.merging.asking import Answer, Limits, Target, Unusable, ask

PAGE = b"x 1\n"
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {TYPE}\r\n".encode()


def _refused(target: Target, limits: Limits = LIMITS) -> str:
    with pytest.raises(Unusable) as caught:
        ask(target, TEXT, limits)
    return caught.value.reason


def _chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return (b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def test_a_page_is_fetched_in_one_question_that_says_what_it_wants() -> None:
    with serving(lambda _: [answer(PAGE)]) as server:
        assert ask(server.target("/metrics?a=b"), TEXT, LIMITS) == Answer(TEXT, "x 1\n")
        assert ask(server.target(), OPEN_METRICS, LIMITS) == Answer(TEXT, "x 1\n")
    first, second = (head.decode().split("\r\n") for head in server.heads)
    assert first[0] == "GET /metrics?a=b HTTP/1.1"
    assert {f"Host: 127.0.0.1:{server.port}", "Accept-Encoding: gzip", "X-Inference-Exporter-Merge: 1"} <= set(first)
    assert "Accept: text/plain;version=0.0.4,*/*;q=0.1" in first
    assert any(line.startswith("Accept: application/openmetrics-text;version=1.0.0,text/plain") for line in second)
    waits = [line.split(": ")[1] for line in first if line.startswith("X-Prometheus-Scrape-Timeout-Seconds")]
    assert 0 < float(waits[0]) <= LIMITS.timeout_s


@pytest.mark.parametrize(("said", "expected"), [
    ([answer(PAGE, media=OPEN_TYPE)], OPEN_METRICS),
    ([answer(gzip.compress(PAGE), "Content-Encoding: gzip")], TEXT),
    ([HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nx \r\n2\r\n1\n\r\n0\r\n\r\n"], TEXT),
    ([b"HTTP/1.0 200 OK\r\n\r\n", b"x 1", b"\n"], TEXT),
    ([b"HTTP/1.1 100 Continue\r\n\r\n", answer(PAGE)], TEXT),
])  # fmt: skip
def test_pages_come_in_any_proper_form(said: list[bytes], expected: str) -> None:
    with serving(lambda _: said) as server:
        assert ask(server.target(), TEXT, LIMITS) == Answer(expected, "x 1\n")


BOMB = gzip.compress(b"\0" * (64 << 20), 9)


@pytest.mark.parametrize(("said", "reason"), [
    ([answer(b"", status="404 Not Found")], "status"),
    ([answer(PAGE, status="500 Oh")], "status"),
    ([answer(PAGE, status="206 Partial Content")], "status"),
    ([answer(b"{}", media="application/json")], "format"),
    ([answer(b"<html>", media="text/html; charset=utf-8")], "format"),
    ([answer(PAGE, "Content-Encoding: gzip")], "encoding"),
    ([answer(gzip.compress(PAGE)[:-4], "Content-Encoding: gzip")], "encoding"),
    ([answer(gzip.compress(PAGE) + b"more", "Content-Encoding: gzip")], "encoding"),
    ([answer(zlib.compress(PAGE), "Content-Encoding: deflate")], "encoding"),
    ([answer(b"x" * ((1 << 20) + 1))], "too_large"),
    ([answer(os.urandom(10 << 20))], "too_large"),
    ([answer(BOMB, "Content-Encoding: gzip")], "too_large"),
    ([HEAD + b"Content-Length: 10\r\n\r\nx 1\n"], "protocol"),
    ([HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"], "protocol"),
    ([HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\nx"], "protocol"),
    ([b"nonsense\r\n\r\n"], "protocol"),
    ([], "protocol"),
    ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"], "protocol"),
    ([b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000], "protocol"),
])  # fmt: skip
def test_whatever_is_of_no_use_has_a_reason(said: list[bytes], reason: str) -> None:
    with serving(lambda _: said) as server:
        assert _refused(server.target()) == reason


ENDLESS = repeat(b"x" * 65536)


@pytest.mark.parametrize("said", [
    lambda: chain([b"HTTP/1.0 200 OK\r\n\r\n"], ENDLESS),
    lambda: chain([HEAD + b"Transfer-Encoding: chunked\r\n\r\n"], _chunks(ENDLESS)),
])  # fmt: skip
def test_a_page_that_never_ends_is_too_large(said: Iterator[bytes]) -> None:
    with serving(lambda _: said()) as server:
        assert _refused(server.target()) == "too_large"


def _dripping(head: bytes) -> Iterator[bytes]:
    yield head
    while True:
        time.sleep(0.02)
        yield b"x"


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX: ", HEAD + b"Content-Length: 100000\r\n\r\n"])
def test_a_server_that_drips_does_not_keep_it_longer_than_it_may(head: bytes) -> None:
    with serving(lambda _: _dripping(head)) as server:
        assert _refused(server.target(), IMPATIENT) == "timeout"


def test_an_endless_row_of_interim_answers_ends_in_time() -> None:
    with serving(lambda _: repeat(b"HTTP/1.1 100 Continue\r\n\r\n")) as server:
        assert _refused(server.target(), IMPATIENT) == "timeout"


def test_a_server_that_accepts_and_says_nothing_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert _refused(Target(("127.0.0.1", port), "m", "/metrics"), IMPATIENT) == "timeout"


@pytest.mark.parametrize("place", [("127.0.0.1", free_port()), ("nobody.invalid", 80), "/nowhere/at.sock"])
def test_where_nobody_is_it_is_unreachable(place: tuple[str, int] | str) -> None:
    assert _refused(Target(place, "m", "/metrics")) == "unreachable"


def test_a_redirection_is_followed_on_the_same_server_only() -> None:
    def moving(head: bytes) -> list[bytes]:
        path = head.split()[1]
        where = {b"/metrics": "/metrics/", b"/away": "http://other.invalid/metrics", b"/round": "/round"}.get(path)
        moved = answer(b"", f"Location: {where}", status="307 Temporary Redirect")
        return [moved if where else answer(PAGE)]

    with serving(moving) as server:
        assert ask(server.target(), TEXT, LIMITS).text == "x 1\n"
        assert [head.split()[1] for head in server.heads] == [b"/metrics", b"/metrics/"]
        assert _refused(server.target("/away")) == "status"
        assert _refused(server.target("/round")) == "status"


def test_bytes_that_are_no_text_are_kept_for_whoever_refuses_their_line() -> None:
    with serving(lambda _: [answer(b'x{a="\xff"} 1\ny 1\n')]) as server:
        assert ask(server.target(), TEXT, LIMITS).text == 'x{a="\udcff"} 1\ny 1\n'


def test_a_server_on_a_unix_socket_is_asked_after_its_preface(tmp_path: Path) -> None:
    place, heard = str(tmp_path / "s"), []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    request += client.recv(65536)
                heard.append(request)
                client.sendall(answer(PAGE))

        thread = threading.Thread(target=serve)
        thread.start()
        assert ask(Target(place, "localhost", "/metrics", preface=b"PROXY UNKNOWN\r\n"), TEXT, LIMITS).text == "x 1\n"
        thread.join(5)
    assert heard[0].startswith(b"PROXY UNKNOWN\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=model", "-addext", "subjectAltName=DNS:model", "-keyout", str(made), "-out", f"{made}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    made.write_bytes(made.read_bytes() + Path(f"{made}.crt").read_bytes())
    return made


def test_a_server_of_tls_is_verified_by_its_name(certificate: Path) -> None:
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate)
    context = ssl.create_default_context(cafile=f"{certificate}.crt")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                client, _ = listener.accept()
                try:
                    with own.wrap_socket(client, server_side=True) as spoken:
                        spoken.recv(65536)
                        spoken.sendall(answer(PAGE))
                except OSError:
                    client.close()

        thread = threading.Thread(target=serve)
        thread.start()
        target = Target(("127.0.0.1", listener.getsockname()[1]), "model", "/metrics", context, "model")
        assert ask(target, TEXT, LIMITS).text == "x 1\n"
        assert _refused(target._replace(name="another")) == "unreachable"
        thread.join(5)
