"""Golden requests on the wire: real sockets, and servers that answer, hang, drip, flood and die."""

import gzip
import json
import ssl
from pathlib import Path

import pytest
from golden_requests.scripted import answer, case, says, take, way
from probing.peers import Caller, Script, drips, floods_a_head, hangs_up, listening, says_nothing

from exporter import __version__
from exporter.golden import answers
from exporter.golden.cases import MOST_BODY, Answer, Source
from exporter.golden.comparing import compare
from exporter.golden.sending import send
from exporter.reaching import Way

OK = case({"body": {"p": [1]}})
FINE = b'{"p": [1]}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def asked(script: Script, timeout_s: float = 5.0) -> Answer:
    with listening(script) as server:
        return send(OK, way(server.port), timeout_s)


def test_a_request_says_what_its_case_says_and_that_it_is_golden() -> None:
    own = {"headers": {"X-Tenant": "a"}, "path": "/v2/x?y=1", "method": "PUT"}
    whole = case({}, request=own)._replace(name="größe/1")
    with listening(says(answer(FINE))) as server:
        found = send(whole, way(server.port), 5)
        head, _, body = server.callers[0].head.partition(b"\r\n\r\n")
    assert (found.status, found.content, found.failure) == (200, FINE, "")
    assert found.headers["content-type"] == "application/json"
    assert found.seconds > 0
    lines = head.decode().split("\r\n")
    assert lines[0] == "PUT /v2/x?y=1 HTTP/1.1"
    said = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert said.items() >= {
        "host": f"127.0.0.1:{server.port}", "accept-encoding": "identity", "content-length": "23", "x-tenant": "a",
        "user-agent": f"inference-exporter/{__version__}", "accept": "*/*", "connection": "close",
        "content-type": "application/json", "x-inference-exporter-golden": "gr%C3%B6%C3%9Fe/1",
    }.items()  # fmt: skip
    assert body == b'{"instances": [[1, 2]]}'


def test_a_secret_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    wanted = case({}, request={"header_files": {"Authorization": str(secret)}})
    with listening(says(answer(FINE))) as server:
        assert send(wanted, way(server.port), 5).failure == "local"
        for text in ("Bearer one\n", "Bearer two\n"):
            secret.write_text(text)
            assert send(wanted, way(server.port), 5).status == 200
        secret.write_text("a\r\nX-B: c")
        spoilt = send(wanted, way(server.port), 5)
        heads = [caller.head for caller in server.callers]
    assert (spoilt.failure, "X-B" in spoilt.detail) == ("local", False)
    assert [b"authorization: Bearer one\r\n" in head for head in heads] == [True, False]
    assert b"authorization: Bearer two\r\n" in heads[1]


@pytest.mark.parametrize(("pieces", "reason"), [
    ((answer(FINE),), ""), ((CHUNKED, b"4\r\n" + FINE[:4] + b"\r\n", b"6\r\n" + FINE[4:] + b"\r\n0\r\n\r\n"), ""),
    ((b"HTTP/1.0 200 OK\r\n\r\n" + FINE,), ""), ((answer(gzip.compress(FINE), "Content-Encoding: gzip"),), ""),
    ((b"HTTP/1.1 204 No Content\r\n\r\n",), "status"), ((answer(b""),), "body"), ((answer(b"<html>"),), "body"),
    ((answer(b'{"error": "x"}', status="500 Oops"),), "status"), ((b"SSH-2.0-OpenSSH\r\n",), "unreachable"),
    ((answer(b"x" * MOST_BODY),), "body"), ((answer(b"x" * (MOST_BODY + 1)),), "body"),
    ((answer(FINE)[:-3],), "unreachable"), ((CHUNKED, b'5\r\n{"p"'), "unreachable"), ((b"",), "unreachable"),
    ((b"HTTP/1.1 200",), "body"),
])  # fmt: skip
def test_answers_of_every_kind_are_judged(pieces: tuple[bytes, ...], reason: str) -> None:
    verdict = compare(OK, asked(says(*pieces)), "")
    assert verdict.reason == reason, verdict


@pytest.mark.parametrize("script", [says_nothing, drips], ids=["silent", "dripping"])
def test_a_server_that_does_not_end_its_answer_is_given_up_in_time(script: Script) -> None:
    found = asked(script, 0.3)
    assert (found.failure, found.detail) == ("timeout", "no whole answer within 0.3 s")


@pytest.mark.parametrize("script", [hangs_up, floods_a_head], ids=["hanging up", "flooding"])
def test_a_server_that_speaks_no_http_is_unreachable(script: Script) -> None:
    assert asked(script).failure == "unreachable"


def test_a_body_without_end_is_not_taken() -> None:
    def floods(caller: Caller) -> None:
        take(caller)
        caller.send(CHUNKED)
        while not caller.stop.is_set():
            caller.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    found = asked(floods)
    assert (found.failure, len(found.content)) == ("body", MOST_BODY + 1)


def test_a_port_that_nobody_listens_on_is_unreachable() -> None:
    with listening(hangs_up) as server:
        port = server.port
    assert send(OK, way(port), 1).detail == "Connection refused"


def test_a_server_of_tls_is_verified(tmp_path: Path) -> None:
    from proxy.test_tls import make  # noqa: PLC0415 (needs openssl)

    files = make(tmp_path, "model.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    with listening(says(answer(FINE)), context) as server:
        place = ("127.0.0.1", server.port)
        trusting = ssl.create_default_context(cafile=files.cert)
        assert compare(OK, send(OK, Way(place, trusting, "model.example"), 5), "").passed
        other = send(OK, Way(place, trusting, "other.example"), 5)
        stranger = send(OK, Way(place, ssl.create_default_context(), "model.example"), 5)
        assert send(OK, way(server.port), 5).failure == "unreachable"
    assert (other.failure, stranger.failure) == ("unreachable", "unreachable")
    assert "TLS: " in other.detail
    assert "TLS: self-signed certificate" in stranger.detail


def test_what_a_server_wants_to_hear_first_is_said_first() -> None:
    with listening(says(answer(FINE))) as server:
        send(OK, way(server.port)._replace(preface=b"PROXY UNKNOWN\r\n"), 5)
        assert server.callers[0].head.startswith(b"PROXY UNKNOWN\r\nPOST /v1/models/churn:predict HTTP/1.1\r\n")


# --- whose answer it is

TENSOR = {"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}
V2 = json.dumps({"model_name": "churn", "model_version": "3", "outputs": [TENSOR]}).encode()
TENSORS = {"inputs": [TENSOR]}


@pytest.mark.parametrize(("path", "body", "headers", "source", "expected"), [
    ("/v2/models/churn/infer", V2, {}, Source(), ("churn", "3")),
    ("/v2/models/churn/versions/5/infer", V2, {}, Source(), ("churn", "5")),
    ("/v2/models/churn/infer", V2, {"x-version": "9"}, Source(header="x-version"), ("churn", "9")),
    ("/v2/models/churn/infer", V2, {}, Source(header="x-version"), ("churn", "3")),
    ("/invocations", b'{"meta": {"version": 12}}', {}, Source("/meta/version"), ("", "12")),
    ("/invocations", b"not JSON", {}, Source("/meta/version"), ("", "")), ("/invocations", b"", {}, Source(), ("", "")),
])  # fmt: skip
def test_the_version_is_said_by_the_path_the_protocol_or_where_the_file_says(
    path: str, body: bytes, headers: dict[str, str], source: Source, expected: tuple[str, str]
) -> None:
    wanted = case({}, request={"path": path, "body": TENSORS})
    assert answers.named(wanted, Answer(200, {"content-type": "application/json", **headers}, body), source) == expected


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "ö" * 70])
def test_a_name_that_cannot_be_one_is_not_found(host: str) -> None:
    found = send(OK, Way((host, 80)), 5)
    assert (found.failure, found.detail) == ("unreachable", "its name was not found (Name or service not known)")
