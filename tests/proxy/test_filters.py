"""Which requests carry model input."""

import pytest
from proxy.rig import converse, recorder, relay
from proxy.test_observer import NOTHING, answer, bench, post

from exporter.proxy.filters import Filter
from exporter.proxy.observer import Observer
from exporter.records import Capture


@pytest.mark.parametrize(("paths", "path", "wanted"), [
    ((), "/anything", True), (("/*",), "/any/thing", True), (("/*",), "*", True),
    (("/v1/models/*:predict",), "/v1/models/m:predict", True),
    (("/v1/models/*:predict",), "/v1/models/m:explain", False),
    (("/v1/models/*:predict",), "/x/v1/models/m:predict", False),
    (("/a", "/b?c"), "/bxc", True), (("/a", "/b?c"), "/ab", False), (("/a.c",), "/abc", False),
])  # fmt: skip
def test_paths_are_shell_patterns_of_the_whole_path(paths: tuple[str, ...], path: str, wanted: bool) -> None:
    assert Filter(paths=paths).wants("POST", path) == wanted
    assert not Filter(methods=("PUT",), paths=paths).wants("POST", path)


def test_what_is_filtered_out_is_counted_and_not_copied() -> None:
    desk = bench(wanted=Filter(methods=("POST",), paths=("/other",)))
    observer = Observer(desk.tap)
    observer.request(post(b"secret"))
    observer.response(answer(b"secret too"))
    assert desk.tap.held == 0
    observer.request(b"PUT /other HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
    observer.response(NOTHING)
    for exchange in desk.exchanges():
        assert exchange.request.capture is exchange.response.capture is Capture.SKIPPED
        assert exchange.request.size > 0
        assert exchange.request.content == exchange.response.content == b""


def test_one_more_header_may_be_kept() -> None:
    desk = bench(wanted=Filter(headers=["X-Own"]))
    head = b" HTTP/1.1\r\nx-OWN: %d\r\nX-Other: 3\r\nContent-Length: 1\r\n\r\n"
    for number, cuts in ((1, 1), (2, 30)):  # at a glance, and read closely
        observer = Observer(desk.tap)
        request, response = (
            b"POST /p" + head % number + b"x",
            b"HTTP/1.1 200 OK\r\nX-Own: me\r\nContent-Length: 0\r\n\r\n",
        )
        for start in range(0, len(request), len(request) // cuts):
            observer.request(request[start : start + len(request) // cuts])
        observer.response(response)
    first, second = desk.exchanges()
    assert (first.request_headers, second.request_headers) == ({"x-own": "1"}, {"x-own": "2"})
    assert first.response_headers == second.response_headers == {"x-own": "me"}


def test_a_worker_is_told_what_to_copy() -> None:
    with (
        recorder(lambda peer: (peer.read(len(post(b"abc")) + 1), peer.send(answer(b"d")))) as server,
        relay(server.port, methods=["POST"], paths=["/pp"]) as running,
    ):
        for path in (b"/pp ", b"/pq "):
            converse(running.port, lambda peer, path=path: peer.send(post(b"abc").replace(b"/p ", path)))
        running.settled()
        assert [(one.path, one.request.content) for one in running.exchanges()] == [("/pp", b"abc"), ("/pq", b"")]
