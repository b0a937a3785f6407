"""What becomes of bodies between relay and analyser, over real processes."""

import json

from support import accounted, model_server, predict, sidecar


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
