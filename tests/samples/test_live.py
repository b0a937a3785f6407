"""Live requests: clients of a server with a format of its own go through `suggest`, whose proposal is then used."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import PATIENCE_S, build_profile, children, command, eventually, free_port, model_server, sidecar

from exporter.records import Body, Capture, Exchange
from exporter.samples.live import Seen

JOBS = ["admin", "clerk", "miner"]
FINE = "no", "yes"


class Ranking(BaseHTTPRequestHandler):
    """`{"items": [{"person": {"age": ...}, ...}]}` in, `{"result": [{"label": ..., "p": ...}]}` out."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    asked, go_on = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        self._send(200, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/slow":
            self.asked.set()
            self.go_on.wait(PATIENCE_S)
        if self.path == "/echo":
            self._send(200, body)
            return
        try:
            ages = [item["person"]["age"] for item in json.loads(body)["items"]]
        except (ValueError, KeyError):
            self._send(422, b'{"error": "no items"}')
        else:
            result = [{"label": FINE[age > 40], "p": age % 10 / 10} for age in ages]
            self._send(200, json.dumps({"took": 1, "result": result}).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = random.Random(5)
    folder = tmp_path_factory.mktemp("live")
    with (folder / "train.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["age", "job", "label", "p"])
        for _ in range(600):
            table.writerow([source.gauss(40, 5), source.choice(JOBS), source.choice(FINE), source.random()])
    return build_profile(folder / "train.csv", folder / "profile.json", "--prediction", "label", "--prediction", "p")


class Suggest:
    """A running `inference-exporter suggest`; what it says on either stream is read as it comes."""

    def __init__(self, upstream: int, *flags: str, folder: Path | None = None) -> None:
        self.port = free_port()
        self.said: list[str] = []
        self.printed: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exporter", "suggest", "--upstream", f"http://127.0.0.1:{upstream}",
             "--listen", f"127.0.0.1:{self.port}", *flags],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
            env=os.environ | ({"TMPDIR": str(folder)} if folder else {}),
        )  # fmt: skip
        self._threads = [
            threading.Thread(target=lines.extend, args=(stream,), daemon=True)
            for lines, stream in ((self.said, self.process.stderr), (self.printed, self.process.stdout))
        ]
        for thread in self._threads:
            thread.start()

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        return post(self.port, path, body)

    def end(self, *signals: int) -> int:
        """Its exit code, when it has ended and said everything."""
        for number in signals:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        return code

    @property
    def relays(self) -> list[int]:
        return [pid for pid, words in children(self.process.pid) if "exporter.worker" in words]

    def told(self, words: str) -> bool:
        return words in "".join(self.said)


def post(port: int, path: str, body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@contextmanager
def suggest(upstream: int, *flags: str, folder: Path | None = None) -> Iterator[Suggest]:
    running = Suggest(upstream, *flags, folder=folder)
    try:
        eventually(lambda: running.told("relaying") or running.process.poll() is not None, what="suggest running")
        yield running
    finally:
        relays = running.relays
        if running.process.poll() is None:
            running.process.kill()
            for pid in relays:
                os.kill(pid, signal.SIGKILL)
        running.end()
        for stream in (running.process.stdout, running.process.stderr):
            assert stream
            stream.close()


def ranked(number: int) -> bytes:
    items = [{"person": {"age": 35 + number % 10 + row}, "job": JOBS[(number + row) % 3]} for row in range(3)]
    return json.dumps({"request": number, "items": items}).encode()


def said(running: Suggest) -> Any:
    return yaml.safe_load("".join(running.printed))


RANKING = {"features": {"age": "/items/*/person/age", "job": "/items/*/job"},
           "outputs": {"label": "/result/*/label", "p": "/result/*/p"}}  # fmt: skip


def test_what_live_requests_need_is_proposed_and_can_be_used_as_it_is(profile: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with model_server(Ranking) as upstream:
        with suggest(upstream, "--profile", str(profile), "--requests", "12", folder=tmp_path / "empty") as running:
            for number in range(12):
                assert running.post("/rank", ranked(number)) == post(upstream, "/rank", ranked(number))
            assert running.end() == 0, running.said
        assert said(running) == RANKING
        assert "12 of 12 requests to /rank\n" in running.said
        assert list((tmp_path / "empty").iterdir()) == [], "nothing is written"

        config = tmp_path / "map.yml"
        config.write_text("".join(running.printed))
        (tmp_path / "request.json").write_bytes(ranked(1))
        checked = command("check", "--config", str(config), "--profile", str(profile), "--sample",
                          str(tmp_path / "request.json"))  # fmt: skip
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "2 of the profile's 2 columns" in checked.stdout

        with sidecar(upstream, "--config", str(config), "--profile", str(profile)) as serving:
            for number in range(20):
                assert post(serving.port, "/rank", ranked(number)) == post(upstream, "/rank", ranked(number))
            metrics = serving.settled(20)
    assert metrics.value("model_rows_total") == 60
    assert metrics.total("inference_exporter_payloads_undecoded_total") == 0
    assert metrics.total("model_feature_missing_values_total") == 0
    assert metrics.total("model_prediction_bin_total", output="label") == 60


def test_when_time_is_up_what_has_come_must_do(profile: Path) -> None:
    with model_server(Ranking) as upstream, suggest(upstream, "--profile", str(profile), "--timeout", "10s") as running:
        for number in range(2):
            assert running.post("/rank", ranked(number))[0] == 200
        assert running.end() == 0
    assert said(running) == RANKING
    assert "2 of 20 requests to /rank\n" in running.said


def test_without_any_request_the_end_is_bad_data_and_says_so() -> None:
    with model_server(Ranking) as upstream, suggest(upstream, "--timeout", "500ms") as running:
        assert running.end() == 65
    assert running.printed == []
    assert running.said[-1] == "inference-exporter: suggest: no answered request with a body on both sides\n"


def test_what_passed_and_was_of_no_use_is_counted_in_words() -> None:
    with model_server(Ranking) as upstream, suggest(upstream, "--capture.max-body", "1KiB") as running:
        urllib.request.urlopen(f"http://127.0.0.1:{running.port}/", timeout=PATIENCE_S).close()
        assert running.post("/rank", b"{}")[0] == 422
        assert running.post("/echo", b"x" * 2000) == (200, b"x" * 2000)
        assert running.post("/echo", b"") == (200, b"")
        assert running.post("/rank", ranked(1))[0] == 200
        eventually(lambda: running.told("1 of 20"), what="the last one seen")
        assert running.end(signal.SIGINT) == 0
    for words in ("1 that failed", "1 not copied as a whole (capture.max_body)", "1 without a body on both sides",
                  "1 of another method or path"):  # fmt: skip
        assert running.told(words)


def test_requests_that_nobody_can_read_are_bad_data_and_none_of_them_is_shown() -> None:
    with model_server(Ranking) as upstream, suggest(upstream, "--requests", "2") as running:
        for _ in range(2):
            assert running.post("/echo", b"Jane Doe, 42")[0] == 200
        assert running.end() == 65
    assert running.printed == []
    assert running.told("no protocol and no pointers read all of these bodies")
    assert not running.told("Jane")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_what_was_seen_so_far(profile: Path, number: int) -> None:
    with model_server(Ranking) as upstream, suggest(upstream, "--profile", str(profile)) as running:
        for at in range(4):
            assert running.post("/rank", ranked(at))[0] == 200
        eventually(lambda: running.told("4 of 20"), what="requests seen")
        [relay] = running.relays
        assert running.end(number) == 0
        assert not Path(f"/proc/{relay}").exists()
    assert said(running) == RANKING


def test_a_signal_before_any_request_ends_it_too() -> None:
    with model_server(Ranking) as upstream, suggest(upstream) as running:
        assert running.end(signal.SIGINT) == 65


def test_clients_get_a_502_where_the_model_server_is_not_there() -> None:
    with suggest(free_port()) as running:
        assert running.post("/rank", ranked(1))[0] == 502
        assert running.end(signal.SIGINT) == 65
    assert "1 connections to the model server failed" in running.said[-1]


def test_a_request_under_way_when_enough_was_seen_is_answered_in_full(profile: Path) -> None:
    Ranking.asked.clear()
    Ranking.go_on.clear()
    slow: list[tuple[int, bytes]] = []
    with model_server(Ranking) as upstream, suggest(upstream, "--profile", str(profile), "--requests", "2") as running:
        client = threading.Thread(target=lambda: slow.append(running.post("/slow", ranked(3))))
        client.start()
        assert Ranking.asked.wait(PATIENCE_S)
        for number in range(2):
            assert running.post("/rank", ranked(number))[0] == 200
        eventually(lambda: running.told("no longer relaying"), what="draining")
        assert "features:\n" in running.printed, "it is printed before the last request is answered"
        assert running.process.poll() is None
        Ranking.go_on.set()
        client.join(PATIENCE_S)
        assert slow == [post(upstream, "/slow", ranked(3))]
        assert running.end() == 0


def test_told_twice_it_waits_for_nobody() -> None:
    Ranking.asked.clear()
    Ranking.go_on.clear()
    cut: list[BaseException] = []

    def client() -> None:
        try:
            running.post("/slow", ranked(3))
        except OSError as error:
            cut.append(error)

    with model_server(Ranking) as upstream, suggest(upstream) as running:
        asking = threading.Thread(target=client)
        asking.start()
        assert Ranking.asked.wait(PATIENCE_S)
        running.process.send_signal(signal.SIGINT)
        eventually(lambda: running.told("no longer relaying"), what="draining")
        assert running.end(signal.SIGINT) == 65
        asking.join(PATIENCE_S)
        assert len(cut) == 1
        Ranking.go_on.set()


def test_a_relay_that_dies_is_started_again(profile: Path) -> None:
    with model_server(Ranking) as upstream, suggest(upstream, "--profile", str(profile), "--requests", "2") as running:
        assert running.post("/rank", ranked(1))[0] == 200
        eventually(lambda: running.told("1 of 2"), what="first request seen")
        [first] = running.relays
        os.kill(first, signal.SIGKILL)
        eventually(lambda: running.relays and running.relays != [first], what="another relay")
        assert running.post("/rank", ranked(2))[0] == 200
        assert running.end() == 0
    assert said(running) == RANKING


def test_the_path_with_most_requests_is_looked_at_and_the_others_are_named(profile: Path) -> None:
    with model_server(Ranking) as upstream, suggest(upstream, "--profile", str(profile), "--requests", "4") as running:
        assert running.post("/echo", b'{"verdict": "fine"}')[0] == 200
        for number in range(4):
            assert running.post("/rank", ranked(number))[0] == 200
        assert running.end() == 0
    assert said(running) == RANKING
    assert running.told("not looked at: 1 to /echo (--capture.paths")


def test_a_configuration_file_says_what_it_says_to_serve(profile: Path, tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(f"""
profile: {profile}
capture: {{ paths: [/r*] }}
features: {{ age: another-field }}
""")
    flags = "--config", str(tmp_path / "own.yml"), "--requests", "2"
    with model_server(Ranking) as upstream, suggest(upstream, *flags) as running:
        assert running.post("/echo", b'{"verdict": "fine"}')[0] == 200
        for number in range(2):
            assert running.post(f"/rank-{number}", ranked(number))[0] == 200
        assert running.end() == 0
    assert said(running) == RANKING
    assert "2 of 2 requests\n" in running.said


@pytest.mark.parametrize(("words", "fault"), [
    (["--upstream", "http://127.0.0.1:1", "--request", "x.json"], "suggest: takes --upstream, or else files"),
    (["--upstream", "http://127.0.0.1:1", "--path", "/a"], "suggest: --path and --header are of recorded bodies"),
    (["--upstream", "http://127.0.0.1:1", "--requests", "0"], "--requests: must be a whole number from 1 to 1000"),
    (["--upstream", "http://127.0.0.1:1", "--timeout", "soon"], "--timeout: must be a duration above zero"),
    (["--upstream", "127.0.0.1:1"], "upstream: must be http://HOST:PORT"),
    (["--upstream", "http://127.0.0.1:1", "--profile", "/nowhere.json"], "profile: cannot read /nowhere.json"),
    (["--upstream", "http://127.0.0.1:1", "--listen-tls.cert-file", "/no.pem", "--listen-tls.key-file", "/no.pem"],
     "listen_tls"),
    (["--no-relay"], "suggest: needs --request or --response"),
])  # fmt: skip
def test_wrong_usage_is_one_line_and_nothing_is_relayed(words: list[str], fault: str) -> None:
    result = command("suggest", *words)
    assert result.returncode == 64
    assert fault in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_address_that_is_taken_is_one_line() -> None:
    with model_server(Ranking) as taken:
        result = command("suggest", "--upstream", "http://127.0.0.1:1", "--listen", f"127.0.0.1:{taken}")
    assert result.returncode == 64
    assert result.stderr == (
        f"inference-exporter: listen: cannot listen on 127.0.0.1:{taken}: Address already in use\n"
    )


# --- what is kept


def exchange(path: str, size: int = 10, status: int = 200) -> Exchange:
    body = Body(size, Capture.WHOLE, b"x" * size)
    return Exchange(1, 1, 1, status, "POST", path, {}, {}, body, body)


def test_paths_with_ids_in_them_are_taken_together_and_their_number_is_bounded() -> None:
    seen = Seen(100, together=False)
    for number in range(60):
        seen.add(exchange(f"/predict/{number}"))
    assert len(seen.best) == 50
    assert seen.others == ["10 on further paths"]
    assert seen.progress == "50 of 100 requests"


def test_no_more_than_asked_for_is_kept_and_large_bodies_end_it_sooner() -> None:
    seen = Seen(3, together=False)
    for _ in range(10):
        seen.add(exchange("/a"))
    assert len(seen.best) == 3
    assert seen.enough
    large = Seen(1000, together=True)
    while not large.enough:
        large.add(exchange("/a", 8 << 20))
    assert len(large.best) == 4


def test_no_escape_sequence_of_a_path_reaches_the_terminal() -> None:
    seen = Seen(2, together=False)
    seen.add(exchange("/a\x1b[2J"))
    assert seen.progress == "1 of 2 requests to /a�[2J"
