"""A new normal, from end to end: what drifted is accepted, scores as such, and comes back when that expires."""

import json
import signal
from pathlib import Path
from typing import Any, Final

import numpy as np
from support import Metrics, Sidecar, build_profile, command, eventually, model_server, predict, sidecar

FAST: Final = ("--windows.pane", "1s", "--windows.lengths", "60s,1h", "--windows.snapshot-interval", "200ms")


def rows_of(count: int, seed: int, amount: float = 0.0, age: float = 0.0) -> list[Any]:
    random = np.random.default_rng(seed)
    return [
        {"amount": float(random.normal(amount)), "age": float(random.normal(age)), "town": f"t{random.integers(3)}"}
        for _ in range(count)
    ]


def build(directory: Path) -> Path:
    table = directory / "train.jsonl"
    table.write_text("".join(json.dumps(row | {"p": 0.5}) + "\n" for row in rows_of(3000, 1)))
    return build_profile(table, directory / "profile.json", "--prediction", "p", "--model", "m")


def adopt(running: Sidecar, path: Path, *words: str) -> Any:
    return command(
        "profile", "adopt", str(path), "--exporter", f"http://127.0.0.1:{running.web_port}",
        "--from", "1h", "--author", "ada", "--reason", "a new currency", *words,
    )  # fmt: skip


def page(running: Sidecar) -> Metrics | None:
    """/metrics; None while an analyser starts."""
    status, body = running.get(running.web_port, "/metrics")
    return Metrics(body.decode()) if status == 200 else None


def drifted(running: Sidecar, feature: str) -> bool | None:
    """Whether the PSI of the hour is beyond its critical value; None where there is none."""
    metrics, labels = page(running), {"feature": feature, "window": "1h"}
    if metrics is None or not metrics.total("model_feature_window_sufficient", **labels):
        return None
    return metrics.value("model_feature_psi", **labels) > metrics.value("model_feature_psi_critical", **labels)


def digest_of(running: Sidecar) -> str:
    metrics = page(running)
    found = metrics.all("model_profile_info") if metrics else []
    return found[0][0]["profile"] if found else ""


def test_what_was_adopted_is_no_drift_any_more_until_it_expires(tmp_path: Path) -> None:
    path = build(tmp_path)
    with model_server() as upstream, sidecar(upstream, *FAST, "--profile", str(path)) as running:
        predict(running.url, rows_of(800, 2, amount=1.0, age=1.0))
        eventually(lambda: drifted(running, "amount") and drifted(running, "age"), what="both drifted")
        before = digest_of(running)
        result = adopt(running, path, "--feature", "am*")
        assert result.returncode == 0, result.stderr
        assert "amount: adopted from 1h" in result.stdout
        assert "warning" not in result.stdout
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: digest_of(running) not in {"", before}, what="the adopted profile in force")
        predict(running.url, rows_of(800, 3, amount=1.0, age=1.0))
        eventually(lambda: drifted(running, "age") is True, what="the other one is untouched")
        assert drifted(running, "amount") is False
        shares = [value for _, value in running.metrics().all("model_feature_training_ratio", feature="amount")]
        assert abs(sum(shares) - 1) < 1e-9
        assert not running.metrics().all("model_feature_training_ratio", feature="age")
        result = adopt(running, path, "--feature", "amount", "--expires", "5s")
        assert result.returncode == 0, result.stderr
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: digest_of(running) == before, what="it has expired")
        predict(running.url, rows_of(800, 4, amount=1.0, age=1.0))
        eventually(lambda: drifted(running, "amount") and drifted(running, "age"), what="both drifted again")
        assert not running.metrics().all("model_feature_training_ratio")
        assert adopt(running, path, "--drop", "--feature", "amount").returncode == 0
        assert json.loads(path.read_text()).get("adoptions", []) == []


def test_what_cannot_be_adopted_is_refused_in_words_and_the_file_stays_as_it_is(tmp_path: Path) -> None:
    path = build(tmp_path)
    with model_server() as upstream, sidecar(upstream, *FAST, "--profile", str(path)) as running:
        predict(running.url, rows_of(30, 2))
        eventually(lambda: running.metrics().total("model_rows_total") == 30, what="30 rows")

        def refused(code: int, words: str, *flags: str, into: Path = path) -> None:
            content = into.read_bytes()
            result = adopt(running, into, *flags)
            assert result.returncode == code, result.stdout + result.stderr
            assert words in result.stderr
            assert into.read_bytes() == content

        eventually(
            lambda: "fewer than" in adopt(running, path, "--feature", "amount").stderr, what="a snapshot of them"
        )
        refused(65, "'amount' has 30 values in the window of 1h, fewer than the 200", "--feature", "amount")
        refused(64, "--feature amuont: the profile has no such column, did you mean amount?", "--feature", "amuont")
        refused(65, "no window is called '7m': there are 1m, 1h", "--feature", "amount", "--from", "7m")
        refused(65, "no model is so; compared with a profile are: m unknown", "--feature", "age", "--model", "x")
        refused(64, "--from: must be a duration", "--feature", "amount", "--from", "soon")
        refused(64, "--expires: 2020-01-01 is over", "--feature", "amount", "--expires", "2020-01-01")
        refused(64, "--expires: must be a time", "--feature", "amount", "--expires", "never")
        refused(65, "fewer than the 200", "--feature", "amount", "--expires", "9999-12-31T23:59:59")
        refused(64, "--author: must be said", "--feature", "amount", "--author", "")
        refused(64, "--feature: for which columns?")
        refused(64, "--drop: nothing was adopted", "--feature", "amount", "--drop")
        refused(64, "--exporter: must be http://HOST:PORT", "--feature", "amount", "--exporter", "ftp://x")
        refused(69, "does not answer", "--feature", "amount", "--exporter", "http://127.0.0.1:1")
        other = tmp_path / "other.json"  # the file in force would be followed in the meantime
        other.write_text(json.dumps(json.loads(path.read_bytes()) | {"rows": 2999}))
        refused(65, "no model is so", "--feature", "amount", into=other)
        refused(65, "adopt into the file that is in force", "--feature", "amount", "--model", "m", into=other)
