"""A real Prometheus with a history is asked, and what only looks like one is told apart from it."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from monitoring import recorded
from support import free_port

from exporter.errors import ConfigError, PrometheusError
from exporter.prometheus import Access, PrometheusClient

START = 60 * (int(time.time()) // 60) - 7200
MINUTES = 90


def history() -> str:
    samples = [
        f'rows_total{{pod="{pod}",town="a\\"b"}} {minute * step} {START + 60 * minute}'
        for pod, step in (("one", 1), ("two", 10)) for minute in range(MINUTES)
    ]  # fmt: skip
    return "\n".join(("# TYPE rows counter", *samples, "# EOF\n"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with recorded(tmp_path_factory.mktemp("prometheus") / "p", history()) as address:
        yield address


def client(url: str, **access: Any) -> PrometheusClient:
    return PrometheusClient(Access(url, **access), timeout_s=30)


def test_a_range_query_gives_every_series_with_its_points_in_time(url: str) -> None:
    found = client(url).query_range("rows_total", START, START + 600, 60)
    points = {labels["pod"]: series for labels, series in found}
    assert points["one"] == [(START + 60.0 * minute, minute) for minute in range(11)]
    assert points["two"][-1] == (START + 600.0, 100)
    assert found[0][0]["town"] == 'a"b'


def test_an_instant_query_gives_vectors_scalars_and_the_samples_of_a_range(url: str) -> None:
    asked = client(url)
    at = START + 300.0
    assert asked.query("sum(rows_total)", at) == [({}, [(at, 55.0)])]
    assert asked.query("scalar(sum(rows_total))", at) == [({}, [(at, 55.0)])]
    assert asked.query('rows_total{pod="one"}[150s]', at)[0][1] == [(at - 120, 3), (at - 60, 4), (at, 5)]
    assert asked.query("sum(rows_total)") == []  # now is half an hour behind the last of them
    assert asked.query("0/sum(rows_total) > 1", at) == []


def test_series_are_told_without_their_samples(url: str) -> None:
    asked = client(url)
    assert {one["pod"] for one in asked.series("rows_total", START, START + 600)} == {"one", "two"}
    assert asked.series('rows_total{pod="three"}', START, START + 600) == []
    assert asked.series("rows_total", START - 30 * 86400, START - 29 * 86400) == []


def test_what_prometheus_refuses_is_told_in_its_own_words_with_the_address(url: str) -> None:
    with pytest.raises(PrometheusError, match=r"/api/v1/query: bad_data: .*parse error") as refused:
        client(url).query("sum(")
    assert url in str(refused.value)
    with pytest.raises(PrometheusError, match="exceeded maximum resolution of 11,000 points"):
        client(url).query_range("rows_total", START, START + 86400, 1)


def test_a_server_that_is_not_there_is_named_with_what_the_system_said() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(PrometheusError, match=rf"{address}/api/v1/query: cannot be reached: Connection refused"):
        client(address).query("up")


@pytest.mark.parametrize(
    "url", ["prometheus:9090", "ftp://p:9090", "http://", "http://p:none", "http://p/?x=1", "https://[::1/"]
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigError, match="must be such as http://prometheus:9090"):
        client(url)


# --- servers that are none


Answer = Callable[[dict[str, str], bytes], tuple[int, dict[str, str], bytes]]


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, headers, content = answer({**self.headers, "path": self.path}, body)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def vector(value: str = "1", **more: Any) -> bytes:
    data = {"resultType": "vector", "result": [{"metric": {}, "value": [1.5, value]}]}
    return json.dumps({"status": "success", "data": data} | more).encode()


@pytest.mark.parametrize(
    ("status", "kind", "content", "words"),
    [
        (404, "text/html", b"<html>\n<h1>not here</h1>", "is no Prometheus, as it answers 404, text/html: <html> <h1>"),
        (200, "text/plain", b"fine\x1b[31m", "is no Prometheus, as it answers 200, text/plain: fine�"),
        (200, "application/json", b"[]", "is no Prometheus"),
        (200, "application/json", b'{"status": "success", "data": {}}', "answers otherwise than a Prometheus does"),
        (200, "application/json", b'{"status": "success", "data": 7}', "answers otherwise than a Prometheus does"),
        (200, "application/json", vector("many"), "answers otherwise than a Prometheus does"),
        (422, "application/json", b'{"status": "error", "errorType": "execution", "error": "too many"}',
         "execution: too many"),
        (401, "text/plain", b"Unauthorized\n", "answers 401, text/plain: Unauthorized"),
    ],
)  # fmt: skip
def test_what_is_no_prometheus_is_quoted(status: int, kind: str, content: bytes, words: str) -> None:
    with answering(lambda *_: (status, {"Content-Type": kind}, content)) as url:
        with pytest.raises(PrometheusError) as refused:
            client(url).query("up")
        assert words in str(refused.value)
        assert "\x1b" not in str(refused.value)


def test_a_redirect_is_not_followed_as_whatever_lets_us_in_would_go_along() -> None:
    with (
        answering(lambda *_: (302, {"Location": "http://elsewhere/"}, b"")) as url,
        pytest.raises(PrometheusError, match=r"is elsewhere \(302\), say that address"),
    ):
        client(url).query("up")


def test_warnings_of_an_answer_are_kept_and_values_may_be_no_numbers() -> None:
    contents = [vector("NaN", warnings=["a store\nis away"]), vector("+Inf")]
    with answering(lambda *_: (200, {}, contents.pop(0))) as url:
        asked = client(url)
        (_, ((_, value),)), *_ = asked.query("up")
        assert value != value  # noqa: PLR0124 (NaN)
        assert asked.warnings == ("a store is away",)
        assert asked.query("up") == [({}, [(1.5, float("inf"))])]
        assert asked.warnings == ()


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.prometheus._LARGEST", 1 << 21)
    with answering(lambda *_: (200, {}, b" " * (3 << 20))) as url, pytest.raises(PrometheusError, match="more than 2"):
        client(url).query("up")


# --- being let in


def test_who_asks_says_who_they_are_and_reads_the_secret_anew_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password wrong\n")
    token, password = tmp_path / "token", tmp_path / "password"
    token.write_text("first\n")
    password.write_text("ada:s:cret\n")
    heard: list[dict[str, str]] = []

    def answer(headers: dict[str, str], _: bytes) -> tuple[int, dict[str, str], bytes]:
        heard.append(headers)
        return 200, {}, vector()

    with answering(answer) as url:
        by_token = client(f"{url}/mimir/", token_file=str(token), headers={"X-Scope-OrgID": "team"})
        by_token.query("up")
        token.write_text("second\n")
        by_token.query("up")
        client(url, password_file=str(password)).query("up")
        in_address = client(url.replace("//", "//bob:p%40ss@"))
        in_address.query("up")
        client(url).query("up")
    said = [one.get("Authorization") for one in heard]
    basic = [f"Basic {base64.b64encode(who).decode()}" for who in (b"ada:s:cret", b"bob:p@ss")]
    assert said == ["Bearer first", "Bearer second", *basic, None]
    assert heard[0]["X-Scope-OrgID"] == "team"
    assert heard[0]["path"] == "/mimir/api/v1/query"
    assert "p%40ss" not in in_address.url


def test_a_secret_that_cannot_be_read_is_named_and_not_shown(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ConfigError, match=r"cannot read .*nothing: No such file"):
        client(address, token_file=str(tmp_path / "nothing")).query("up")
    with pytest.raises(ConfigError, match="must hold one line"):
        client(address, password_file=str(empty)).query("up")
    with pytest.raises(ConfigError, match=r"cannot use .*nothing"):
        client(address.replace("http", "https"), ca_file=str(tmp_path / "nothing")).query("up")
