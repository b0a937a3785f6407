"""What becomes of bodies between relay and analyser, over real processes."""

import http.client
import json
import os
import signal
import time
import urllib.error
import urllib.request

import pytest
from support import Metrics, Sidecar, accounted, eventually, model_server, predict, sidecar


def test_rows_at_the_beginning_of_a_body_beyond_the_cap_are_counted() -> None:
    rows = [[number, number / 7] for number in range(60_000)]
    with model_server() as upstream, sidecar(upstream, "--capture.max-body", "100KiB") as running:
        assert len(predict(running.url, rows)["predictions"]) == len(rows)
        assert predict(running.url, rows[:10])["predictions"][1] == 1 + 1 / 7
        metrics = running.settled(2)
        cut_off = {"request": 0.0, "response": 0.0}
        for side in cut_off:
            cut_off[side] = metrics.value("inference_exporter_truncated_rows_total", side=side)
            assert metrics.value("inference_exporter_payloads_truncated_total", side=side) == 1
            assert metrics.value("inference_exporter_payloads_decoded_total", side=side) == 2
        text = json.dumps({"instances": rows})[: 100 << 10]
        assert cut_off["request"] == text.count("], ")
        assert 0 < cut_off["response"] < len(rows)
        assert metrics.value("model_rows_total") == cut_off["request"] + 10
        assert metrics.total("inference_exporter_payloads_undecoded_total") == 0
        assert metrics.value("model_request_size_bytes_sum") > 10 * len(text)
        assert accounted(metrics)


def test_bodies_of_many_pieces_arrive_whole() -> None:
    rows = [[number, number / 7] for number in range(20_000)]
    with model_server() as upstream, sidecar(upstream) as running:
        for number in range(1, 21):
            predict(running.url, rows)
            metrics = running.settled(number)  # or a busy machine fills the ring, and bodies are drawn by lot
        assert metrics.value("model_rows_total") == 20 * len(rows)
        assert metrics.value("inference_exporter_payloads_decoded_total", side="response") == 20
        assert metrics.value("inference_exporter_exchanges_observed_total") == 20


def payloads_accounted(metrics: Metrics, side: str) -> bool:
    """offered = decoded + Σ undecoded."""
    offered, decoded = (
        metrics.value(f"inference_exporter_payloads_{what}_total", side=side) for what in ("offered", "decoded")
    )
    return offered == decoded + metrics.total("inference_exporter_payloads_undecoded_total", side=side)


def test_while_a_ring_fills_bodies_are_drawn_by_lot_and_accounts_stay_exact() -> None:
    small_ring = ("--capture.ring", "256KiB", "--capture.max-body", "16KiB")
    with model_server() as upstream, sidecar(upstream, *small_ring) as running:
        analyser = running.pid_of("exporter.analyser")
        os.kill(analyser, signal.SIGSTOP)
        try:
            for number in range(400):
                predict(running.url, [[number, 1]] * 60)
            time.sleep(0.5)  # a client has its answer before it is counted
        finally:
            os.kill(analyser, signal.SIGCONT)
        metrics = running.settled(400)
        sampled = metrics.value("inference_exporter_bodies_shed_total", reason="sampled")
        assert sampled > 0
        assert metrics.value("inference_exporter_sampling_ratio", process="worker-0") < 1
        assert metrics.value("inference_exporter_exchanges_observed_total") == 400, "heads always travel"
        for side in ("request", "response"):
            undecoded = {
                reason: metrics.total("inference_exporter_payloads_undecoded_total", side=side, reason=reason)
                for reason in ("sampled", "shed")
            }
            assert undecoded["sampled"] == sampled
            assert undecoded["shed"] == metrics.value("inference_exporter_bodies_shed_total", reason="memory")
            assert payloads_accounted(metrics, side)
        predict(running.url, [[1, 2]])
        metrics = running.settled(401)
        assert metrics.value("inference_exporter_sampling_ratio", process="worker-0") == 1


def switch(running: Sidecar, enabled: str) -> None:
    url = f"http://127.0.0.1:{running.web_port}/-/observe?enabled={enabled}"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30) as reply:
        assert reply.status == 200


def observing(running: Sidecar, expected: int) -> Metrics:
    def scrape() -> Metrics | None:
        metrics = running.metrics()
        return metrics if metrics.value("inference_exporter_observing") == expected else None

    found: Metrics = eventually(scrape, what="the switch on the page")
    return found


def test_observation_is_switched_off_and_on_and_traffic_does_not_notice() -> None:
    with model_server() as upstream, sidecar(upstream, "--web.enable-lifecycle", "true") as running:
        kept = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)

        def ask() -> None:
            for _ in range(3):
                kept.request("POST", "/m:predict", b'{"instances": [[1, 2]]}')
                assert kept.getresponse().read() == b'{"predictions": [3.0]}'
            for _ in range(2):
                assert predict(running.url, [[1, 2]]) == {"predictions": [3.0]}

        ask()
        running.settled(5)
        switch(running, "false")
        ask()
        metrics = observing(running, 0)
        assert metrics.value("inference_exporter_exchanges_offered_total") == 5
        os.kill(running.pid_of("exporter.analyser"), signal.SIGKILL)
        eventually(lambda: running.get(running.web_port, "/-/ready")[0] == 200, what="the next analyser")
        ask()
        observing(running, 0)
        switch(running, "true")
        ask()
        metrics = running.settled(7)
        assert metrics.value("inference_exporter_observing") == 1
        assert metrics.total("model_rows_total") == 7, "new connections only"
        unread = "inference_exporter_proxy_unobservable_connections_total"
        assert metrics.value(unread, reason="switched_off") == metrics.total(unread) == 5
        assert accounted(metrics)
        kept.close()


def test_nobody_switches_observation_who_was_not_allowed_to() -> None:
    with model_server() as upstream, sidecar(upstream) as running:
        with pytest.raises(urllib.error.HTTPError) as refused:
            switch(running, "false")
        assert refused.value.code == 403
        assert b"web.enable_lifecycle" in refused.value.read()
        predict(running.url, [[1, 2]])
        assert running.settled(1).value("inference_exporter_observing") == 1


def test_the_exporter_says_what_it_costs_and_that_it_lives() -> None:
    with model_server() as upstream, sidecar(upstream, "--workers", "2") as running:
        for _ in range(150):
            predict(running.url, [[1, 2]])
        metrics = running.settled(150)
        assert metrics.value("inference_exporter_proxy_hop_seconds_count") > 0
        assert metrics.value("inference_exporter_proxy_hop_seconds_sum") > 0
        assert metrics.total("inference_exporter_observer_cpu_seconds_total") > 0
        for worker in ("worker-0", "worker-1"):
            assert 0 <= metrics.value("inference_exporter_ring_fill_ratio", process=worker) < 0.5
            assert metrics.value("inference_exporter_sampling_ratio", process=worker) == 1
        for name in ("worker-0", "worker-1", "analyser"):
            beat = metrics.value("inference_exporter_heartbeat_timestamp_seconds", process=name)
            assert abs(time.time() - beat) < 60, "Unix time, not the clock of the machine's start"


def test_an_analyser_killed_among_large_bodies_costs_no_request_and_no_count() -> None:
    rows = [[number, number / 7] for number in range(15_000)]
    with model_server() as upstream, sidecar(upstream) as running:
        for kill in (False, True, False, True, False):
            if kill:
                pid = running.pid_of("exporter.analyser")
                os.kill(pid, signal.SIGKILL)
            for _ in range(8):
                assert len(predict(running.url, rows)["predictions"]) == len(rows)
        eventually(lambda: running.get(running.web_port, "/-/ready")[0] == 200, what="the last analyser")
        metrics = running.settled(40)
        assert metrics.value("inference_exporter_exchanges_dropped_total", reason="corrupt") == 0
        assert metrics.value("inference_exporter_exchanges_dropped_total", reason="ring_full") == 0
        for side in ("request", "response"):
            assert payloads_accounted(metrics, side)
        undecoded = metrics.total("inference_exporter_payloads_undecoded_total", side="request")
        observed = metrics.value("inference_exporter_exchanges_observed_total")
        assert metrics.value("model_rows_total") == (observed - undecoded) * len(rows)
