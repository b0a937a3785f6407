"""What dashboards ask for, as Grafana would ask it: variables filled in, steps by the width of the panel."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

Json = dict[str, Any]
ROOT: Final = Path(__file__).parents[1]
SCREEN: Final = 1800
"""Pixels that 24 columns have."""
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
_LABEL_VALUES: Final = re.compile(r"label_values\((?:(.+), )?(\w+)\)")
_NICE: Final = ((45, 30), (90, 60), (210, 120), (450, 300), (750, 600), (1050, 900), (1500, 1200), (2700, 1800),
                (5400, 3600), (float("inf"), 7200))  # fmt: skip
"""Below how many seconds Grafana takes which step; finer ones are finer than the scrapes."""


class Asked(NamedTuple):
    """One request of a dashboard."""

    board: str
    panel: str
    kind: str
    """The panel's type; `variable` or `annotation`."""
    path: str
    fields: Mapping[str, str]
    limit: int
    """Most series that may come."""


class View(NamedTuple):
    """What is chosen at the top."""

    chosen: Mapping[str, str]
    """Values of variables."""
    since_s: int
    until_s: int
    scrape_s: int

    def filled(self, text: str, step_s: int) -> str:
        """A query with variables and Grafana's own replaced."""
        span = self.until_s - self.since_s
        rate_s = max(step_s + self.scrape_s, 4 * self.scrape_s)
        own = {
            "__interval": f"{step_s}s", "__interval_ms": f"{step_s * 1000}", "__range": f"{span}s",
            "__range_s": f"{span}", "__rate_interval": f"{rate_s}s",
        }  # fmt: skip
        return _VARIABLE.sub(lambda found: (own | dict(self.chosen))[found[1] or found[2]], text)

    def step_s(self, pixels: float) -> int:
        """Of a panel so wide."""
        wanted = (self.until_s - self.since_s) / pixels
        return max(self.scrape_s, next(step for below, step in _NICE if wanted < below))


def boards() -> list[Json]:
    return [json.loads(path.read_text()) for path in sorted(ROOT.glob("dashboards/*.json"))]


def panels(board: Json) -> Iterator[Json]:
    """Those of folded rows, too."""
    for panel in board["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


def named(board: Json) -> set[str]:
    """Names of series that it asks for."""
    found = [target["expr"] for panel in panels(board) for target in panel.get("targets", ())]
    found += [one["expr"] for one in board["annotations"]["list"] if "expr" in one]
    found += [one["query"]["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    return {name for text in found for name in re.findall(r"[a-zA-Z_:][\w:]*", text)}


def everything(board: Json, view: View) -> Iterator[Asked]:
    """All that it asks for, opened."""
    for panel in panels(board):
        pixels = min(panel["gridPos"]["w"] / 24 * SCREEN, panel.get("maxDataPoints") or SCREEN)
        for target in panel.get("targets", ()):
            step = max(view.step_s(pixels), _seconds(target.get("interval", "0s")))
            title = f"{panel['title']}, {target['refId']}" if len(panel["targets"]) > 1 else panel["title"]
            limit = ROWS if target.get("format") == "table" else LINES
            path, fields = _query(view, view.filled(target["expr"], step), step, is_instant=bool(target.get("instant")))
            yield Asked(board["title"], title, panel["type"], path, fields, limit)
    for one in board["annotations"]["list"]:
        if "expr" in one:
            path, fields = _query(view, view.filled(one["expr"], 60), 60, is_instant=False)
            yield Asked(board["title"], one["name"], "annotation", path, fields, MARKS)
    for one in board["templating"]["list"]:
        if one["type"] == "query" and (found := _LABEL_VALUES.fullmatch(one["query"]["query"])):
            span = {"start": str(view.since_s), "end": str(view.until_s), "match[]": view.filled(found[1] or "", 60)}
            yield Asked(board["title"], one["name"], "variable", f"label/{found[2]}/values", span, VALUES)


LINES, ROWS, MARKS, VALUES = 60, 300, 500, 1000
"""Most of each that is worth to look at, or to choose among."""


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


def _query(view: View, text: str, step_s: int, *, is_instant: bool) -> tuple[str, dict[str, str]]:
    if is_instant:
        return "query", {"query": text, "time": str(view.until_s)}
    since, until = (at // step_s * step_s for at in (view.since_s, view.until_s))
    return "query_range", {"query": text, "start": str(since), "end": str(until), "step": str(step_s)}
