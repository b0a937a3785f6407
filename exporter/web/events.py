"""POST /events: a body from a socket, within bounds, to whoever takes events. Every answer says why.

200 and no content is what loggers and brokers take for delivered: KServe's logs anything else as a fault, and a broker
takes content for an event in reply. 429 asks to come again.
"""

import threading
from collections.abc import Mapping
from typing import Final, Protocol

from flask import Response

from exporter.errors import EventError, PostError
from exporter.web import bodies

_MOST_AT_ONCE: Final = 12
"""Bodies are read one after the other; so many threads wait for that at most, and others are left for other pages."""
_turns: Final = threading.Semaphore(_MOST_AT_ONCE)


class Receiver(Protocol):
    """Who takes events."""

    @property
    def most_bytes(self) -> int:
        """Longest body that is taken."""

    def post(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take what a POST holds. EventError, which is counted already."""

    def refuse(self, error: EventError) -> None:
        """Count what could not be received."""


def take(receiver: Receiver | None) -> Response:
    """The answer to the POST at hand."""
    if receiver is None:
        return bodies.unread("taking events is not enabled: set events.enable", 403)
    try:
        body = bodies.read(receiver.most_bytes, "events.max_body")
        if not _turns.acquire(blocking=False):
            raise PostError("busy", "too many other events are being read")
    except PostError as error:
        receiver.refuse(EventError(error.reason, str(error)))
        return bodies.unread(str(error), bodies.STATUS[error.reason])
    try:
        receiver.post(bodies.headers(), body)
    except EventError as error:
        return bodies.refusal(error)
    finally:
        _turns.release()
    return Response(b"", 200)
