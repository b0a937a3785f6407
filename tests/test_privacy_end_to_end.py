"""Names and values that nobody is to read, through a real sidecar with all it has switched on."""

import base64
import hashlib
import hmac
import json
import random
import signal
import urllib.request
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import collectors
from profile_tables import write_csv
from support import Answering, Metrics, Sidecar, build_profile, command, eventually, model_server, sidecar

from exporter.state import image

SECRET: Final = "a salt that has no grain of truth"  # noqa: S105 (a test's)
_SEEDS: Final = count(100)
TELLTALE: Final = "zqxjk"
"""What all names and values have in them that must not be read anywhere."""
FAITHS: Final = ("zqxjkred", "zqxjkblue", "zqxjkgreen")
BATCH: Final = 50
PRIVACY: Final[dict[str, Any]] = {
    "privacy": {"deny": ["zqxjkincome", "zqxjkillness", "zqxjkd*", "zqxjkout"], "hash": ["zqxjk*"]},
    "segments": {"by": ["zqxjkfaith", "zqxjkclub", {"name": "zqxjktenant", "header": "X-Zqxjk-Tenant"},
                        {"name": "age", "field": "zqxjkage", "edges": [30, 50]}]},
    "evidence": {"group_key": "zqxjkperson", "default_dependence": 1, "false_page_every": "10m"},
    "windows": {"pane": "1s", "lengths": ["10m", "1h"], "snapshot_interval": "200ms"},
    "provisional": {"rows": 500, "minimum_rows": 500},
    "log_level": "debug",
}  # fmt: skip


class Server(Answering):
    """Answers each row with three outputs; of the path /fails with 500."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("fails"):
            self._send(500, b'{"error": "zqxjkerror"}', "application/json")
            return
        try:
            rows = json.loads(body)["instances"]
        except (ValueError, KeyError):
            self._send(200, b"{zqxjkbroken", "application/json")
            return
        answers = [_answer(row) for row in rows]
        self._send(200, json.dumps({"predictions": answers}).encode(), "application/json")


def _answer(row: Any) -> dict[str, Any]:
    age = row.get("zqxjkage", 0) if isinstance(row, dict) else 0
    is_old = isinstance(age, float) and age > 40
    amount, income = (row.get(name, 0) if isinstance(row, dict) else 0 for name in ("amount", "zqxjkincome"))
    return {"score": amount / 100, "zqxjkverdict": "zqxjkyes" if is_old else "zqxjkno", "zqxjkout": income}


def hashed(name: str) -> str:
    """As the documentation says that people find out what a column is called."""
    return "h_" + hashed_value(name)


def hashed_value(name: str) -> str:
    return hmac.new(SECRET.encode(), name.encode(), hashlib.sha256).hexdigest()[:16]


def rows(many: int, seed: int) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    found = []
    for at in range(many):
        vector = [draw.gauss(0, 1 + place) for place in range(3)]
        found.append({
            "amount": draw.gauss(50, 9), "town": draw.choice(["Oslo", "Lima"]), "zqxjkage": draw.gauss(40, 10),
            "zqxjkincome": draw.gauss(1000, 99), "zqxjkillness": draw.choice(["zqxjkflu", "zqxjkpox"]),
            "zqxjkfaith": draw.choice(FAITHS), "zqxjknote": f"zqxjkwords {at} of somebody",
            "zqxjkmember": draw.random() < 0.4, "zqxjkvec": vector, "zqxjkdna": vector,
        })  # fmt: skip
    return found


def drifted(many: int, seed: int) -> list[dict[str, Any]]:
    """Each column wrong in its own way, and fields that no profile has."""
    found = rows(many, seed)
    for at, row in enumerate(found):
        row["zqxjkage"] = "zqxjktext" if at % 100 == 0 else row["zqxjkage"] * 100
        row["zqxjkincome"] *= 100
        row["zqxjkfaith"] = "zqxjknew" if at % 3 else row["zqxjkfaith"]
        row["zqxjkillness"] = "zqxjkplague"
        row |= {
            "zqxjkclub": f"zqxjkclub{at % 3}",
            "zqxjkperson": f"zqxjkperson{seed} {at}",
            "zqxjkdanger": 1,
            "zqxjkstranger": 2,
        }
    return found


def table(made: list[dict[str, Any]]) -> dict[str, Any]:
    """As training data have them, outputs and a tenant that is no feature beside."""
    columns: dict[str, Any] = {name: [row[name] for row in made] for name in made[0] if not name.startswith("zqxjkv")}
    del columns["zqxjkdna"]
    for name in ("zqxjkvec", "zqxjkdna"):
        columns |= {f"{name}[{place}]": [row[name][place] for row in made] for place in range(3)}
    columns["zqxjktenant"] = [f"zqxjktenant{at % 2}" for at in range(len(made))]
    columns["score"] = [row["amount"] / 100 for row in made]
    columns["zqxjkverdict"] = ["zqxjkyes" if row["zqxjkage"] > 40 else "zqxjkno" for row in made]
    columns["zqxjkout"] = [row["zqxjkincome"] for row in made]
    return columns


def settings(folder: Path, **more: Any) -> Path:
    source = write_csv(folder / "train.csv", table(rows(2000, 1)))
    profile = build_profile(
        Path(source), folder / "profile.json", "--prediction", "score", "--prediction", "zqxjkverdict",
        "--prediction", "zqxjkout", "--ignore", "zqxjktenant", "--segment", "zqxjkfaith", "--segment", "zqxjktenant",
        "--embedding", "zqxjkvec=zqxjkvec*", "--embedding", "zqxjkdna=zqxjkdna*",
        "--model", "m", "--model-version", "1",
    )  # fmt: skip
    (folder / "salt").write_text(SECRET + "\n")
    (folder / "overrides.yml").write_text(json.dumps({
        "features": {"zqxjkfaith": {"allowed": [*FAITHS]}, "zqxjkage": {"severity": "page", "tolerance": 0.01},
                     "zqxjkincome": {"range": [0, 1]}, "zqxjkm*": {"weight": 2}, "zqxjkx*": {"weight": 2},
                     "zqxjknote.length": {"range": [0, 9]}, "zqxjknothing": {"weight": 1}},
        "outputs": {"zqxjkverdict": {"owner": "us"}},
    }))  # fmt: skip
    said = PRIVACY | {"profile": str(profile), "overrides": str(folder / "overrides.yml"),
                      "salt_file": str(folder / "salt")}  # fmt: skip
    said["state"] = {"directory": str(folder / "state"), "interval": "1s"}
    (folder / "exporter.yml").write_text(json.dumps(said | more))
    return folder / "exporter.yml"


def send(running: Sidecar, made: list[dict[str, Any]], path: str = "/v1/models/m/versions/1:predict") -> None:
    for start in range(0, len(made), BATCH):
        post(running, json.dumps({"instances": made[start : start + BATCH]}).encode(), path, start // BATCH)


def post(running: Sidecar, body: bytes, path: str, number: int = 0) -> None:
    headers = {"content-type": "application/json", "X-Zqxjk-Tenant": f"zqxjktenant{number % 2}"}
    request = urllib.request.Request(running.url + path, body, headers)
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as error:
        error.close()


def status_of(running: Sidecar) -> Iterator[tuple[str, bytes]]:
    """All that the status says, and whole columns, those that drifted among them."""

    def ask(path: str, **asked: Any) -> bytes:
        """As soon as there is time for it."""
        query = f"{path}?{urlencode(asked, doseq=True)}"
        status, body = eventually(
            lambda: None if (found := running.get(running.web_port, query))[0] == 503 else found, what=query
        )
        assert status == 200, (query, body)
        return bytes(body)

    whole = ask("/api/v1/status")
    yield from (("status", whole), ("openapi", ask("/api/v1/openapi.json")), ("models", ask("/api/v1/models")))
    for one in json.loads(whole)["models"]:
        of = {"model": one["model"], "version": one["version"]}
        yield f"model {of}", ask("/api/v1/model", **of)
        for side in ("feature", "output"):
            columns = ask("/api/v1/features", side=side, **of)
            yield f"columns {of}", columns
            names = [column["name"] for column in json.loads(columns)["columns"]]
            for name in names[:4]:
                yield f"column {name}", ask("/api/v1/feature", side=side, name=name, **of)
                yield f"page of {name}", ask("/", **of, **{side: name})
            if names:
                trails = ask("/api/v1/trails", side=side, name=names, **of)
                at = json.loads(trails)["starts"][-1]
                yield from (("trails", trails), ("moment", ask("/api/v1/moment", side=side, name=names, at=at, **of)))


def texts(running: Sidecar, state: Path) -> Iterator[tuple[str, bytes]]:
    """All that anybody can read, by where it is."""
    for path in ("/", "/metrics", "/config", "/-/ready", "/api/v1/window?window=10m&model=m", "/api/v1/window?window=x",
                 "/api/v1/window?window=10m&model=other"):  # fmt: skip
        yield path, running.get(running.web_port, path)[1]
    yield from status_of(running)
    yield "log", running.log().encode()
    for file in state.rglob("*"):
        yield str(file), str(file.relative_to(state)).encode()
        if file.is_file():
            content = file.read_bytes()
            yield str(file), content
            if content.startswith(image.MAGIC):
                held = image.unpack(content)
                yield str(file), repr([*held.arrays]).encode()
                yield from ((f"{file} {name}", array.tobytes()) for name, array in held.arrays.items())


def told(found: bytes) -> str:
    """Where something stands that must not be read, in any spelling; empty where nothing does."""
    forms = [TELLTALE.encode(), base64.b64encode(FAITHS[0].encode()), TELLTALE.encode("utf-16-le"), SECRET.encode()]
    places = [found.lower().find(form.lower()) for form in forms]
    return repr(found[max(0, max(places) - 80) : max(places) + 80]) if max(places) >= 0 else ""


def _everything(running: Sidecar) -> None:
    """Traffic that makes the exporter say all that it can say."""
    send(running, rows(500, 2))
    send(running, drifted(500, 3))
    send(running, drifted(100, 4), "/v1/models/m/versions/1:fails")
    post(running, b'{"instances": [{"zqxjkage": 1}, "zqxjkbroken"]}', "/v1/models/m/versions/1:predict")
    post(running, b'{"zqxjkwhat": {"zqxjkage": {"zqxjkx": 1}}}', "/v1/models/m/versions/1:predict")
    post(running, b"not JSON: zqxjkage", "/v1/models/m/versions/1:predict")
    live = [
        {"zqxjkheight": row["amount"], "zqxjkfaith": row["zqxjkfaith"], "zqxjkincome": 1, "kind": "a"}
        for row in rows(600, 5)
    ]
    send(running, live, "/v1/models/other/versions/1:predict")


def _told(running: Sidecar) -> Metrics | None:
    """A page that says all that it will, after some more rows."""
    send(running, drifted(200, next(_SEEDS)))
    metrics = running.metrics()
    of = {"model": "m", "feature": hashed("zqxjkage")}
    wanted = (
        metrics.all("model_feature_diagnosis_info", **of),
        metrics.all("model_feature_unseen_category_values", feature=hashed("zqxjkfaith")),
        metrics.all("model_feature_drift_info", **of),
        metrics.all("model_segment_rows_total", segment=hashed("zqxjktenant")),
        metrics.all("model_feature_failed_bin_total", **of),
        metrics.all("model_profile_provisional", model="other"),
    )
    return metrics if all(wanted) else None


def _windows(state: Path) -> bool:
    """Whether there are windows and a provisional reference on disk."""
    kept = [file for file in state.rglob("*") if file.is_file()]
    return any(file.suffix == ".json" for file in kept) and any(
        file.read_bytes().startswith(image.MAGIC) for file in kept
    )


WATCHED: Final = {
    "amount", "town", *(hashed(name) for name in ("zqxjkage", "zqxjkfaith", "zqxjkmember")),
    *(f"{hashed('zqxjknote')}.{scalar}" for scalar in ("length", "tokens", "token_length", "non_ascii", "charset")),
}  # fmt: skip
"""Features on the page, but for those of the vector and of the numbers as one."""


def _assert_watched(metrics: Metrics) -> None:
    """What is hashed is watched like all else, and what is denied is not there."""
    found = {of["feature"] for of, _ in metrics.all("model_feature_values_total", model="m")}
    scalars = {name for name in found if name.startswith(f"{hashed('zqxjkvec')}.")}
    assert scalars
    assert found == WATCHED | scalars
    outputs = {of["output"] for of, _ in metrics.all("model_prediction_values_total", model="m")}
    assert outputs == {"score", hashed("zqxjkverdict")}
    rows_in = metrics.value("model_rows_total", model="m")
    for name in WATCHED:
        assert metrics.value("model_feature_values_total", model="m", feature=name) == rows_in, name
    told_of = {of["text"] for of, _ in metrics.all("model_feature_bin_info", model="m", feature=hashed("zqxjkfaith"))}
    assert told_of == {*map(hashed_value, FAITHS), "other", "unseen", "missing"}
    unseen = metrics.all("model_feature_unseen_category_values", feature=hashed("zqxjkfaith"), window="10m")
    assert {of["text"] for of, _ in unseen} == {hashed_value("zqxjknew")}
    assert metrics.value("model_feature_tolerance_ratio", model="m", feature=hashed("zqxjkage")) == 0.01
    assert metrics.value("model_feature_weight", model="m", feature=hashed("zqxjkmember")) == 2, "by a pattern"
    clubs = {of["value"] for of, _ in metrics.all("model_segment_rows_total", model="m", segment=hashed("zqxjkclub"))}
    assert clubs == {*(hashed_value(f"zqxjkclub{at}") for at in range(3)), "other", "missing"}


def test_what_is_denied_or_hashed_is_read_nowhere_whatever_happens_to_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with model_server(Server) as upstream, sidecar(upstream, "--config", str(settings(tmp_path))) as running:
        _everything(running)
        metrics = eventually(lambda: _told(running), what="all that can be said")
        eventually(lambda: _windows(state), what="windows and a reference on disk")
        for place, found in texts(running, state):
            assert not told(found), f"{place}: {told(found)}"
        _assert_watched(metrics)
        status = running.get(running.web_port, "/")[1].decode()
        assert hashed("zqxjkage") in status, "the diagnosis and the evidence speak of it"
        window = running.get(running.web_port, "/api/v1/window?window=10m&model=m")[1].decode()
        assert hashed("zqxjkfaith") in window
        _assert_adoptable(running, tmp_path)


def test_nothing_that_is_denied_or_hashed_is_in_spans_lines_exemplars_or_examples(tmp_path: Path) -> None:
    log, state = tmp_path / "predictions.jsonl", tmp_path / "state"
    with collectors.by_http() as collector, model_server(Server) as upstream:
        everything = {
            "tracing": {"exporter": "otlp", "endpoint": f"http://127.0.0.1:{collector.port}"},
            "prediction_log": {"to": f"file:{log}", "deny": ["amount"], "hash": ["town"]},
            "examples": {"fields": ["*"]}, "metrics": {"exemplars": True},
            "request_id": {"pointer": "/instances/0/zqxjkperson"},
        }  # fmt: skip
        config = settings(tmp_path, **everything)
        with sidecar(upstream, "--config", str(config), environ={"OTEL_BSP_SCHEDULE_DELAY": "100"}) as running:
            _everything(running)
            eventually(lambda: _windows(state), what="windows on disk")
            metrics = eventually(lambda: _kept_all(running), what="all carried away")
            assert metrics.value("inference_exporter_prediction_log_lines_written_total") > 20
            spans = [span.SerializeToString() for span in collector.spans]
            assert len(spans) > 20
            request = urllib.request.Request(f"http://127.0.0.1:{running.web_port}/metrics")
            request.add_header("accept", "application/openmetrics-text; version=1.0.0")
            with urllib.request.urlopen(request, timeout=30) as answer:
                page = answer.read()
            found = [*texts(running, state), ("log", log.read_bytes()), ("exemplars", page),
                     *(("span", span) for span in spans)]  # fmt: skip
            for place, text in found:
                assert not told(text), f"{place}: {told(text)}"
        written = [json.loads(line) for line in log.read_text().splitlines()]
        rows_of = [row for line in written for row in line.get("features", ()) if line["model"] == "m"]
        assert {name for row in rows_of for name in row} >= {"town", hashed("zqxjkage"), hashed("zqxjkfaith")}
        assert not any("amount" in row for row in rows_of), "the log denies it for itself"
        assert {row["town"] for row in rows_of if "town" in row} <= {
            f"h_{hashed_value(one)}" for one in ("Oslo", "Lima")
        }
        assert {flag["column"] for line in written for flag in line.get("flags", ())} & {hashed("zqxjkage")}
        assert b"amount" not in log.read_bytes()


def _kept_all(running: Sidecar) -> Metrics | None:
    """All spans and lines have arrived."""
    metrics = running.metrics()
    pairs = (("spans_offered", "spans_exported"), ("prediction_log_lines_offered", "prediction_log_lines_written"))
    counts = [[metrics.value(f"inference_exporter_{word}_total") for word in pair] for pair in pairs]
    return metrics if all(offered == arrived > 0 for offered, arrived in counts) else None


def _assert_adoptable(running: Sidecar, folder: Path) -> None:
    """What is not hidden can be adopted: the exporter knows the profile by the digest of the file."""
    said = ("profile", "adopt", str(folder / "profile.json"), "--from", "10m", "--author", "me", "--reason", "so",
            "--exporter", f"http://127.0.0.1:{running.web_port}", "--output", str(folder / "adopted.json"))  # fmt: skip
    adopted = command(*said, "--feature", "amount")
    assert adopted.returncode == 0, adopted.stderr
    refused = command(*said, "--feature", "zqxjkage")
    assert "the exporter does not know" in refused.stderr


def _restarted(running: Sidecar, config: Path, said: dict[str, Any]) -> None:
    """Settings are read again, and there is another analyser that has a page."""
    before = running.pid_of("exporter.analyser")
    config.write_text(json.dumps(said))
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: running.pid_of("exporter.analyser") not in {0, before}, what="the next analyser")
    eventually(lambda: running.get(running.web_port, "/-/ready")[0] == 200, what="its first page")


def _columns(metrics: Metrics) -> dict[str, float]:
    """Values by feature."""
    return {of["feature"]: count for of, count in metrics.all("model_feature_values_total", model="m")}


def test_columns_that_are_denied_or_hashed_while_it_runs_vanish_from_all_that_can_be_read(tmp_path: Path) -> None:
    config, state = settings(tmp_path), tmp_path / "state"
    private = json.loads(config.read_text()) | {"log_level": "info"}
    plain = {key: value for key, value in private.items() if key not in {"privacy", "salt_file"}}
    config.write_text(json.dumps(plain))
    with model_server(Server) as upstream, sidecar(upstream, "--config", str(config)) as running:
        send(running, rows(BATCH, 2))
        shown = _columns(running.settled(1))
        assert {"amount", "zqxjkage", "zqxjkincome"} <= set(shown)
        _restarted(running, config, private)
        send(running, rows(BATCH, 3))
        metrics = running.settled(2)
        assert metrics.total("model_rows_total", model="m") == 2 * BATCH, "and no count is lost"
        found = _columns(metrics)
        assert {"amount", hashed("zqxjkage")} <= set(found)
        assert set(found) <= WATCHED | {name for name in found if name.startswith(f"{hashed('zqxjkvec')}.")}
        for place, text in texts(running, state):
            if place != "log":  # of the time before
                assert not told(text), f"{place}: {told(text)}"
        _restarted(running, config, plain)
        assert set(_columns(running.metrics())) == set(shown), "as it was, when nobody minds any more"
