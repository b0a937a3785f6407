"""Truth arrives late, at a real sidecar: every measure on the page is that of scikit-learn on the joined raw rows.

Truths come in any order, some twice, some contradicted, some never; the analyser is killed again and again meanwhile.
"""

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hindsight_scenes import CLASSES, KINDS, Kind, table
from monitor_scenes import write_csv
from sklearn import metrics as sklearn
from support import Answering, Metrics, Sidecar, build_profile, eventually, model_server, sidecar

REQUESTS, MOST_ROWS = 150, 6
FAST = ("--windows.pane", "1s", "--windows.lengths", "60s", "--feedback.enable", "true")
COUNTERS = ("model_predictions_opened_total", "model_truths_joined_total", "inference_exporter_feedback_received_total")


class Row(NamedTuple):
    """A prediction that was answered."""

    id: str
    row: int
    said: Any


def server_of(kind: Kind) -> type[Answering]:
    """A model server of one kind; what it says comes from the request's number, which is its first row's x."""

    class Server(Answering):
        def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
            rows = json.loads(self.rfile.read(int(self.headers["content-length"])))["instances"]
            random = np.random.default_rng(round(rows[0]["x"] * 1e6))
            self._send(200, json.dumps({"predictions": kind.answers(random, len(rows))}).encode(), "application/json")

    return Server


def ask(running: Sidecar, number: int) -> list[Row]:
    """Some rows under one id."""
    random = np.random.default_rng(number)
    rows = [{"x": number / 1e6}, *({"x": float(random.normal())} for _ in range(int(random.integers(MOST_ROWS))))]
    request = urllib.request.Request(
        f"{running.url}/v1/models/m:predict", json.dumps({"instances": rows}).encode(),
        {"content-type": "application/json", "x-request-id": f"r{number}"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:
        return [Row(f"r{number}", row, said) for row, said in enumerate(json.load(answer)["predictions"])]


def told(running: Sidecar, records: list[dict[str, Any]]) -> dict[str, Any]:
    """POST truths until somebody takes them; whoever does not answer may have taken them, too."""

    def post() -> dict[str, Any] | None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{running.web_port}/feedback", json.dumps(records).encode(),
            {"content-type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                return None if error.code in {429, 503} else pytest.fail(error.read().decode())
        except (OSError, HTTPException, ValueError):  # it died
            return None

    found: dict[str, Any] = eventually(post, what="truths taken")
    return found


def page(running: Sidecar) -> Metrics | None:
    try:
        status, body = running.get(running.web_port, "/metrics")
    except HTTPException:  # it died amid the page
        return None
    return Metrics(body.decode()) if status == 200 else None


def counter(running: Sidecar, name: str) -> float:
    found = page(running)
    return found.total(name) if found else -1.0


@contextmanager
def deaths(running: Sidecar, most: int) -> Iterator[None]:
    """Meanwhile the analyser is killed again and again, and counters are looked at: they never go back."""
    over, highest, failures = threading.Event(), dict.fromkeys(COUNTERS, 0.0), list[str]()

    def kill() -> None:
        random = np.random.default_rng(5)
        for _ in range(most):
            if not over.wait(float(random.uniform(0.3, 1.5))) and (pid := running.pid_of("exporter.analyser")):
                os.kill(pid, signal.SIGKILL)

    def look() -> None:
        while not over.wait(0.1):
            if found := page(running):
                now = {name: found.total(name) for name in COUNTERS}
                failures.extend(f"{name} fell to {value}" for name, value in now.items() if value < highest[name])
                highest.update(now)

    threads = [threading.Thread(target=one) for one in (kill, look)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failures


# --- what scikit-learn says


def expected(kind: Kind, said: list[Any], true: list[Any], weight: np.ndarray) -> dict[tuple[str, ...], float]:
    """By name and labels."""
    if kind.name == "regression":
        return of_numbers(np.array(said), np.array(true), weight)
    if kind.name == "binary":
        found = of_classes(["1" if one >= 0.5 else "0" for one in said], [str(one) for one in true], weight)
        truth = [one == 1 for one in true]
        return found | {
            ("log_loss",): sklearn.log_loss(truth, said, sample_weight=weight),
            ("brier",): sklearn.brier_score_loss(truth, said, sample_weight=weight),
            ("roc_auc",): sklearn.roc_auc_score(truth, said, sample_weight=weight),
            ("pr_auc",): sklearn.average_precision_score(truth, said, sample_weight=weight),
        }
    if kind.name == "labels":
        return of_classes(said, true, weight)
    scores = np.array([[*one.values()] for one in said])
    found = of_classes([CLASSES[at] for at in scores.argmax(axis=1)], true, weight)
    return found | {
        ("log_loss",): sklearn.log_loss(true, scores, sample_weight=weight, labels=CLASSES),
        ("roc_auc",): sklearn.roc_auc_score(
            true, scores, sample_weight=weight, multi_class="ovr", average="macro", labels=CLASSES
        ),
    }


def of_classes(said: list[str], true: list[str], weight: np.ndarray) -> dict[tuple[str, ...], float]:
    found = {
        ("accuracy",): sklearn.accuracy_score(true, said, sample_weight=weight),
        ("balanced_accuracy",): sklearn.balanced_accuracy_score(true, said, sample_weight=weight),
    }
    for average in ("macro", "weighted"):
        scores = sklearn.precision_recall_fscore_support(
            true, said, average=average, sample_weight=weight, zero_division=0
        )
        found |= {(f"{name}_{average}",): one for name, one in zip(("precision", "recall", "f1"), scores, strict=False)}
    names = sorted({*said, *true})
    scores = sklearn.precision_recall_fscore_support(true, said, labels=names, sample_weight=weight, zero_division=0)
    for name, each in zip(("precision", "recall", "f1"), scores, strict=False):
        found |= {(name, label): one for label, one in zip(names, each, strict=True)}
    table = sklearn.confusion_matrix(true, said, labels=names)
    found |= {("confusion_rows", names[a], names[b]): table[a, b] for a in range(len(names)) for b in range(len(names))}
    return found


def of_numbers(said: np.ndarray, true: np.ndarray, weight: np.ndarray) -> dict[tuple[str, ...], float]:
    return {
        ("mae",): sklearn.mean_absolute_error(true, said, sample_weight=weight),
        ("rmse",): sklearn.root_mean_squared_error(true, said, sample_weight=weight),
        ("mape",): sklearn.mean_absolute_percentage_error(true, said, sample_weight=weight),
        ("r2",): sklearn.r2_score(true, said, sample_weight=weight),
        ("bias",): float(np.average(said - true, weights=weight)),
    }


def assert_is_said(found: Metrics, wanted: Mapping[tuple[str, ...], float], by: str, window: str = "30d") -> None:
    for (name, *labels), value in wanted.items():
        own = dict(zip(("class",) if len(labels) == 1 else ("actual", "predicted"), labels, strict=False))
        shown = found.value(f"model_performance_{name}", by=by, window=window, **own)
        bounds = found.all(f"model_performance_{name}_bound", by=by, window=window, **own)
        within = bounds[0][1] if bounds else 0.0
        assert shown == pytest.approx(value, rel=1e-9, abs=1e-9 + within), (name, labels, by)


# --- the tests


def orderly(running: Sidecar) -> None:
    assert running.stop() == 0


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (KINDS["binary"], Sidecar.kill), (KINDS["labels"], orderly),
        (KINDS["multiclass"], orderly), (KINDS["regression"], Sidecar.kill),
    ],
    ids=[*KINDS],
)  # fmt: skip
def test_every_measure_is_that_of_the_raw_rows_whoever_dies_meanwhile(
    kind: Kind, end: Callable[[Sidecar], None], tmp_path: Path
) -> None:
    random = np.random.default_rng(11)
    source = write_csv(tmp_path / "train.csv", table(kind))
    words = [word for name in kind.outputs for word in ("--prediction", name)]
    profile = build_profile(Path(source), tmp_path / "profile.json", *words)
    flags = (*FAST, "--profile", str(profile), "--state", str(tmp_path / "state"), "--state.interval", "1s")
    with model_server(server_of(kind)) as server:
        with sidecar(server, *flags) as running:
            with ThreadPoolExecutor(4) as pool:
                rows = [row for some in pool.map(lambda at: ask(running, at), range(REQUESTS)) for row in some]
            eventually(lambda: counter(running, COUNTERS[0]) == len(rows), what="all predictions counted")
            asked = time.time()
            joined = [row for row in rows if random.random() < 0.8]
            truths = kind.truths(random, [row.said for row in joined])
            weights = random.integers(1, 5, len(joined)) / 2
            records = [
                {"id": row.id, "row": row.row, "truth": true, "weight": weight}
                for row, true, weight in zip(joined, truths, weights.tolist(), strict=True)
            ]
            with deaths(running, 4):
                tell_in_any_order(running, records, random)
                eventually(lambda: counter(running, COUNTERS[1]) == len(joined), what="all truths joined")
            wanted = expected(kind, [row.said for row in joined], truths, weights)
            assert_all_is_said(running, wanted, len(joined), len(rows))
            eventually(
                lambda: kept(tmp_path / "state") > asked + 1, what="windows on disk"
            )  # a kill takes what came since
            end(running)
        with sidecar(server, *flags) as running:  # from what is on disk
            eventually(lambda: samples(running) == len(joined), what="windows made again")
            assert_all_is_said(running, wanted, len(joined), len(rows))
            assert counter(running, COUNTERS[1]) == 0


def kept(state: Path) -> float:
    """When windows were written last."""
    return max((path.stat().st_mtime for path in state.glob("m-*.ixstate")), default=0.0)


def samples(running: Sidecar) -> float:
    found = page(running)
    shown = found.all("model_performance_samples", by="arrival", window="30d") if found else []
    return shown[0][1] if shown else -1.0


def tell_in_any_order(running: Sidecar, records: list[dict[str, Any]], random: np.random.Generator) -> None:
    """Batch by batch; some of what was told is told again, or otherwise, and the first one stays."""
    order = [records[at] for at in random.permutation(len(records))]
    start = 0
    while start < len(order):
        stop = start + int(random.integers(1, 40))
        again = [order[at] for at in random.integers(0, start, 5)] if start else []
        others = [one | {"truth": otherwise(one["truth"])} for one in again[:2]]
        answer = told(running, [*order[start:stop], *again, *others])
        assert answer["matched"] + answer["duplicate"] == min(stop, len(order)) - start + len(again)
        assert answer["conflicting"] == len(others)
        start = stop


def otherwise(truth: Any) -> Any:
    """Another truth of the same kind."""
    return truth + 1 if isinstance(truth, int | float) else "another"


def assert_all_is_said(running: Sidecar, wanted: Mapping[tuple[str, ...], float], joined: int, rows: int) -> None:
    found = page(running)
    assert found
    for by in ("prediction", "arrival"):
        assert found.value("model_performance_samples", by=by, window="30d") == joined
        assert_is_said(found, wanted, by)
    assert found.value("model_performance_coverage_ratio", window="30d") == pytest.approx(joined / rows, rel=1e-12)
