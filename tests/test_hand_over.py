"""What becomes of bodies between relay and analyser, over real processes."""

import json
import os
import signal
import time

from support import Metrics, accounted, model_server, predict, sidecar


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
        for _ in range(20):
            predict(running.url, rows)
        metrics = running.settled(20)
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
                reason: metrics.value("inference_exporter_payloads_undecoded_total", side=side, reason=reason)
                for reason in ("sampled", "shed")
            }
            assert undecoded["sampled"] == sampled
            assert undecoded["shed"] == metrics.value("inference_exporter_bodies_shed_total", reason="memory")
            assert payloads_accounted(metrics, side)
        predict(running.url, [[1, 2]])
        metrics = running.settled(401)
        assert metrics.value("inference_exporter_sampling_ratio", process="worker-0") == 1
