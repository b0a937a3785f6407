"""The web side of `fleet`.

GET /            what drifts, for people
GET /metrics     the last panes, as Prometheus text
GET /-/healthy   the process is alive
GET /-/ready     Prometheus has answered for a pane
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from flask import Flask, Response
from markupsafe import escape

from exporter import __version__
from exporter.collect.rendered import Rendered
from exporter.fleet.watched import Told
from exporter.web import page_of
from exporter.web.lifecycle import speak_plainly

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>inference-exporter fleet</title></head>
<body><h1>inference-exporter fleet</h1><p>Version {version}, asking {prometheus}.{asked}</p>
<table><tr><th>model</th><th>version</th><th>profile</th><th>of</th><th>replicas</th><th>evidence</th>
<th>of</th><th></th></tr>
{rows}</table>
<ul><li><a href="/metrics">Metrics</a></li><li><a href="/-/healthy">Healthy</a></li>
<li><a href="/-/ready">Ready</a></li></ul></body></html>
"""
_MOST_NAMED: Final = 3


class Shown(NamedTuple):
    """What was made after the last pane."""

    metrics: Rendered
    told: Sequence[Told]
    asked_until_s: float
    is_ready: bool


def create_app(shown: Callable[[], Shown], prometheus: str, by: Sequence[str]) -> Flask:
    """The application."""
    app = Flask("exporter.fleet", static_folder=None)
    speak_plainly(app)

    @app.get("/metrics")
    def metrics() -> Response:
        return page_of(shown().metrics)

    @app.get("/-/healthy")
    def healthy() -> Response:
        return Response("inference-exporter fleet is healthy\n", mimetype="text/plain")

    @app.get("/-/ready")
    def ready() -> Response:
        if not shown().is_ready:
            return Response("no pane yet\n", 503, mimetype="text/plain")
        return Response("inference-exporter fleet is ready\n", mimetype="text/plain")

    @app.get("/")
    def landing() -> Response:
        found = shown()
        asked = f" The last pane ended at {_time(found.asked_until_s)}." if found.is_ready else " No answer yet."
        rows = "".join(_row(one, by) for one in found.told)
        return Response(_PAGE.format(version=__version__, prometheus=escape(prometheus), asked=asked, rows=rows))

    return app


def _row(one: Told, by: Sequence[str]) -> str:
    verdict, fleet = one.verdict, one.fleet
    of = ", ".join(f"{name} {value}" for name, value in zip(by, fleet.by, strict=True) if value)
    cells = (fleet.model, fleet.version, fleet.profile, of, one.replicas, f"{verdict.nats:.1f}",
             f"{verdict.threshold:.1f} nats", "; ".join(_words(one)))  # fmt: skip
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>\n"


def _words(one: Told) -> Iterator[str]:
    """What there is to know, the columns that drift first."""
    verdict, places, named = one.verdict, list(one.columns), one.named
    order = [int(at) for at in np.argsort(-verdict.streams, kind="stable") if named[at]]
    for at in order[:_MOST_NAMED]:
        fault = one.faults.get(places[at])
        said = f": {fault.text} ({fault.replicas} replicas)" if fault else ""
        yield f"{places[at].name} {_how(one, at)} since {_time(float(verdict.onset_s[at]))}{said}"
    if len(order) > _MOST_NAMED:
        yield f"and {len(order) - _MOST_NAMED} more"
    if verdict.planned:
        yield "paused: a planned event"
    elif not one.is_ready:
        yield "careful defaults, until its traffic is measured"


def _how(one: Told, at: int) -> str:
    """In words; of a bin that grew, what it holds."""
    kind, place, shape = one.verdict.happened(at)
    texts = list(one.columns.values())[at].texts
    what = f"has more of {texts[int(place)]!r}" if place else _MOVED[kind]
    return f"{what}, {shape}," if shape else what


_MOVED: Final = {
    "up": "moved up", "down": "moved down", "wider": "became wider", "narrower": "became narrower",
    "changed": "changed",
}  # fmt: skip


def _time(wall_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(wall_s))
