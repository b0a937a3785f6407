"""The story: healthy traffic; then blood pressure arrives in kPa instead of mmHg; then it is mended."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from exporter.demo import model
from exporter.errors import UpstreamError

_ROWS_PER_REQUEST: Final = 5
_REQUESTS_PER_S: Final = 20
_START_TIMEOUT_S: Final = 60.0
_MMHG_IN_KPA: Final = 7.50062
_WATCHED: Final = ("bp", "bmi")
_WINDOWS_PER_STORY: Final = 4
_SHORTEST_WINDOW_S: Final = 4

Row = dict[str, float]


class Chapter(NamedTuple):
    """A part of the story."""

    share: float
    """Of the whole duration."""
    text: str
    change: Callable[[Row], Row]


def _in_kpa(row: Row) -> Row:
    return row | {"bp": row["bp"] / _MMHG_IN_KPA}


CHAPTERS: Final = (
    Chapter(0.25, "healthy traffic, drawn from the training data", lambda row: row),
    Chapter(0.30, "a client sends blood pressure in kPa instead of mmHg", _in_kpa),
    Chapter(0.45, "the client is mended; old panes leave the window", lambda row: row),
)


def run(duration_s: float, seed: int) -> int:
    """Tell the story in `duration_s` seconds; the exit code. Ends every process it started."""
    signal.signal(signal.SIGTERM, _interrupt)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="inference-exporter-demo-")))
        print("training a gradient-boosting model on scikit-learn's diabetes data")
        trained = model.train(directory)
        server_port, port, web_port, health_port = _free_ports(4)
        _start(stack, "-m", "exporter.demo.server", str(trained.model), str(server_port))
        profile = str(directory / "profile.json")
        window_s = max(round(duration_s / _WINDOWS_PER_STORY), _SHORTEST_WINDOW_S)
        _exporter(
            "profile", "build", str(trained.table), "--prediction", model.PREDICTION, "--target", model.TARGET,
            "--model", "diabetes", "--model-version", "1", "--output", profile,
        )  # fmt: skip
        _wait(server_port, "the model server")
        _start(
            stack, "-m", "exporter", "serve", "--upstream", f"http://127.0.0.1:{server_port}",
            "--listen", f"127.0.0.1:{port}", "--web.listen-address", f"127.0.0.1:{web_port}",
            "--health.listen-address", f"127.0.0.1:{health_port}", "--profile", profile,
            *_compressed(window_s), "--log-level", "warning",
        )  # fmt: skip
        _wait(port, "the sidecar")
        _wait_ready(web_port)
        print(f"\nclients talk to http://127.0.0.1:{port}, metrics are on http://127.0.0.1:{web_port}/metrics\n")
        stack.callback(print, "\nending every process of the demo")
        # Whoever presses Ctrl-C twice must not leave a process behind.
        stack.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)
        _tell(duration_s, random.Random(seed), trained.rows, (port, web_port))  # noqa: S311 (traffic, not secrets)
    return 0


def _compressed(window_s: int) -> tuple[str, ...]:
    """Settings under which windows pass in seconds instead of hours."""
    lengths = f"{window_s}s,{window_s * 3}s"
    return ("--windows.pane", "1s", "--windows.lengths", lengths, "--windows.snapshot-interval", "500ms")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _tell(duration_s: float, chance: random.Random, rows: Sequence[Row], ports: tuple[int, int]) -> None:
    for chapter in CHAPTERS:
        print(f"── {chapter.text}")
        until = time.monotonic() + duration_s * chapter.share
        traffic = threading.Thread(target=_send, args=(ports[0], chance, rows, chapter.change, until), daemon=True)
        traffic.start()
        while time.monotonic() < until:
            time.sleep(min(2.0, max(until - time.monotonic(), 0.0)))
            print(_line(ports[1]), flush=True)
        traffic.join()


def _send(port: int, chance: random.Random, rows: Sequence[Row], change: Callable[[Row], Row], until: float) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    due = time.monotonic()
    while due < until:
        instances = [change(chance.choice(rows)) for _ in range(_ROWS_PER_REQUEST)]
        client.request("POST", "/v1/models/diabetes:predict", json.dumps({"instances": instances}),
                       {"content-type": "application/json"})  # fmt: skip
        client.getresponse().read()
        due += 1 / _REQUESTS_PER_S
        time.sleep(max(due - time.monotonic(), 0.0))
    client.close()


def _line(web_port: int) -> str:
    """The last scores against their critical values."""
    values = _scrape(web_port)
    rows = values.get(("model_rows_total", ""), 0.0)
    parts = [f"{rows:6.0f} rows"]
    for side, name in (*(("feature", feature) for feature in _WATCHED), ("prediction", model.PREDICTION)):
        score, limit, enough = (
            values.get((f"model_{side}_{family}", name), float("nan"))
            for family in ("psi", "psi_critical", "window_sufficient")
        )
        verdict = "learning" if enough != 1 else "DRIFT" if score > limit else "fine"
        parts.append(f"{name} PSI {score:6.3f} / {limit:5.3f} {verdict:8}")
    return "   ".join(parts)


def _scrape(web_port: int) -> dict[tuple[str, str], float]:
    """Values of the short window by family and column, read as any client of the text format would."""
    client = http.client.HTTPConnection("127.0.0.1", web_port, timeout=10)
    client.request("GET", "/metrics")
    lines = client.getresponse().read().decode().splitlines()
    client.close()
    found: dict[tuple[str, str], float] = {}
    for line in lines:
        name, _, rest = line.partition("{")
        labels, _, value = rest.rpartition("} ")
        if line.startswith("model_"):
            column = labels.partition('feature="')[2] or labels.partition('output="')[2]
            found.setdefault((name, column.partition('"')[0]), float(value))  # the shortest window comes first
    return found


# --- processes


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def _start(stack: ExitStack, *words: str) -> None:
    """Start a Python process of ours; it is ended when the stack unwinds, whatever happens."""
    process = subprocess.Popen(  # noqa: S603 (our own interpreter and modules)
        [sys.executable, *words], stdin=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )  # fmt: skip
    stack.callback(_end, process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _exporter(*words: str) -> None:
    result = subprocess.run([sys.executable, "-m", "exporter", *words], check=False)  # noqa: S603 (as above)
    if result.returncode:
        raise SystemExit(result.returncode)


def _wait(port: int, who: str) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise UpstreamError(f"{who} did not start within {_START_TIMEOUT_S:.0f} s")


def _wait_ready(web_port: int) -> None:
    _wait(web_port, "the analyser")
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and not _scrape(web_port):
        time.sleep(0.1)
