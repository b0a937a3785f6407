"""What the status page is looked at with: a real sidecar, real traffic, and all that goes wrong in it at once.

Model `fraud` has 24 features. Seconds after its start `amount` comes in cents, `age` is often missing, and names are
there that would be markup if anybody took them for it. Model `churn` is as it was in training. A dependency is down,
and a client sends what nobody can read, with a path full of quotes. `wide_world` has one model of 1,000 features.
"""

import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml
from in_background import InBackground
from made_profiles import profile_of
from support import Answering, Metrics, Sidecar, eventually, free_port, model_server, predict, sidecar

from exporter.profile import Plan, build_frame, save

Row = dict[str, Any]
SCRIPT: Final = "</script><script>window.hurt='name'</script>\"'&amp;"
TURNED: Final = "rtl \u202egnp.exe\u202c \x07\x1b[31m end"
PICTURE: Final = '"><img src=x onerror="window.hurt=\'category\'">'
FRESH: Final = "<svg/onload=window.hurt='unseen'>\u202e"
PATH: Final = "/x'\"><img/src=x/onerror=window.hurt='path'>"
DEPENDENCY: Final = "orders <b onclick=alert(1)>&'\""
FRAUD, VERSION, FEATURES = "fraud", "7", 24
CHURN: Final = "churn"
WIDE, WIDE_FEATURES, MOVED = "wide", 1000, "f0777"
PATHS: Final = {
    FRAUD: f"/v1/models/{FRAUD}/versions/{VERSION}:predict",
    CHURN: f"/v1/models/{CHURN}:predict",
    WIDE: f"/v1/models/{WIDE}:predict",
}
_HEALTHY_S: Final = 6.0
_ROWS: Final = 3000
_WIDE_ROWS: Final = 300
_ROWS_PER_REQUEST: Final = 20
_EVERY_S: Final = 0.1
_SETTINGS: Final = {
    "windows": {"pane": "1s", "lengths": ["10s", "10m"], "snapshot_interval": "500ms"},
    "evidence": {"warm_up": "3s", "warm_up_rows": 200, "learn": "5s"},
    "upstream_probe_interval": "500ms",
    "log_level": "warning",
}


def _table() -> pd.DataFrame:
    """The training data of `fraud`."""
    random = np.random.default_rng(7)
    regions = random.choice(["north", "south", PICTURE], _ROWS, p=[0.5, 0.3, 0.2])
    table = {
        "amount": random.lognormal(3, 1, _ROWS),
        "age": random.integers(18, 90, _ROWS).astype(float),
        "region": regions,
        SCRIPT: random.normal(0, 1, _ROWS),
        TURNED: random.normal(5, 2, _ROWS),
    }
    calm = {f"calm_{at:02d}": random.normal(at, 1 + at, _ROWS) for at in range(FEATURES - len(table))}
    return pd.DataFrame(table | calm | {"score": [_score(amount) for amount in table["amount"]]})


def _score(amount: float) -> float:
    """What both models say: nothing but `amount` counts."""
    return float(amount / (amount + 20))


def _changed(row: Row, random: np.random.Generator) -> Row:
    """The same in cents, with gaps, and with a category that nobody has seen."""
    age = None if random.random() < 0.4 else row["age"]
    region = FRESH if random.random() < 0.3 else row["region"]
    return row | {"amount": row["amount"] * 100, "age": age, "region": region, SCRIPT: row[SCRIPT] + 3}


class Traffic(InBackground):
    """Rows of the training data, several in each request; from some moment on they are changed."""

    def __init__(self, url: str, rows: list[Row]) -> None:
        super().__init__()
        self.changed_at = float("inf")
        """Unix time."""
        self._url, self._rows, self._random = url, rows, np.random.default_rng(8)

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            for model in (FRAUD, CHURN):
                rows = [self._rows[at] for at in self._random.integers(len(self._rows), size=_ROWS_PER_REQUEST)]
                if model == FRAUD and time.time() >= self.changed_at:
                    rows = [_changed(row, self._random) for row in rows]
                with suppress(OSError):  # a test may have ended the sidecar
                    predict(self._url, rows, PATHS[model])


@dataclass(frozen=True, slots=True)
class World:
    """All of it, under way."""

    sidecar: Sidecar
    healthy: float
    """Unix time of healthy traffic, as the next of when it changed."""
    changed: float

    @property
    def url(self) -> str:
        """Of the web side."""
        return f"http://127.0.0.1:{self.sidecar.web_port}"


def _profiles(directory: Path, table: pd.DataFrame) -> None:
    """Of both models, each in its place."""
    (directory / FRAUD).mkdir(parents=True)
    for model, place in ((FRAUD, f"{FRAUD}/{VERSION}.json"), (CHURN, f"{CHURN}.json")):
        plan = Plan(predictions=["score"], model=model, version=VERSION, source="<i>made up</i>")
        save(build_frame(table, plan)[0], str(directory / place))


def _ask_wide(url: str) -> None:
    """As many rows as a score takes; one of the features moved."""
    values = np.array([np.random.default_rng(at + 1000).lognormal(size=500) for at in range(WIDE_FEATURES)]).round(3)
    for start in range(0, _WIDE_ROWS, _ROWS_PER_REQUEST):
        rows = [
            {f"f{at:04d}": values[at, place] * (50 if f"f{at:04d}" == MOVED else 1) for at in range(WIDE_FEATURES)}
            for place in range(start, start + _ROWS_PER_REQUEST)
        ]
        predict(url, rows, PATHS[WIDE])


def _ask_what_nobody_reads(port: int) -> None:
    """Neither the path nor the body is anything that anybody knows."""
    for path, body in ((PATH, b"{<b>"), (PATHS[FRAUD], b"\xff<script>")):
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            head = f"POST {path} HTTP/1.1\r\nhost: m\r\ncontent-type: application/json\r\n"
            client.sendall(head.encode() + b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
            while client.recv(1 << 16):
                pass


class Patient(Answering):
    """Answers whatever it is asked: what cannot be read is the sidecar's affair."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            rows = json.loads(body)["instances"]
        except ValueError:
            rows = [{}]
        answer = {"predictions": [_score(row["amount"]) if "amount" in row else random.random() for row in rows]}
        self._send(200, json.dumps(answer).encode(), "application/json")


@contextmanager
def status_world(directory: Path) -> Iterator[World]:
    """It lasts as long as the block; when it is given all has happened that there is to see."""
    table = _table()
    _profiles(directory / "profiles", table)
    nobody = f"tcp://127.0.0.1:{free_port()}"
    dependencies = [{"name": DEPENDENCY, "url": nobody, "interval": "1s"}]
    shown = {"examples": {"fields": ["amount", "age", "region", "score"]}}
    settings = _SETTINGS | shown | {"profile": str(directory / "profiles"), "dependencies": dependencies}
    rows = table.drop(columns="score").to_dict("records")
    with ExitStack() as stack:
        upstream = stack.enter_context(model_server(Patient))
        running = stack.enter_context(sidecar(upstream, *_written(directory, settings)))
        traffic = stack.enter_context(Traffic(running.url, rows))
        _ask_what_nobody_reads(running.port)
        eventually(lambda: _learned(running.metrics()), what="healthy rows")
        healthy = time.time()
        traffic.changed_at = healthy + _HEALTHY_S
        eventually(lambda: _has_happened(running.metrics()), what="all that there is to see")
        yield World(running, healthy, traffic.changed_at)


@contextmanager
def wide_world(directory: Path) -> Iterator[World]:
    """A model of 1,000 features, of which one has moved; its traffic is over."""
    wide = profile_of(WIDE_FEATURES)
    features = tuple(replace(one, name=f"f{at:04d}") for at, one in enumerate(wide.features))
    path = directory / f"{WIDE}.json"
    save(replace(wide, model=WIDE, features=features), str(path))
    settings = _written(directory, _SETTINGS | {"profile": str(path)})
    with model_server(Patient) as upstream, sidecar(upstream, *settings) as running:
        began = time.time()
        _ask_wide(running.url)
        eventually(lambda: running.metrics().total("model_rows_total", model=WIDE) == _WIDE_ROWS, what="its rows")
        yield World(running, began, began)


def _written(directory: Path, settings: dict[str, Any]) -> tuple[str, str]:
    """Settings in a file, as flags."""
    path = directory / "exporter.yml"
    path.write_text(yaml.safe_dump(settings))
    return "--config", str(path)


def _learned(metrics: Metrics) -> bool:
    """Whether both models have been compared with their profiles."""
    compared = {
        labels["model"] for labels, count in metrics.all("model_feature_window_sufficient", feature="amount") if count
    }
    return compared == {FRAUD, CHURN}


def _has_happened(metrics: Metrics) -> bool:
    """Whether evidence has reached its line, the fault has its name, and the dependency was probed."""
    of = {"model": FRAUD}
    nats, line = (metrics.total(f"model_drift_evidence_{word}", **of) for word in ("nats", "threshold_nats"))
    named = [labels["code"] for labels, _ in metrics.all("model_feature_diagnosis_info", feature="amount", **of)]
    return 0 < line <= nats and named == ["scaled"] and bool(metrics.all("model_dependency_up", **of))
