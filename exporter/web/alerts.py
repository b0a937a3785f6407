"""POST /alerts: what Alertmanager's webhook says, as a reason to train a model again. Every answer says why.

200 says what became of the alerts, of those too that are passed over; anything else Alertmanager tells again.
"""

import threading
from typing import Final, Protocol

from flask import Flask, Response

from exporter.errors import PostError
from exporter.web import bodies

PATH: Final = "/alerts"
_MOST_AT_ONCE: Final = 4
_OFF: Final = "taking alerts is not enabled: set retrain.alerts"


class Receiver(Protocol):
    """Who takes alerts."""

    @property
    def most_bytes(self) -> int:
        """Longest body that is taken."""

    def post(self, body: bytes) -> bytes:
        """Take alerts: what became of them, in JSON. PostError."""


def add(app: Flask, receiver: Receiver | None) -> None:
    """Have alerts taken; None where nobody wants them."""
    turns = threading.Semaphore(_MOST_AT_ONCE)

    @app.post(PATH)
    def post_alerts() -> Response:
        if receiver is None:
            return bodies.unread(_OFF, 403)
        if not turns.acquire(blocking=False):
            return bodies.unread("too many others post alerts", bodies.STATUS["busy"])
        try:
            return _answered(receiver)
        finally:
            turns.release()


def _answered(receiver: Receiver) -> Response:
    try:
        body = bodies.read(receiver.most_bytes, "a fixed bound")
    except PostError as error:
        return bodies.unread(str(error), bodies.STATUS[error.reason])
    try:
        return Response(receiver.post(body), 200, mimetype="application/json")
    except PostError as error:
        return bodies.refusal(error)
