"""All that can be wrong with a stream, at once: each finding is on the page, and in Prometheus, by its own name."""

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitoring import prometheus
from support import Metrics, Sidecar, command, eventually, free_port, model_server, predict, sidecar, tool

FAST = ("--windows.pane", "1s", "--windows.lengths", "10m", "--windows.snapshot-interval", "200ms")
FEATURES = ("drifted", "nulled", "stuck", "mistyped", "stranger", "clean")
ROWS = 1000


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of six features that the prediction hangs on alike."""
    directory = tmp_path_factory.mktemp("profile")
    rows, draw = healthy(5000, 1), np.random.default_rng(2)
    with (directory / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*FEATURES, "score"])
        writer.writerows([*row.values(), draw.random()] for row in rows)
    (directory / "importance.json").write_text(json.dumps({name: 1 for name in FEATURES if name != "clean"}))
    result = command(
        "profile", "build", str(directory / "train.csv"), "--prediction", "score", "--model", "m",
        "--model-version", "3", "--importance", str(directory / "importance.json"),
        "--output", str(directory / "profile.json"),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return directory / "profile.json"


def healthy(count: int, seed: int) -> list[dict[str, Any]]:
    draw = np.random.default_rng(seed)
    return [
        {
            "drifted": float(draw.lognormal(3, 1)), "nulled": float(draw.normal()), "stuck": float(draw.normal(50, 9)),
            "mistyped": float(draw.exponential()), "stranger": str(draw.choice(["red", "green", "blue"])),
            "clean": int(draw.integers(18, 90)),
        }
        for _ in range(count)
    ]  # fmt: skip


def broken(count: int, seed: int) -> list[dict[str, Any]]:
    """Each feature but the last wrong in its own way."""
    rows = healthy(count, seed)
    for at, row in enumerate(rows):
        row["drifted"] *= 2.5
        row["nulled"] = None if at % 10 < 3 else row["nulled"]
        row["stuck"] = 50.0
        row["mistyped"] = str(row["mistyped"]) if at % 5 == 0 else row["mistyped"]
        row["stranger"] = f"mauve {at}" if at % 4 == 0 else row["stranger"]
    return rows


def send(running: Sidecar, rows: list[dict[str, Any]], size: int = 40) -> Metrics:
    for start in range(0, len(rows), size):
        predict(running.url, rows[start : start + size])
    return running.settled(-(-len(rows) // size))


def beyond(metrics: Metrics, score: str) -> set[str]:
    """Features whose score is beyond its critical value."""
    critical = {labels["feature"]: value for labels, value in metrics.all(f"model_feature_{score}_critical")}
    found = {labels["feature"]: value for labels, value in metrics.all(f"model_feature_{score}")}
    return {name for name, value in found.items() if abs(value) > critical[name]}


def test_each_finding_is_on_the_page_and_in_prometheus_and_a_clean_feature_is_in_none(
    profile: Path, tmp_path: Path
) -> None:
    promtool = tool("promtool", "prometheus")
    with model_server() as upstream, sidecar(upstream, "--profile", str(profile), *FAST) as running:
        metrics = send(running, broken(ROWS, 3))
        assert metrics.total("model_feature_window_sufficient") == len(FEATURES)
        wrong = {"drifted", "nulled", "stuck", "mistyped", "stranger"}
        for score in ("psi", "total_variation", "js_distance"):
            assert beyond(metrics, score) == wrong, score
        assert beyond(metrics, "mean_shift_zscore") == {"drifted"}
        assert beyond(metrics, "ks") == beyond(metrics, "wasserstein_ratio") == {"drifted", "stuck"}
        shares = {"missing": {"nulled"}, "nonfinite": {"mistyped"}, "unseen": {"stranger"}}
        for name, features in shares.items():
            assert beyond(metrics, f"{name}_ratio") == features, name
        assert "clean" not in beyond(metrics, "out_of_range_ratio")
        assert metrics.value("model_feature_missing_ratio", feature="nulled") == 0.3
        assert metrics.value("model_feature_unseen_ratio", feature="stranger") == 0.25
        assert metrics.value("model_feature_type_error_ratio", feature="mistyped") == 0.2
        assert metrics.value("model_feature_type_error_values_total", feature="mistyped") == ROWS / 5
        moved = {labels["feature"] for labels, _ in metrics.all("model_feature_bin_change_ratio")}
        assert moved == wrong
        _assert_impact(metrics)
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=metrics.text, capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, "")
        with prometheus(
            tmp_path / "prometheus", [f"127.0.0.1:{running.web_port}"], f"127.0.0.1:{free_port()}"
        ) as asked:
            query = "sum by (feature) (model_feature_psi > model_feature_psi_critical)"
            found = eventually(lambda: asked.query(query), what="the scores in Prometheus")
            assert {one["metric"]["feature"] for one in found} == wrong
            of_missing = asked.query("model_feature_missing_ratio > model_feature_missing_ratio_critical")
            assert [one["metric"]["feature"] for one in of_missing] == ["nulled"]
            total = sum(value for _, value in metrics.all("model_feature_impact_ratio"))
            assert asked.value("sum(model_feature_impact_ratio)") == pytest.approx(total, rel=1e-12)


def _assert_impact(metrics: Metrics) -> None:
    """A fifth of what moved, less than chance would have moved; the stuck one moved most."""
    impact = {labels["feature"]: value for labels, value in metrics.all("model_feature_impact_ratio")}
    assert impact["clean"] == 0
    for name in impact.keys() - {"clean"}:
        moved = metrics.value("model_feature_total_variation", feature=name)
        assert 0.15 * moved < impact[name] < 0.2 * moved
    assert max(impact, key=impact.__getitem__) == "stuck"


def test_the_number_of_workers_changes_no_count(profile: Path) -> None:
    rows, found = [*broken(300, 4), *healthy(300, 5)], []
    for workers in ("1", "3"):
        flags = ("--profile", str(profile), "--workers", workers, *FAST)
        with model_server() as upstream, sidecar(upstream, *flags) as running:
            metrics = send(running, rows if workers == "1" else rows[::-1], 7)
        took_part = [worker for worker, taken in metrics.all("inference_exporter_proxy_connections_total") if taken]
        assert len(took_part) == int(workers)
        bins = {(labels["feature"], labels["bin"]): value for labels, value in metrics.all("model_feature_bin_total")}
        scores = {
            (sample.name, *sample.labels.values()): sample.value for sample in metrics.samples
            if sample.labels.get("window") == "10m" and "feature" in sample.labels and "bin" not in sample.labels
            and "_run_" not in sample.name  # of values one behind the other, as they come
        }  # fmt: skip
        found.append((bins, scores))
    assert sum(found[0][0].values()) == 600 * len(FEATURES)
    assert found[0] == found[1]
