"""Many ask for pages and panes at once while profiles change and the analyser dies: nobody is told nonsense."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
from made_profiles import profile_of
from support import Sidecar, eventually, model_server, predict, sidecar

from exporter.profile import save

FEATURES = 60
ASKED = (
    "/?q={}", "/?at={now}&q={}", "/api/v1/trails", "/api/v1/moment?at={now}", "/api/v1/features?per_page=100&page={}",
    "/api/v1/status", "/api/v1/feature?name=f1", "/api/v1/moment?at=4e9",
)  # fmt: skip
THREADS = 50
MOST_BYTES = 300 << 20


class Crowd:
    """So many threads, each with one question after the other."""

    def __init__(self, running: Sidecar) -> None:
        self.codes: set[int] = set()
        self.answered = 0
        self._over, self._url = threading.Event(), f"http://127.0.0.1:{running.web_port}"
        self._threads = [threading.Thread(target=self._run, args=(at,)) for at in range(THREADS)]

    def _run(self, at: int) -> None:
        number = at
        while not self._over.wait(0.1):
            number += THREADS
            path = ASKED[(at + number) % len(ASKED)].format(number, now=f"{time.time() - number % 7:.0f}")
            with suppress(OSError, HTTPException):  # the analyser may be on its way
                self._note(*_answer(self._url + path))

    def _note(self, code: int, body: bytes, is_json: bool) -> None:
        if is_json:
            json.loads(body)
        self.codes.add(code)
        self.answered += code == 200

    @contextmanager
    def asking(self) -> Iterator["Crowd"]:
        for one in self._threads:
            one.start()
        try:
            yield self
        finally:
            self._over.set()
            for one in self._threads:
                one.join()


def _answer(url: str) -> tuple[int, bytes, bool]:
    try:
        with urlopen(url, timeout=30) as answer:
            return answer.status, answer.read(), "json" in answer.headers["Content-Type"]
    except HTTPError as error:
        with error:
            return error.code, error.read(), "json" in error.headers["Content-Type"]


def resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def ask(running: Sidecar, many: int = 5) -> None:
    values = np.random.default_rng(many).lognormal(size=(20, FEATURES)).round(3).tolist()
    for _ in range(many):
        predict(running.url, [{f"f{at}": value for at, value in enumerate(row)} for row in values])


def answered(crowd: Crowd) -> None:
    """Some more of its questions."""
    before = crowd.answered
    eventually(lambda: crowd.answered > before + 5, what="answers")


def test_while_profiles_change_and_the_analyser_dies_many_may_ask_for_any_moment(tmp_path: Path) -> None:
    path, config = tmp_path / "profile.json", tmp_path / "exporter.yml"
    save(profile_of(FEATURES), str(path))
    windows = {"pane": "1s", "lengths": ["10s", "10m"], "snapshot_interval": "500ms"}
    config.write_text(json.dumps({"profile": str(path), "windows": windows}))
    with ExitStack() as stack:
        running = stack.enter_context(sidecar(stack.enter_context(model_server()), "--config", str(config)))
        crowd = stack.enter_context(Crowd(running).asking())
        ask(running)
        answered(crowd)
        for count in (FEATURES - 1, FEATURES):
            save(profile_of(count), str(path))
            running.process.send_signal(signal.SIGHUP)
            ask(running)
            answered(crowd)
        before = running.pid_of("exporter.analyser")
        assert resident(before) < MOST_BYTES
        os.kill(before, signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.analyser") not in {0, before}, what="another analyser")
        ask(running)
        answered(crowd)
    assert crowd.codes <= {200, 404, 503}
    assert 200 in crowd.codes
