"""The web side of the analyser.

GET /            the status of all models, see `status`; and /api/v1/…, the same for tools
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
from collections.abc import Callable

from flask import Flask, Response, request

from exporter.collect.rendered import Rendered
from exporter.web import merged, negotiation
from exporter.web.events import Receiver, take
from exporter.web.lifecycle import speak_plainly

_LOG = logging.getLogger("exporter.web")


def create_app(
    page: Callable[[], Rendered | None],
    observe: Callable[[bool], None] | None = None,
    events: Receiver | None = None,
) -> Flask:
    """The application; `page` gives the text of /metrics, None before the first snapshot.

    `observe` switches observation, `events` takes events; without them nobody may.
    """
    app = Flask("exporter.web", static_folder=None)
    speak_plainly(app)

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

    return app


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
