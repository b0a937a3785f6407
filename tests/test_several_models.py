"""Several models behind one sidecar, in real processes: series, profiles, floods of names, deaths and restarts."""

import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_background import InBackground
from support import Answering, Metrics, Sidecar, build_profile, command, eventually, model_server, sidecar, tool

FAST = ("--windows.pane", "1s", "--windows.lengths", "60s,1000s", "--windows.snapshot-interval", "100ms")
KNOWN = re.compile(r"/v2/models/(?:churn|fraud|m\d+)(?:/versions/\w+)?/infer")


class Several(Answering):
    """An Open Inference server of the models `churn`, `fraud` and `m0`, `m1` …; it knows no other, as real ones."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        if not KNOWN.fullmatch(self.path):
            self._send(404, b'{"error": "no such model"}', "application/json")
            return
        columns = [tensor["data"] for tensor in body["inputs"]]
        sums = [sum(row) for row in zip(*columns, strict=True)]
        answer = {"outputs": [{"name": "p", "shape": [len(sums)], "datatype": "FP64", "data": sums}]}
        self._send(200, json.dumps(answer).encode(), "application/json")


class Agreeable(Answering):
    """Answers whatever model it is asked for."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._send(200, b'{"predictions": [1.5]}', "application/json")


def infer(url: str, model: str, rows: int = 1, version: str = "", **names: int) -> int:
    """Ask a model of two features; the status."""
    columns = names or {"a": 3, "b": 5}
    inputs = [
        {"name": name, "shape": [rows], "datatype": "INT64", "data": [value] * rows} for name, value in columns.items()
    ]
    path = f"/v2/models/{model}/versions/{version}/infer" if version else f"/v2/models/{model}/infer"
    request = urllib.request.Request(url + path, json.dumps({"inputs": inputs}).encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    with model_server(Several) as port:
        yield port


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Profiles: of features a and b, one.json and two.json; other.json of three features."""
    directory = tmp_path_factory.mktemp("tables")
    for name, columns, factor in (("one", "a,b,p", 7), ("two", "a,b,p", 3), ("other", "a,b,c,p", 7)):
        count = len(columns.split(","))
        rows = "".join(",".join(str((at * factor + one) % 50) for one in range(count)) + "\n" for at in range(400))
        (directory / f"{name}.csv").write_text(f"{columns}\n{rows}")
        words = ("--prediction", "p", "--trained-at", "2026-01-01")
        build_profile(directory / f"{name}.csv", directory / f"{name}.json", *words)
    return directory


def put(tables: Path, name: str, path: Path) -> None:
    """A profile in its place, at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_bytes((tables / f"{name}.json").read_bytes())
    half.rename(path)


def requests(metrics: Metrics) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for labels, value in metrics.all("model_requests_total"):
        key = labels["model"], labels["model_version"]
        found[key] = found.get(key, 0) + value
    return found


def series(metrics: Metrics) -> set[tuple[str, str, str]]:
    """Counters of models: what grows with them, and not with what is seen of the server's processes or of windows."""
    return {
        (sample.name, sample.labels["model"], json.dumps(sample.labels, sort_keys=True))
        for sample in metrics.samples if "model" in sample.labels and sample.name.endswith(("_total", "_bucket"))
        and not sample.name.startswith("model_server_")
    }  # fmt: skip


def page(running: Sidecar) -> Metrics | None:
    """A scrape, None where nobody answers."""
    status, body = running.get(running.web_port, "/metrics")
    return Metrics(body.decode()) if status == 200 else None


# --- series


def test_each_model_and_version_has_its_own_series_and_each_family_stands_there_once(
    upstream: int, tables: Path, tmp_path: Path
) -> None:
    promtool = tool("promtool", "prometheus")
    put(tables, "one", tmp_path / "churn.json")
    put(tables, "other", tmp_path / "churn" / "2.json")
    put(tables, "two", tmp_path / "fraud" / "default.json")
    with sidecar(upstream, "--profile", str(tmp_path), *FAST) as running:
        assert requests(running.metrics()) == {("default", "unknown"): 0}
        sent = 0
        for model, version, rows in (("churn", "", 2), ("churn", "2", 3), ("fraud", "1", 5), ("m1", "", 7)):
            for _ in range(3):
                assert infer(running.url, model, rows, version) == 200
                sent += 1
        assert infer(running.url, "stranger") == 404
        eventually(lambda: running.metrics().all("model_server_up"), what="the first look at the server")
        metrics = running.settled(sent + 1)
        landing = running.get(running.web_port, "/")[1].decode()
    assert requests(metrics) == {
        ("churn", "unknown"): 3, ("churn", "2"): 3, ("fraud", "1"): 3, ("m1", "unknown"): 3, ("_other", "unknown"): 1,
    }  # fmt: skip
    for model, version, rows, features in (("churn", "unknown", 6, 2), ("churn", "2", 9, 3), ("fraud", "1", 15, 2)):
        of = {"model": model, "model_version": version}
        assert metrics.value("model_rows_total", **of) == rows
        assert metrics.total("model_feature_bin_total", **of) == rows * features
        assert metrics.value("model_feature_window_samples", feature="a", window="1m", **of) == rows
        assert metrics.value("model_prediction_values_total", **of) == rows
        assert len(metrics.all("model_profile_info", **of)) == 1
    assert metrics.value("model_rows_total", model="m1") == 21
    assert metrics.all("model_feature_values_total", model="m1") == []
    assert len({labels["profile"] for labels, _ in metrics.all("model_profile_info")}) == 3
    assert metrics.value("inference_exporter_models", reference="profile") == 3
    assert metrics.value("inference_exporter_models", reference="none") == 1
    assert metrics.value("inference_exporter_payloads_decoded_total", side="request") == sent + 1
    assert metrics.value("inference_exporter_unattributed_exchanges_total", reason="unknown_model") == 1
    ups = {labels["model"] for labels, _ in metrics.all("model_server_up")}
    assert ups == {"churn", "fraud", "m1"}
    for model in ("churn", "fraud", "m1"):
        assert f"<bdi>{model}</bdi>" in landing
    families = re.findall(r"^# TYPE (\S+)", metrics.text, re.MULTILINE)
    assert len(families) == len(set(families))
    done = subprocess.run(
        [promtool, "check", "metrics"], input=metrics.text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_one_profile_of_no_name_is_at_nought_from_the_start_and_then_of_the_model_that_comes(
    upstream: int, tables: Path
) -> None:
    with sidecar(upstream, "--profile", str(tables / "one.json"), *FAST) as running:
        before = running.metrics()
        assert {labels["model"] for labels, _ in before.all("model_feature_bin_total")} == {"default"}
        assert before.total("model_feature_bin_total") == 0
        with urllib.request.urlopen(f"{running.url}/health"):
            pass
        for _ in range(5):
            infer(running.url, "churn")
        after = running.settled(6)
        assert requests(after) == {("churn", "unknown"): 5}
        assert len(after.all("model_feature_bin_total")) == len(before.all("model_feature_bin_total"))
        assert after.total("model_feature_bin_total", model="churn") == 10
        assert after.value("inference_exporter_probe_requests_total") == 1


def test_a_model_of_another_name_is_scored_where_it_has_the_profiles_columns(
    upstream: int, tables: Path, tmp_path: Path
) -> None:
    document = json.loads((tables / "one.json").read_text())
    document["model"] |= {"name": "churn", "version": "7"}
    (tmp_path / "profile.json").write_text(json.dumps(document))
    with sidecar(upstream, "--profile", str(tmp_path / "profile.json"), *FAST) as running:
        for version in ("", "1", "1", ""):
            infer(running.url, "m5", version=version)
        metrics = running.settled(4)
        assert requests(metrics) == {("m5", "7"): 1, ("m5", "1"): 3}
        assert metrics.total("model_feature_bin_total") == 8
        assert metrics.value("inference_exporter_models", reference="none") == 0
        assert running.log().count("it has the same columns and is compared with it") == 1
    with sidecar(upstream, "--profile", str(tmp_path / "profile.json"), "--model.name", "m5", *FAST) as running:
        infer(running.url, "m5")
        metrics = running.settled(1)
        assert requests(metrics) == {("m5", "7"): 1}
        assert metrics.total("model_feature_bin_total") == 2
        assert "it has the same columns" not in running.log()


# --- profiles that come and change


def test_a_profile_that_comes_changes_or_is_damaged_while_it_runs(upstream: int, tables: Path, tmp_path: Path) -> None:
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    with sidecar(upstream, "--profile", str(profiles), *FAST) as running:
        infer(running.url, "churn", 4)
        assert running.settled(1).value("inference_exporter_profile_loaded") == 0
        pids = running.pid_of("exporter.analyser"), running.pid_of("exporter.worker")
        put(tables, "one", profiles / "churn.json")
        digest = _digest(running, "")
        infer(running.url, "churn", 3)
        metrics = running.settled(2)
        assert metrics.total("model_feature_bin_total", profile=digest, feature="a") == 3
        assert metrics.value("model_rows_total", model="churn") == 7

        (profiles / "churn.json").write_text("{")
        eventually(lambda: running.metrics().value("inference_exporter_profile_errors_total") == 1)
        infer(running.url, "churn", 2)
        metrics = running.settled(3)
        assert metrics.total("model_feature_bin_total", profile=digest, feature="a") == 5
        assert f"{profiles}/churn.json: not JSON" in running.log()

        put(tables, "other", profiles / "churn.json")
        newer = _digest(running, digest)
        infer(running.url, "churn", 1)
        metrics = running.settled(4)
        assert metrics.all("model_feature_bin_total", profile=digest) == []
        assert metrics.total("model_feature_bin_total", profile=newer, feature="a") == 1
        assert metrics.value("model_rows_total", model="churn") == 10
        assert requests(metrics) == {("churn", "unknown"): 4}
        assert (running.pid_of("exporter.analyser"), running.pid_of("exporter.worker")) == pids

        (profiles / "churn.json").write_text("")
        eventually(lambda: running.metrics().value("inference_exporter_profile_errors_total") == 2)
        os.kill(pids[0], signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.analyser") not in {0, pids[0]}, what="the next analyser")
        metrics = eventually(lambda: page(running), what="its page")
        assert metrics.value("inference_exporter_profile_errors_total") >= 2
        assert requests(metrics) == {("churn", "unknown"): 4}


def _digest(running: Sidecar, before: str) -> str:
    """The profile of the model churn, once it is another one than before."""

    def found() -> str:
        shown = [labels["profile"] for labels, _ in running.metrics().all("model_profile_info", model="churn")]
        return shown[0] if shown and shown[0] != before else ""

    digest: str = eventually(found, what="the profile in force")
    return digest


def test_check_says_what_is_wrong_in_a_directory_of_profiles(tables: Path, tmp_path: Path) -> None:
    put(tables, "one", tmp_path / "churn.json")
    put(tables, "two", tmp_path / "fraud" / "7.json")
    done = command("check", "--profile", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{tmp_path / 'churn.json'}: fine" in done.stdout
    assert f"{tmp_path / 'fraud' / '7.json'}: fine" in done.stdout
    (tmp_path / "bad.json").write_text('{"format": 1}')
    done = command("check", "--profile", str(tmp_path))
    assert done.returncode == 65
    assert f"{tmp_path / 'bad.json'}: format: must be" in done.stderr


# --- floods


def test_names_that_are_no_models_make_no_series(upstream: int, tables: Path) -> None:
    with sidecar(upstream, "--profile", str(tables / "one.json"), *FAST) as running:
        infer(running.url, "churn")
        infer(running.url, "stranger")
        before = running.settled(2)
        draw = random.Random(4)
        for _ in range(400):
            assert infer(running.url, f"x{draw.random()}", version=str(draw.randrange(1000))) == 404
        after = running.settled(402)
        assert requests(after) == {("churn", "unknown"): 1, ("_other", "unknown"): 401}
        assert series(after) == series(before)
        assert after.value("inference_exporter_unattributed_exchanges_total", reason="unknown_model") == 401


def test_a_server_that_answers_for_every_name_has_as_many_models_as_the_limit(tables: Path) -> None:
    flags = ("--profile", str(tables / "one.json"), "--models.limit", "4")
    with model_server(Agreeable) as port, sidecar(port, *flags, *FAST) as running:
        sizes = []
        for round_ in range(3):
            for number in range(300):
                infer(running.url, f"x{round_}-{number}")
            metrics = running.settled(300 * (round_ + 1))
            sizes.append(series(metrics))
            assert len(requests(metrics)) == 5
            assert sum(requests(metrics).values()) == 300 * (round_ + 1)
        assert sizes[0] == sizes[1] == sizes[2]
        assert metrics.value("inference_exporter_unattributed_exchanges_total", reason="limit") == 896
        assert metrics.value("inference_exporter_payloads_offered_total", side="request") == 900
        assert running.log().count("no room for another model") == 1


# --- deaths


class Load(InBackground):
    """A client that asks for ever more models, until told to stop."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.sent = 0
        self.failures: list[Any] = []
        self._url = url

    def _run(self) -> None:
        draw = random.Random(9)
        while not self._stop.is_set():
            status = infer(self._url, f"m{draw.randrange(min(1 + self.sent // 20, 20))}", 2)
            self.sent += 1
            time.sleep(0.005)  # one client must not leave the analyser without a processor
            if status != 200:
                self.failures.append(status)


def test_an_analyser_killed_while_models_come_loses_no_count_and_none_goes_back(upstream: int, tables: Path) -> None:
    flags = ("--profile", str(tables / "one.json"), "--models.limit", "1000")
    with sidecar(upstream, *flags, *FAST) as running:  # with room for few of them, of whom counts by bin were shown
        before: dict[Any, float] = {}
        with Load(running.url) as load:
            for kill in range(3):
                pid = running.pid_of("exporter.analyser")
                wanted = 3 * (kill + 1)

                def seen(pid: int = pid, wanted: int = wanted) -> bool:
                    found = page(running)
                    _never_back(before, found)
                    return bool(found) and len(requests(found)) >= wanted and pid != 0

                eventually(seen, what="more models")
                os.kill(pid, signal.SIGKILL)
                eventually(lambda pid=pid: running.pid_of("exporter.analyser") not in {0, pid}, what="the next one")
        assert load.failures == []
        eventually(lambda: page(running), what="the last one's page")
        last = running.settled(load.sent)
        _never_back(before, last)
    observed = last.value("inference_exporter_exchanges_observed_total")
    assert observed + last.total("inference_exporter_exchanges_dropped_total") == load.sent
    assert sum(requests(last).values()) == observed
    assert last.total("model_rows_total") == 2 * observed
    assert last.total("model_feature_values_total", feature="a") == 2 * observed
    assert last.value("inference_exporter_payloads_decoded_total", side="request") == observed
    assert last.total("inference_exporter_process_restarts_total", process="analyser", reason="signalled") == 3
    assert any(name == BY_BIN for name, _ in before), "they were on the page while there was room"
    assert last.all(BY_BIN) == []
    assert last.value("inference_exporter_dropped_series", family=BY_BIN) > 0


BY_BIN = "model_feature_bin_total"


def _never_back(before: dict[Any, float], found: Metrics | None) -> None:
    """No counter is less than it was. None is gone but those of the model that nobody had named, and what is told.

    Where more models come than there is room for, families go as a whole, the same on every replica.
    """
    if found is None:
        return
    now = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for sample in found.samples
        if sample.name.endswith(("_total", "_count", "_bucket", "_sum"))
        and sample.name != "inference_exporter_process_cpu_seconds_total"
        and not sample.name.startswith("model_server_")
    }
    told = {labels["family"] for labels, _ in found.all("inference_exporter_dropped_series")}
    shown = {name for name, _ in now}
    for key, value in before.items():
        is_left_out = key[0] not in shown and re.sub("_(count|bucket|sum)$", "", key[0]) in told
        if ("model", "default") not in key[1] and not is_left_out:
            assert now[key] >= value, key
    before |= now


def test_windows_of_every_model_go_on_after_a_restart_before_the_first_request(
    upstream: int, tables: Path, tmp_path: Path
) -> None:
    profiles = tmp_path / "profiles"
    put(tables, "one", profiles / "churn.json")
    put(tables, "two", profiles / "fraud.json")
    flags = ("--profile", str(profiles), "--state", str(tmp_path / "state"), *FAST)

    def samples(metrics: Metrics) -> dict[tuple[str, str], float]:
        found = metrics.all("model_feature_window_samples", feature="a", window="1000s")
        return {(labels["model"], labels["model_version"]): value for labels, value in found}

    expected = {("churn", "1"): 6, ("churn", "2"): 3, ("fraud", "unknown"): 4}
    with sidecar(upstream, *flags) as running:
        for model, version, rows in (("churn", "1", 6), ("churn", "2", 3), ("fraud", "", 4), ("m1", "", 5)):
            infer(running.url, model, rows, version)
        assert samples(running.settled(4)) == expected
        assert running.stop() == 0
    assert len(list((tmp_path / "state").glob("*.ixstate"))) == 3
    with sidecar(upstream, *flags) as running:
        metrics = running.metrics()
        assert samples(metrics) == expected
        assert metrics.value("inference_exporter_state_restored") == 1
        assert requests(metrics) == {("churn", "1"): 0, ("churn", "2"): 0, ("fraud", "unknown"): 0}
        put(tables, "other", profiles / "fraud.json")
        eventually(lambda: samples(running.metrics()).get(("fraud", "unknown")) == 0, what="the new profile")
        infer(running.url, "fraud", 2)
        infer(running.url, "churn", 1, "2")
        metrics = running.settled(2)
        assert samples(metrics) == {("churn", "1"): 6, ("churn", "2"): 4, ("fraud", "unknown"): 2}
        assert metrics.value("model_rows_total", model="fraud") == 2
        assert running.stop() == 0
