"""What the whole is told, where settings allow it: POST (or PUT) /-/reload and /-/quit. Errors are plain text.

Both are signals to the supervisor, as if somebody had sent them: SIGHUP and SIGTERM.
"""

import logging
import os
import signal
from typing import Final

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

_LOG = logging.getLogger("exporter.web")
_METHODS: Final = ["POST", "PUT"]


def add(app: Flask, supervisor: int | None) -> None:
    """Have an application take them; `supervisor` is the process that is told, None where nobody may tell it."""

    @app.route("/-/reload", methods=_METHODS)
    def reload() -> Response:
        return _told(
            supervisor, signal.SIGHUP, "reading the settings again: inference_exporter_config_last_reload_successful"
        )

    @app.route("/-/quit", methods=_METHODS)
    def end() -> Response:
        return _told(supervisor, signal.SIGTERM, "draining, then ending")


def _told(supervisor: int | None, number: signal.Signals, words: str) -> Response:
    if supervisor is None:
        return _text("this is not enabled: set web.enable_lifecycle", 403)
    _LOG.warning("told to: %s", words)
    os.kill(supervisor, number)
    return _text(words, 200)


def speak_plainly(app: Flask) -> None:
    """Errors of an application as a line of text: no page of somebody else's, and nothing of how it works inside."""

    @app.errorhandler(HTTPException)
    def plain(error: HTTPException) -> Response:
        words = f"{error.code} {error.name}".lower()
        answer = jsonify(error=words) if request.path.startswith("/api/") else _text(words, 500)
        answer.status_code = error.code or 500
        for name, value in error.get_headers():
            if name.lower() in {"allow", "retry-after"}:
                answer.headers[name] = value
        return answer


def _text(words: str, status: int) -> Response:
    return Response(f"{words}\n", status, mimetype="text/plain")
