"""The web side of the analyser.

GET /            what this is and where to look
GET /metrics     the last snapshot, as Prometheus text or OpenMetrics; ?name[]=... for single families
GET /-/healthy   the analyser is alive
GET /-/ready     it has scored at least once
GET /config      the settings in force, see `settings_page`
GET /api/v1/window  what a window holds, see `windows`
POST /-/observe  switches observation, ?enabled=true or ?enabled=false, where the settings allow it
POST /-/reload, /-/quit  see `lifecycle`
POST /events     requests and answers as CloudEvents, where the settings allow it
POST /alerts     what Alertmanager says, see `alerts`
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from flask import Flask, Response, request

from exporter import __version__
from exporter.collect.rendered import Rendered
from exporter.findings import Unread
from exporter.web import merged, negotiation
from exporter.web.events import Receiver, take
from exporter.web.lifecycle import speak_plainly

_LOG = logging.getLogger("exporter.web")
_LANDING: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>inference-exporter</title></head>
<body><h1>inference-exporter</h1><p>Version {version}. Watching {models}.</p>
<ul><li><a href="/metrics">Metrics</a></li><li><a href="/-/healthy">Healthy</a></li>
<li><a href="/-/ready">Ready</a></li></ul>{sections}</body></html>
"""
SECTIONS: Final = "exporter.sections"
"""Among the extensions of the application: what gives a part of the status page each, as HTML."""
_UNREAD: Final = """<h2>Payloads that could not be decoded</h2>
<p>The last one of each reason. They were relayed; nothing of what they hold is kept.</p>
<table><tr><th>when</th><th>side</th><th>reason</th><th>protocol</th><th>path</th><th></th></tr>
{rows}</table>"""


def create_app(
    page: Callable[[], Rendered | None],
    models: Callable[[], Sequence[str]],
    observe: Callable[[bool], None] | None = None,
    events: Receiver | None = None,
    unread: Callable[[], Sequence[Unread]] = tuple,
) -> Flask:
    """The application; `page` gives the text of /metrics, None before the first snapshot, `models` their names.

    `observe` switches observation, `events` takes events; without them nobody may. `unread` gives the last payloads
    that were not decoded.
    """
    app = Flask("exporter.web", static_folder=None)
    speak_plainly(app)
    app.extensions[SECTIONS] = [lambda: _table(unread())]

    @app.get("/metrics")
    def metrics() -> Response:
        found = page()
        if found is None:
            return Response("no snapshot yet\n", 503, mimetype="text/plain")
        return page_of(found)

    @app.get("/-/healthy")
    def healthy() -> Response:
        return Response("inference-exporter's analyser is healthy\n", mimetype="text/plain")

    @app.get("/-/ready")
    def ready() -> Response:
        if page() is None:
            return Response("no snapshot yet\n", 503, mimetype="text/plain")
        return Response("inference-exporter's analyser is ready\n", mimetype="text/plain")

    @app.post("/-/observe")
    def observing() -> Response:
        return _switch(observe, request.args.get("enabled"))

    @app.post("/events")
    def post_events() -> Response:
        return take(events)

    @app.get("/")
    def landing() -> Response:
        names = ", ".join(escape(name) for name in dict.fromkeys(models())) or "no model yet"
        sections = "".join(section() for section in app.extensions[SECTIONS])
        text = _LANDING.format(version=__version__, models=names, sections=sections)
        return Response(text, mimetype="text/html")

    return app


def _table(unread: Sequence[Unread]) -> str:
    if not unread:
        return ""
    rows = []
    for one in unread:
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(one.wall_s))
        cells = (when, one.side, one.reason, one.protocol, one.path, one.detail)
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>\n")
    return _UNREAD.format(rows="".join(rows))


def _switch(observe: Callable[[bool], None] | None, enabled: str | None) -> Response:
    if observe is None:
        return _text("switching observation is not enabled: set web.enable_lifecycle\n", 403)
    if enabled not in {"true", "false"}:
        return _text("say /-/observe?enabled=true or /-/observe?enabled=false\n", 400)
    observe(enabled == "true")
    word = "on" if enabled == "true" else "off"
    _LOG.warning("observation switched %s", word)
    return _text(f"observation is {word}\n", 200)


def _text(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")


def escape(text: str) -> str:
    """Text as HTML has it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def page_of(found: Rendered) -> Response:
    """What is on /metrics, of it what is asked for by name, in the format and packing that is wanted."""
    page, media = merged.of(found, negotiation.content_type(request.accept_mimetypes))
    names = request.args.getlist("name[]")
    shown = page.only(names) if names else page
    if negotiation.takes_gzip(request.accept_encodings):
        response = Response(shown.compressed(media), content_type=media)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = Response(shown.pieces(media), content_type=media)
        response.content_length = shown.size(media)
    response.headers["Vary"] = "Accept, Accept-Encoding"
    return response
