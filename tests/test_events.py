"""Events instead of a relay: real processes, and loggers that post to them as KServe's and Seldon's do."""

import json
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

import pytest
import yaml
from events import loggers
from support import (
    PATIENCE_S,
    Metrics,
    Sidecar,
    build_profile,
    children,
    command,
    eventually,
    model_server,
    predict,
    sidecar,
)

FAST = ("--windows.pane", "1s", "--windows.lengths", "60s", "--windows.snapshot-interval", "100ms")
PREFIX = "inference_exporter_events"
RELAYS = tuple(f"inference_exporter_{what}" for what in ("proxy", "ring", "exchanges", "observ", "sampling", "bodies"))


def post(running: Sidecar, message: loggers.Post) -> tuple[int, str]:
    """Status and text of the answer."""
    headers, body = message
    request = urllib.request.Request(f"http://127.0.0.1:{running.web_port}/events", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def exchange(running: Sidecar, number: int, logger: object = loggers.kserve) -> None:
    request, response = loggers.instances([number % 50, 2]), loggers.predictions(number % 50 / 7)
    assert post(running, logger("request", request, str(number), time="")) == (200, "")
    assert post(running, logger("response", response, str(number), time="")) == (200, "")


def balanced(metrics: Metrics) -> bool:
    observed, dropped = metrics.total(f"{PREFIX}_observed_total"), metrics.total(f"{PREFIX}_dropped_total")
    return metrics.value(f"{PREFIX}_received_total") == observed + dropped + metrics.value(f"{PREFIX}_waiting")


def settled(running: Sidecar, received: int, waiting: int = 0) -> Metrics:
    """A scrape after so many events came, and all but some are observed or dropped."""

    def look() -> Metrics | None:
        metrics = running.metrics()
        assert balanced(metrics)
        counts = metrics.value(f"{PREFIX}_received_total"), metrics.value(f"{PREFIX}_waiting")
        return metrics if counts == (received, waiting) else None

    found: Metrics = eventually(look, what=f"{received} events accounted for")
    return found


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    table, path = tmp_path / "train.csv", tmp_path / "profile.json"
    table.write_text("a,b,p\n" + "".join(f"{n % 50},{n % 3},{n % 50 / 7}\n" for n in range(1000)))
    return build_profile(table, path, "--prediction", "p")


def test_what_loggers_post_is_scored_like_what_is_relayed(profile: Path) -> None:
    with sidecar(None, "--profile", str(profile), "--model.name", "churn", *FAST) as running:
        for number in range(30):
            exchange(running, number, loggers.seldon if number % 3 == 0 else loggers.kserve)
        metrics = settled(running, 60)
        assert metrics.value(f"{PREFIX}_observed_total", part_of="whole") == 60
        assert metrics.total("model_requests_total", code="200") == 30
        assert metrics.total("model_rows_total") == 30
        assert metrics.total("model_request_duration_seconds_count") == 0, "nobody said how long they took"
        assert metrics.total("model_feature_values_total", feature="a") == 30
        assert metrics.total("model_prediction_values_total", output="p") == 30
        assert metrics.total("model_feature_window_samples", feature="b", window="1m") == 30
        assert metrics.value("model_last_request_timestamp_seconds", model="churn") == pytest.approx(
            time.time(), abs=60
        )


def test_without_a_relay_there_is_no_worker_no_listener_and_no_family_of_them() -> None:
    with sidecar(None) as running:
        assert [name.split()[2] for _, name in children(running.process.pid)] == ["exporter.analyser"]
        metrics = running.metrics()
        names = {sample.name for sample in metrics.samples}
        assert not [name for name in names if name.startswith(RELAYS)]
        assert not {"model_server_up", "model_server_process_visible", "model_requests_in_flight"} & names
        assert metrics.total("model_requests_total", code="200") == 0
        assert metrics.value(f"{PREFIX}_received_total") == 0
        assert {labels["process"] for labels, _ in metrics.all("inference_exporter_heartbeat_timestamp_seconds")} == {
            "analyser"
        }
        assert min(value for _, value in metrics.all("inference_exporter_collector_success")) == 1
        assert "taking events on" in running.log()
        assert running.stop() == 0


def test_without_a_relay_a_server_that_is_named_is_still_watched() -> None:
    with model_server() as upstream, sidecar(None, "--upstream", f"http://127.0.0.1:{upstream}") as running:
        eventually(lambda: running.metrics().total("model_server_up") == 1, what="the server seen")


def test_without_a_relay_it_is_ready_once_its_analyser_is() -> None:
    with sidecar(None) as running:
        analyser = running.pid_of("exporter.analyser")
        os.kill(analyser, signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.analyser") not in {0, analyser}, what="the next one")
        eventually(lambda: running.get(running.health_port, "/-/ready")[0] == 200, what="ready again")
        assert running.get(running.health_port, "/-/healthy")[0] == 200


def test_beside_a_relay_events_are_off_until_they_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "exporter.yml"
    path.write_text("{}")
    with model_server() as upstream, sidecar(upstream, "--config", str(path)) as running:
        status, text = post(running, loggers.kserve("request", b"{}", "x"))
        assert (status, text) == (403, "taking events is not enabled: set events.enable\n")
        assert not running.metrics().all(f"{PREFIX}_received_total")
        path.write_text(yaml.safe_dump({"events": {"enable": True}}))
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: post(running, loggers.kserve("request", b"{}", "x"))[0] == 200, what="events allowed")
        eventually(lambda: running.get(running.web_port, "/-/ready")[0] == 200, what="a page of the new settings")
        predict(running.url, [[1, 2]])
        exchange(running, 1)
        metrics = settled(running, 3, waiting=1)
        eventually(lambda: running.metrics().value("inference_exporter_exchanges_observed_total") == 1)
        metrics = running.metrics()
        assert metrics.total("model_requests_total", code="200") == 2
        assert metrics.value("inference_exporter_exchanges_offered_total") == 1, "what was relayed has its own accounts"


def test_halves_that_stay_alone_are_observed_as_far_as_they_go() -> None:
    with sidecar(None, "--events.join-timeout", "1s", *FAST) as running:
        post(running, loggers.kserve("request", loggers.instances([1, 2], [3, 4]), "a"))
        post(running, loggers.kserve("response", loggers.predictions(1), "b"))
        post(running, loggers.kserve("response", loggers.predictions(1), "b"))
        metrics = settled(running, 3)
        for part, count in (("whole", 0), ("request", 1), ("response", 1)):
            assert metrics.value(f"{PREFIX}_observed_total", part_of=part) == count
        assert metrics.value(f"{PREFIX}_dropped_total", reason="duplicate") == 1
        assert metrics.total("model_requests_total", code="other") == 1
        assert metrics.total("model_requests_total", code="200") == 1
        assert metrics.total("model_rows_total") == 2
        for side in ("request", "response"):
            assert metrics.value("inference_exporter_payloads_offered_total", side=side) == 1
            assert metrics.value("inference_exporter_payloads_decoded_total", side=side) == 1


def test_when_it_ends_halves_that_wait_are_observed_and_windows_kept(profile: Path, tmp_path: Path) -> None:
    flags = ("--profile", str(profile), "--model.name", "churn", "--state", str(tmp_path / "state"), *FAST)
    with sidecar(None, *flags) as running:
        post(running, loggers.kserve("request", loggers.instances([1, 2]), "a", time=""))
        settled(running, 1, waiting=1)
        assert running.stop() == 0
    with sidecar(None, *flags) as running:
        eventually(
            lambda: running.metrics().total("model_feature_window_samples", feature="a", window="1m") == 1,
            what="the half that was alone",
        )


def test_counters_never_go_back_when_the_analyser_is_killed_and_what_it_lost_is_known() -> None:
    with sidecar(None, *FAST) as running:
        seen: dict[str, float] = {}
        duplicates = f"{PREFIX}_dropped_total{{'reason': 'duplicate'}}"
        sent = 0

        def look() -> bool:
            status, _ = running.get(running.web_port, "/-/ready")
            if status != 200:
                return False
            metrics = running.metrics()
            assert balanced(metrics)
            for sample in metrics.samples:
                if sample.name.startswith(PREFIX) and sample.name.endswith("_total"):
                    key = f"{sample.name}{sample.labels}"
                    assert sample.value >= seen.get(key, 0.0), key
                    seen[key] = sample.value
            return True

        for _ in range(4):
            for number in range(sent, sent + 40):
                exchange(running, number)
            for _ in range(2):
                post(running, loggers.kserve("request", loggers.instances([1, 2]), f"alone-{sent}"))
            sent += 40
            if sent % 80:
                shown = seen.get(duplicates, 0.0)
                eventually(lambda shown=shown: look() and seen[duplicates] > shown, what="the duplicate on the page")
            analyser = running.pid_of("exporter.analyser")
            os.kill(analyser, signal.SIGKILL)
            eventually(lambda gone=analyser: running.pid_of("exporter.analyser") not in {0, gone}, what="the next one")
            eventually(look, what="its first page")
        metrics = settled(running, 4 * 82)
        lost = metrics.value(f"{PREFIX}_dropped_total", reason="analyser_lost")
        assert lost >= 4, "halves that waited are lost"
        whole = metrics.value(f"{PREFIX}_observed_total", part_of="whole")
        assert metrics.total("model_requests_total", code="200") == whole / 2
        assert metrics.value("inference_exporter_process_restarts_total", process="analyser", reason="signalled") == 4


class Flood:
    """Some loggers that post as fast as they are answered, and some clients that send nothing but a beginning."""

    def __init__(self, running: Sidecar, loggers_: int, seconds: float) -> None:
        self.statuses: list[int] = []
        self._running = running
        self._until = time.monotonic() + seconds
        self._threads = [threading.Thread(target=self._log, args=(number,)) for number in range(loggers_)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join(120)

    @property
    def goes_on(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _log(self, name: int) -> None:
        number = 0
        with closing(HTTPConnection("127.0.0.1", self._running.web_port, timeout=60)) as connection:
            while time.monotonic() < self._until:
                kind = ("request", "response")[number % 2]
                headers, body = loggers.kserve(kind, loggers.instances(*([[1, 2]] * 200)), f"{name}-{number // 2}")
                try:
                    connection.request("POST", "/events", body, headers)
                    answer = connection.getresponse()
                    answer.read()
                except OSError:
                    connection.close()
                    continue
                self.statuses.append(answer.status)
                number += 1


def test_the_page_is_served_and_accounts_balance_under_a_flood_of_events() -> None:
    bounds = ("--events.max-body", "64KiB", "--events.max-pending", "256KiB", "--events.join-timeout", "1s")
    with sidecar(None, *bounds, *FAST) as running, ExitStack() as clients:
        for _ in range(20):
            slow = clients.enter_context(socket.create_connection(("127.0.0.1", running.web_port)))
            slow.sendall(b"POST /events HTTP/1.1\r\nHost: x\r\nCe-Type: a.feedback\r\nContent-Length: 1000\r\n\r\nx")
        flood = clients.enter_context(Flood(running, 8, 6.0))
        pages = 0
        while flood.goes_on:
            assert balanced(running.metrics())
            pages += 1
        clients.close()
        assert pages > 3
        metrics = eventually(lambda: _quiet(running, len(flood.statuses)), what="all accounted for")
        assert flood.statuses.count(200) > 0
        assert set(flood.statuses) <= {200, 429}
        observed = metrics.total(f"{PREFIX}_observed_total") + metrics.value(
            f"{PREFIX}_dropped_total", reason="duplicate"
        )
        assert observed >= flood.statuses.count(200)
        assert metrics.value(f"{PREFIX}_dropped_total", reason="busy") >= flood.statuses.count(429)
        assert metrics.value("inference_exporter_process_resident_memory_bytes", process="analyser") < 300 << 20
        assert metrics.total("inference_exporter_process_restarts_total") == 0


def _quiet(running: Sidecar, received: int) -> Metrics | None:
    """A scrape that knows of so many events at least, none of which waits; a page may be older than the last."""
    metrics = running.metrics()
    assert balanced(metrics)
    known = metrics.value(f"{PREFIX}_received_total") >= received
    return metrics if known and metrics.value(f"{PREFIX}_waiting") == 0 else None


def test_bodies_made_to_swell_do_not_end_the_analyser() -> None:
    start = b'{"specversion": "1.0", "id": "1", "source": "s", "type": "a.inference.request", "data": ['
    swelling = start + b"{}," * (1 << 20) + b"{}]}"
    message = {"Content-Type": "application/cloudevents+json"}, swelling
    with sidecar(None) as running:
        threads = [threading.Thread(target=post, args=(running, message)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        metrics = eventually(lambda: _came(running, 8), what="all of them")
        assert balanced(metrics)
        assert metrics.total("inference_exporter_process_resident_memory_bytes", process="analyser") < 400 << 20
        assert metrics.total("inference_exporter_process_restarts_total") == 0


def _came(running: Sidecar, events: int) -> Metrics | None:
    metrics = running.metrics()
    return metrics if metrics.value(f"{PREFIX}_received_total") == events else None


# --- how it is said


def test_no_relay_is_said_as_a_flag_a_key_and_a_variable(tmp_path: Path) -> None:
    path = tmp_path / "exporter.yml"
    path.write_text("relay: false\n")
    ways = (
        (("--no-relay",), {}),
        (("--relay", "false"), {}),
        (("--config", str(path)), {}),
        ((), {"INFERENCE_EXPORTER_RELAY": "false"}),
    )
    for flags, environ in ways:
        result = command("check", "--json", *flags, environ=environ)
        assert json.loads(result.stdout)["relay"] is False
        assert command("check", *flags, environ=environ).stdout.startswith("settings: fine\n")
    result = command("check", "--config", str(path), "--relay", "true")
    assert "needs --upstream as well, or --no-relay" in result.stdout


def test_routes_without_a_relay_are_refused() -> None:
    result = command("check", "--no-relay", "--route", ":8081=http://127.0.0.1:8001")
    assert result.returncode == 64
    assert "routes: nothing is relayed with relay: false" in result.stderr


def test_a_body_that_leaves_no_room_for_another_is_refused() -> None:
    result = command("check", "--events.max-body", "64MiB")
    assert result.returncode == 64
    assert "events.max_pending: must be at least 4 times max_body" in result.stderr
