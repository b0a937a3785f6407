"""What a dashboard asks Prometheus for, asked as Grafana would."""

import http.client
import json
import re
import time
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Final, NamedTuple, Self

from board_worlds import STATES, World, in_seconds
from shipped_boards import BOARDS, Json, every_panel

STEP_S: Final = 4
"""How far apart the points of a line are."""
CONNECTIONS: Final = 4
_RATE: Final = "10s"
_LABEL_VALUES: Final = re.compile(r"label_values\((.+), (\w+)\)")

Labels = Mapping[str, str]


class Series(NamedTuple):
    """One line, or one row of a table."""

    labels: Labels
    values: list[float]


class Answer(NamedTuple):
    """What came of one query, in one state."""

    state: str
    board: str
    name: str
    """Of the panel or the annotation."""
    place: str
    """The query's letter."""
    panel: Json
    target: Json
    series: list[Series]
    error: str = ""

    @property
    def query(self) -> str:
        """What is asked, in whatever state."""
        return f"{self.board}: {self.name}, {self.place}"

    def __str__(self) -> str:
        return f"{self.state}, {self.query}"


class Asking:
    """A few connections to Prometheus, and what was chosen at the top of the dashboards."""

    def __init__(self, scene: World, state: str) -> None:
        """It is now the end of the time that is looked at."""
        self._state, self._end_s, self._begun_s = state, time.time(), scene.begun_s
        self._address = scene.url.removeprefix("http://")
        self._free: SimpleQueue[http.client.HTTPConnection] = SimpleQueue()
        self._heard: dict[str, Future[tuple[Any, str]]] = {}
        self.chosen = {
            **STATES[state], "datasource": "prometheus", "job": ".+", "__rate_interval": _RATE,
            "__interval": f"{STEP_S}s", "__range": f"{int(self._end_s - scene.begun_s)}s",
        }  # fmt: skip

    def __enter__(self) -> Self:
        for _ in range(CONNECTIONS):
            self._free.put(http.client.HTTPConnection(self._address, timeout=120))
        self._clients = ThreadPoolExecutor(CONNECTIONS)
        return self

    def __exit__(self, *_: object) -> None:
        self._clients.shutdown()
        for _ in range(CONNECTIONS):
            self._free.get().close()

    def filled(self, text: str) -> str:
        """In compressed time, with what was chosen."""
        short = str(in_seconds(text))
        done = re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: self.chosen[found[1] or found[2]], short)
        assert "$" not in done, text
        return done

    def variable(self, variable: Json) -> list[str]:
        """The values that one is chosen among."""
        found = _LABEL_VALUES.fullmatch(variable["query"]["query"])
        assert found, variable["query"]
        asked = {"match[]": self.filled(found[1]), "start": self._begun_s, "end": self._end_s}
        data, error = self._soon(f"label/{found[2]}/values", asked).result()
        assert not error, f"{variable['name']}: {error}"
        return list(data)

    def answers(self, queries: Iterable[Answer]) -> list[Answer]:
        """What comes of them now."""
        asked = [(one, self._asked_for(one.target)) for one in queries]
        return [one._replace(series=_series(found.result()[0]), error=found.result()[1]) for one, found in asked]

    def everything(self) -> list[Answer]:
        """What all dashboards ask, with their answers."""
        return self.answers(
            Answer(self._state, uid, name, place, panel, target, [])
            for uid, board in BOARDS.items()
            for name, place, panel, target in _queries(board)
        )

    def instant(self, query: str) -> list[Any]:
        """What is so now, of a query in which nothing is left open."""
        data, error = self._soon("query", {"query": query, "time": time.time()}).result()
        assert not error, f"{query}: {error}"
        return list(data["result"])

    def _asked_for(self, target: Json) -> "Future[tuple[Any, str]]":
        query = self.filled(target["expr"])
        if target.get("instant", False):
            return self._soon("query", {"query": query, "time": self._end_s})
        asked = {"query": query, "start": self._begun_s, "end": self._end_s, "step": STEP_S}
        return self._soon("query_range", asked)

    def _soon(self, path: str, asked: Mapping[str, Any]) -> "Future[tuple[Any, str]]":
        address = f"/api/v1/{path}?{urllib.parse.urlencode(asked)}"
        if address not in self._heard:  # annotations are the same everywhere
            self._heard[address] = self._clients.submit(self._get, address)
        return self._heard[address]

    def _get(self, address: str) -> tuple[Any, str]:
        connection = self._free.get()
        try:
            connection.request("GET", address)
            answer = json.load(connection.getresponse())
        finally:
            self._free.put(connection)
        return answer.get("data"), answer.get("error", "")


def _series(data: Any) -> list[Series]:
    points = ((one["metric"], one.get("values") or [one["value"]]) for one in (data or {"result": ()})["result"])
    return [Series(labels, [float(value) for _, value in values]) for labels, values in points]


def _queries(board: Json) -> Iterator[tuple[str, str, Json, Json]]:
    for panel in every_panel(board):
        for target in panel.get("targets", ()):
            yield panel["title"], target["refId"], panel, target
    for annotation in board["annotations"]["list"]:
        yield annotation["name"], "annotation", {}, annotation
