"""A threaded WSGI server on a socket that somebody else bound."""

import socket
import threading
from typing import Any, Final

from cheroot import wsgi

_THREADS: Final = 16
_TIMEOUT_S: Final = 3


class _Server(wsgi.Server):
    """cheroot binds where it is told to; this one is handed its socket."""

    def __init__(self, sock: socket.socket, app: Any) -> None:  # noqa: ANN401 (any WSGI application)
        super().__init__(sock.getsockname()[:2], app, numthreads=_THREADS, max=_THREADS, timeout=_TIMEOUT_S,
                         request_queue_size=128)  # fmt: skip
        self._given = sock

    def bind(self, *_: Any) -> socket.socket:  # noqa: ANN401 (cheroot's signature)
        """Take the socket that is already bound."""
        self.socket = self._given
        return self._given


class WebServer:
    """Serves an application in threads of its own."""

    def __init__(self, sock: socket.socket, app: Any) -> None:  # noqa: ANN401
        self._server = _Server(sock, app)
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; requests under way get a moment."""
        self._server.stop()
        self._thread.join(timeout=2)
