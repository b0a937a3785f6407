"""Somebody who is paged, and who is told nothing by those who happen to talk to that port."""

import http.client
import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from support import eventually

from exporter.demo.pager import Pager, pager


@pytest.fixture
def paged() -> Iterator[Pager]:
    with pager() as found:
        yield found


def webhook(status: str = "firing", **labels: Any) -> dict[str, Any]:
    alert = {"status": status, "labels": {"alertname": "Down"} | labels, "annotations": {"description": "It is down."},
             "startsAt": "2026-01-01T00:00:00Z", "fingerprint": "1"}  # fmt: skip
    return {"receiver": "pager", "alerts": [alert]}


def post(paged: Pager, body: bytes, **headers: str) -> int:
    client = http.client.HTTPConnection("127.0.0.1", paged.port, timeout=5)
    client.request("POST", "/", body, headers)
    status = client.getresponse().status
    client.close()
    return status


def test_news_is_told_once_however_often_it_is_repeated(paged: Pager) -> None:
    for status in ("firing", "firing", "resolved", "resolved"):
        assert post(paged, json.dumps(webhook(status)).encode()) == 200
    first, last = paged.new()
    assert (first.alert, first.firing, last.firing) == ("Down", True, False)
    assert first.same(last)
    assert paged.new() == []


@pytest.mark.parametrize("body", [
    b"", b"hello", b"\xff", b"[]", b"7", b"{}", b'{"receiver": "pager", "alerts": 7}',
    b'{"receiver": "pager", "alerts": [7]}', b'{"receiver": "pager", "alerts": [{"status": "firing"}]}',
    json.dumps(webhook() | {"alerts": [webhook()["alerts"][0] | {"labels": "x"}]}).encode(),
])  # fmt: skip
def test_what_is_no_webhook_is_refused_and_says_nothing(
    paged: Pager, body: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    assert post(paged, body) == 400
    assert paged.new() == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("length", ["-1", "x", "", "9" * 30, "²"])
def test_a_length_that_cannot_be_is_refused(paged: Pager, length: str, capfd: pytest.CaptureFixture[str]) -> None:
    head = f"POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n".encode("latin-1")
    with socket.create_connection(("127.0.0.1", paged.port), 5) as sock:
        sock.sendall(head)
        assert sock.recv(100).startswith(b"HTTP/1.0 400")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("words", [b"", b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\ncon"])
def test_a_client_that_goes_away_is_no_news(paged: Pager, words: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(("127.0.0.1", paged.port), 5) as sock:
        sock.sendall(words)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
    assert post(paged, json.dumps(webhook()).encode()) == 200
    assert eventually(paged.new)
    assert capfd.readouterr() == ("", "")


def test_labels_are_texts_whatever_was_sent(paged: Pager) -> None:
    assert post(paged, json.dumps(webhook(feature=7)).encode()) == 200
    [page] = paged.new()
    assert page.subject == "7"
