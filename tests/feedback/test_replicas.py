"""Two replicas share a store: the truth comes to the one that did not predict, and the store goes away under load."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from feedback.places import PLACES
from hindsight_scenes import KINDS, table
from monitor_scenes import write_csv
from sklearn.metrics import confusion_matrix
from support import Sidecar, build_profile, eventually, model_server, sidecar
from test_performance_end_to_end import FAST, Row, ask, server_of, told

AWAY_S = 2.0


@contextmanager
def traffic(replicas: list[Sidecar], rows: list[Row]) -> Iterator[None]:
    """Requests all the while, to one after the other; every one must be answered."""
    over, numbers = threading.Event(), iter(range(10**6, 2 * 10**6))

    def send() -> None:
        while not over.wait(0.02):
            number = next(numbers)
            rows.extend(ask(replicas[number % len(replicas)], number))

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        try:
            yield
        finally:
            over.set()
            sending.result()


def total(replicas: list[Sidecar], name: str, **labels: str) -> float:
    return sum(one.metrics().total(name, **labels) for one in replicas)


@pytest.mark.parametrize("scheme", ["redis", "postgresql"])
def test_truth_reaches_another_replica_and_nothing_is_lost_while_the_store_is_away(
    scheme: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kind, random = KINDS["binary"], np.random.default_rng(3)
    place = PLACES[scheme](request)
    profile = build_profile(
        Path(write_csv(tmp_path / "train.csv", table(kind))), tmp_path / "profile.json", "--prediction", "p"
    )
    flags = (*FAST, "--profile", str(profile), "--feedback.store", place.url)
    rows: list[Row] = []
    with model_server(server_of(kind)) as server, sidecar(server, *flags) as one, sidecar(server, *flags) as other:
        replicas = [one, other]
        for number in range(30):
            rows += ask(one, number)
        truths = kind.truths(random, [row.said for row in rows])
        records = [{"id": row.id, "row": row.row, "truth": true} for row, true in zip(rows, truths, strict=True)]
        eventually(
            lambda: total(replicas, "inference_exporter_feedback_predictions_total", outcome="kept") == len(rows),
            what="all predictions kept",
        )
        early = told(other, records[:40])
        assert early["matched"] == 40
        with traffic(replicas, rows):
            place.server.pause()
            waiting = [told(replicas[at % 2], records[at : at + 20]) for at in range(40, len(records), 20)]
            before = len(rows)
            eventually(lambda: len(rows) > before + 40, what="answers that wait for no store")
            time.sleep(AWAY_S)
            place.server.resume()
        assert sum(answer["waiting"] for answer in waiting) > 0
        eventually(lambda: total(replicas, "model_truths_joined_total") == len(records), what="all truths joined")
        eventually(
            lambda: total(replicas, "inference_exporter_feedback_predictions_total", outcome="kept") == len(rows),
            what="all predictions kept",
        )
        wanted = confusion_matrix(truths, [int(row.said >= 0.5) for row in rows[: len(truths)]])
        for actual in range(2):
            for predicted in range(2):
                found = total(
                    replicas, "model_performance_outcomes_total", actual=str(actual), predicted=str(predicted)
                )
                assert found == wanted[actual, predicted]
        assert total(replicas, "inference_exporter_feedback_predictions_dropped_total") == 0
        assert total(replicas, "inference_exporter_feedback_received_total") == len(records)
