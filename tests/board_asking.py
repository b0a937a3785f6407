"""What a dashboard asks Prometheus for, asked as Grafana would."""

import http.client
import json
import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Self

from board_worlds import VERSION, WINDOW, World, in_seconds
from shipped_boards import BOARDS, Json, every_panel

STEP_S: Final = 4
"""How far apart the points of a line are."""
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
    """One connection to Prometheus, and what was chosen at the top of the dashboards."""

    def __init__(self, scene: World, state: str) -> None:
        """It is now the end of the time that is looked at."""
        self._state, self._end_s, self._begun_s = state, time.time(), scene.begun_s
        self._connection = http.client.HTTPConnection(scene.url.removeprefix("http://"), timeout=30)
        self._heard: dict[str, tuple[Any, str]] = {}
        self.chosen = {
            "datasource": "prometheus", "job": ".+", "model": state, "version": VERSION, "feature": "amount",
            "window": WINDOW, "__rate_interval": _RATE, "__interval": f"{STEP_S}s",
            "__range": f"{int(self._end_s - scene.begun_s)}s",
        }  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

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
        data, error = self._asked(f"label/{found[2]}/values", asked)
        assert not error, f"{variable['name']}: {error}"
        return list(data)

    def panel(self, board: str, panel: Json) -> Iterator[Answer]:
        """All that a panel asks."""
        for target in panel.get("targets", ()):
            yield self.again(Answer(self._state, board, panel["title"], target["refId"], panel, target, []))

    def annotation(self, board: str, annotation: Json) -> Answer:
        """What one marks."""
        return self.again(Answer(self._state, board, annotation["name"], "annotation", {}, annotation, []))

    def again(self, answer: Answer) -> Answer:
        """What comes of it now."""
        series, error = self._series(answer.target["expr"], instant=answer.target.get("instant", False))
        return answer._replace(series=series, error=error)

    def instant(self, query: str) -> list[Any]:
        """What is so now, of a query in which nothing is left open."""
        data, error = self._asked("query", {"query": query, "time": time.time()})
        assert not error, f"{query}: {error}"
        return list(data["result"])

    def _series(self, expr: str, *, instant: bool) -> tuple[list[Series], str]:
        query = self.filled(expr)
        if instant:
            data, error = self._asked("query", {"query": query, "time": self._end_s})
        else:
            asked = {"query": query, "start": self._begun_s, "end": self._end_s, "step": STEP_S}
            data, error = self._asked("query_range", asked)
        if error:
            return [], error
        points = ((one["metric"], one.get("values") or [one["value"]]) for one in data["result"])
        return [Series(labels, [float(value) for _, value in values]) for labels, values in points], ""

    def _asked(self, path: str, asked: Mapping[str, Any]) -> tuple[Any, str]:
        address = f"/api/v1/{path}?{urllib.parse.urlencode(asked)}"
        if address not in self._heard:  # annotations are the same everywhere
            self._connection.request("GET", address)
            answer = json.load(self._connection.getresponse())
            self._heard[address] = answer.get("data"), answer.get("error", "")
        return self._heard[address]


def everything(asking: Asking) -> Iterator[Answer]:
    """What all dashboards ask, with their answers."""
    for uid, board in BOARDS.items():
        for panel in every_panel(board):
            yield from asking.panel(uid, panel)
        for annotation in board["annotations"]["list"]:
            yield asking.annotation(uid, annotation)
