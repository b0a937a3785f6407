"""POST /feedback: truths. POST /feedback/erase: ids that are to be forgotten. Every answer says why.

200 has what became of each truth; 202 says that all wait for a store that is down, and nothing more is to be done; 429
asks to come again.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from flask import Flask, Response, request

from exporter.errors import PostError
from exporter.feedback.desk import Answer
from exporter.web import bodies

PATHS: Final = ("/feedback", "/feedback/erase")
"""What a token of its own is for."""
_MOST_AT_ONCE: Final = 6
"""So many threads hold a body and wait for the store at most; others are left for other pages."""
_OFF: Final = "taking truths is not enabled: set feedback.enable"


class Receiver(Protocol):
    """Who takes truths."""

    @property
    def most_bytes(self) -> int:
        """Longest body that is taken."""

    def post(self, headers: Mapping[str, str], body: bytes, *, errors_only: bool) -> Answer:
        """Take truths. PostError."""

    def erase(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Forget ids. PostError."""


def add(app: Flask, receiver: Receiver | None) -> None:
    """Have truths taken; None where nobody wants them."""
    turns = threading.Semaphore(_MOST_AT_ONCE)

    @app.post(PATHS[0])
    def post_feedback() -> Response:
        if request.args.keys() - {"results"} or request.args.get("results", "all") not in {"all", "errors"}:
            return bodies.unread("say /feedback, or /feedback?results=errors", 400)
        errors_only = request.args.get("results") == "errors"
        return _taken(receiver, turns, lambda one, body: one.post(bodies.headers(), body, errors_only=errors_only))

    @app.post(PATHS[1])
    def post_erasure() -> Response:
        return _taken(receiver, turns, lambda one, body: one.erase(bodies.headers(), body))


def _taken(
    receiver: Receiver | None, turns: threading.Semaphore, take: Callable[[Receiver, bytes], Answer]
) -> Response:  # fmt: skip
    if receiver is None:
        return bodies.unread(_OFF, 403)
    if not turns.acquire(blocking=False):  # before anything is read: bodies are long
        return bodies.unread("too many other truths are being taken", bodies.STATUS["busy"])
    try:
        return _answered(receiver, take)
    finally:
        turns.release()


def _answered(receiver: Receiver, take: Callable[[Receiver, bytes], Answer]) -> Response:
    try:
        body = bodies.read(receiver.most_bytes, "feedback.max_body")
    except PostError as error:
        return bodies.unread(str(error), bodies.STATUS[error.reason])
    try:
        found = take(receiver, body)
    except PostError as error:
        return bodies.refusal(error)
    return Response(found.content, found.status, mimetype="application/json")
