"""A real sidecar whose store of predictions goes away under load: no request fails, nothing is lost, all is counted.

Redis or PostgreSQL is killed and begun again, or hangs. Requests and truths go on all the while.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self

import pytest
from feedback.servers import PASSWORD, PostgresServer, RedisServer, Server
from support import Metrics, Sidecar, accounted, build_profile, eventually, model_server, sidecar

OWN = "inference_exporter_feedback_"
SERVERS: dict[str, Callable[[], Server]] = {
    "redis": lambda: RedisServer("--appendonly", "yes", "--appendfsync", "always"),
    "postgresql": PostgresServer,
}
"""What is acknowledged is there after a kill."""
LIGHT = ("--windows.snapshot-interval", "500ms", "--windows.lengths", "10m", "--performance.windows", "10m")
ROWS = 5
AT_ONCE = 20
OFF = 0.25
"""How far every prediction is from its truth, and one joined to another's is not."""


@pytest.fixture(params=sorted(SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One that was not begun yet."""
    made = SERVERS[request.param]()
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    chance = random.Random(1)
    numbers = [chance.gauss(0, 1) for _ in range(1000)]
    rows = "".join(f"{one},{one},{one + chance.gauss(0, 0.1)}\n" for one in numbers)
    (tmp_path / "training.csv").write_text("x,prediction,y\n" + rows)
    words = ("--prediction", "prediction", "--target", "y")
    return build_profile(tmp_path / "training.csv", tmp_path / "profile.json", *words)


class Client:
    """One connection that stays, until all is over."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, path: str, body: object, name: str) -> tuple[int, Any]:
        headers = {"content-type": "application/json", "x-request-id": name}
        self._connection.request("POST", path, json.dumps(body), headers)
        with self._connection.getresponse() as answer:
            return answer.status, json.loads(answer.read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


class Load:
    """One that asks the model, one that says what turned out, and one that looks at the page, until they are to end."""

    def __init__(self, running: Sidecar) -> None:
        self._running = running
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._ask_on, self._tell_on, self._look)]
        self.asked = self.told = self.refused = 0
        self.longest_s = 0.0
        """That a request ever took."""
        self.answers: Counter[str] = Counter()
        """To truths, by outcome."""
        self.faults: list[object] = []
        self.page = running.metrics()

    @property
    def predicted(self) -> int:
        return self.asked * ROWS

    @contextmanager
    def on(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()

    def _ask_on(self) -> None:
        with Client(self._running.port) as client:
            while not self._over.wait(0.03):
                try:
                    self._ask(client)
                except (OSError, HTTPException) as error:
                    self.faults.append(error)
                    return

    def _ask(self, client: Client) -> None:
        first, begun = self.predicted, time.monotonic()
        numbers = [at / 1000 for at in range(first, first + ROWS)]
        rows = {"instances": [{"x": one} for one in numbers]}
        said = client.post("/v1/models/m:predict", rows, f"id-{self.asked}")
        self.longest_s = max(self.longest_s, time.monotonic() - begun)
        self.faults += [] if said == (200, {"predictions": numbers}) else [said]
        self.asked += 1

    def _tell_on(self) -> None:
        with Client(self._running.web_port) as client:
            while not self._over.wait(0.05):
                self._tell(client)

    def _tell(self, client: Client) -> None:
        names = range(self.told, min(self.predicted, self.told + AT_ONCE))
        records = [{"id": f"id-{at // ROWS}", "row": at % ROWS, "truth": at / 1000 + OFF} for at in names]
        status, body = client.post("/feedback", records, "-") if records else (200, {})
        if status in {200, 202}:
            self.told += len(records)
            self.answers.update({name: body[name] for name in body if name != "results"})
        elif status == 503:
            self.refused += len(records)
        else:
            self.faults.append((status, body))

    def _look(self) -> None:
        highest: dict[str, float] = {}
        while not self._over.wait(0.5):
            self.page = self._running.metrics()
            found = counters(self.page)
            self.faults += [name for name, value in highest.items() if found.get(name, 0.0) < value]
            highest |= found


def counters(page: Metrics) -> dict[str, float]:
    """Every series of the page that must not go back.

    The model server is of this process, and so are the databases that are killed: their CPU time goes with them.
    """
    lines = (line.rpartition(" ") for line in page.text.splitlines() if not line.startswith(("#", "model_server_cpu")))
    return {name: float(value) for name, _, value in lines if name.partition("{")[0].endswith("_total")}


def settled(running: Sidecar, load: Load) -> Metrics:
    """The page once nothing waits, and all that was joined is added up."""

    def look() -> Metrics | None:
        page = running.metrics()
        waits = page.value(OWN + "waiting") + page.value(OWN + "predictions_waiting")
        there = page.value(OWN + "store_predictions", state="open") + load.told
        is_seen = page.value(OWN + "predictions_offered_total") == there == load.predicted
        is_added = page.total("model_truths_joined_total") == page.value(OWN + "predictions_joined_total")
        return page if is_seen and is_added and not waits and accounted(page) else None

    found: Metrics = eventually(look, what="all that was sent to be in the store")
    return found


def assert_all_adds_up(page: Metrics, load: Load) -> None:
    def own(name: str) -> float:
        return page.total(OWN + name)

    def by(name: str) -> dict[str, float]:
        return {labels["outcome"]: value for labels, value in page.all(OWN + name) if value}

    assert page.total("model_requests_total") == page.total("inference_exporter_exchanges_offered_total") == load.asked
    assert by("predictions_total") == {"kept": load.predicted}
    assert own("predictions_offered_total") == load.predicted
    assert own("predictions_dropped_total") == own("predictions_gone_total") == own("truths_lost_total") == 0
    became, late = by("truths_total"), by("truths_unawaited_total")
    assert own("received_total") == sum(became.values()) == load.told
    assert became.keys() <= {"matched", "early"}  # that a call was made again is nobody's duplicate
    assert own("early_total") == page.value(OWN + "early_total", outcome="matched") == became.get("early", 0)
    assert sum(late.values()) == load.answers["waiting"]
    assert all(became.get(name, 0) == load.answers[name] + late.get(name, 0) for name in ("matched", "early"))
    assert own("truths_refused_total") == load.refused
    assert own("predictions_joined_total") == page.total("model_truths_joined_total") == load.told
    assert page.value(OWN + "store_predictions", state="joined") == load.told
    errors = [value for _, value in page.all("model_performance_mae", window="10m")]
    assert errors == pytest.approx([OFF] * 2, abs=1e-9)  # by prediction and by arrival


def away(server: Server, how: str) -> Callable[[], None]:
    """Have a server go away; what brings it back."""
    if how == "hangs":
        server.pause()
        return server.resume
    server.kill()
    return server.start


@contextmanager
def beside(server: Server, *flags: str) -> Iterator[Sidecar]:
    """A sidecar that has its store there."""
    url = server.url("") if isinstance(server, PostgresServer) else server.url("outage")
    said = (*LIGHT, "--feedback.enable", "true", "--feedback.store", url, *flags)
    with model_server() as upstream, sidecar(upstream, *said) as running:
        yield running


def test_it_starts_without_its_store_and_catches_up_later(server: Server, profile: Path) -> None:
    with beside(server, "--profile", str(profile)) as running, Client(running.port) as client:
        for name in range(3):
            status, _ = client.post("/v1/models/m:predict", {"instances": [{"x": name}]}, f"id-{name}")
            assert status == 200
        eventually(
            lambda: running.metrics().value(OWN + "predictions_waiting") == 3 and not is_up(running), what="waiting"
        )
        server.start()
        kept = eventually(lambda: running.metrics().value(OWN + "predictions_total", outcome="kept"), what="a store")
        assert (kept, is_up(running)) == (3, True)


def is_up(running: Sidecar) -> bool:
    return running.metrics().value(OWN + "store_up") == 1


@pytest.mark.parametrize("how", ["is killed", "hangs"])
@pytest.mark.parametrize(
    "away_s",
    [
        pytest.param(2.0, id="for seconds"),
        pytest.param(60.0, id="for a minute", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
    ],
)
def test_traffic_does_not_notice_and_nothing_is_lost(server: Server, profile: Path, how: str, away_s: float) -> None:
    server.start()
    with beside(server, "--profile", str(profile)) as running:
        load = Load(running)

        def is_back() -> bool:
            return load.page.value(OWN + "store_up") == 1

        with load.on():
            eventually(lambda: load.page.total(OWN + "predictions_joined_total") > 0, what="joins")
            back = away(server, how)
            eventually(lambda: not is_back(), what="the outage")
            asked, told = load.asked, load.told
            time.sleep(away_s)
            eventually(lambda: load.asked > asked and load.told > told, what="requests and truths meanwhile")
            back()
            eventually(is_back, what="the store again")
            told = load.told
            eventually(lambda: load.told > told + 100, what="truths afterwards")
        page = settled(running, load)
        print(
            f"{load.asked} requests, {load.told} truths, {load.answers['waiting']} of them waited; "
            f"the longest request took {load.longest_s * 1000:.0f} ms"
        )
        assert load.faults == []
        assert_all_adds_up(page, load)
        assert load.answers["waiting"] > 0
        assert page.value(OWN + "store_errors_total") > 0
        assert PASSWORD not in running.log() + page.text
        assert PASSWORD.encode() not in running.get(running.web_port, "/config")[1]
