"""What the model server says of its models: asked once for each of them, in a thread, and never waited for.

Only of models that it has just answered for, and of a bounded number. It may not speak the protocol, or want to be
asked by somebody else: then nothing is known, and it is not asked again.
"""

import http.client
import logging
import queue
import threading
import time
from contextlib import closing
from typing import Any, Final, cast
from urllib.parse import quote

from exporter import reaching
from exporter.config import Settings
from exporter.decode import naming
from exporter.decode.naming import Schema
from exporter.reaching import Way, Wire
from exporter.upstream_way import host, way_there

_LOG = logging.getLogger("exporter.metadata")
_TIMEOUT_S: Final = 2.0
_WAITS_S: Final = (0.0, 1.0, 10.0)
"""Before each try. A server that is overloaded, or has just gone, may be back."""
_LARGEST: Final = 1 << 20
MOST_MODELS: Final = 64
_AS_IT_IS: Final = "/%:@!$&'()*+,;=~"
_NOTHING: Final = Schema()


def asked(settings: Settings) -> "Metadata | None":
    """Who asks the server that settings name; None where nobody shall."""
    way = way_there(settings) if settings.upstream_metadata else None
    return None if way is None else Metadata(way)


class _Retry(Exception):
    """Another try may succeed."""


class Metadata:
    """Schemas by path."""

    def __init__(self, server: Way) -> None:
        self._server = server
        self._schemas: dict[str, Schema | None] = {}
        """None while the answer is on its way."""
        self._wanted: queue.SimpleQueue[tuple[float, str, int]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def __call__(self, path: str) -> Schema | None:
        """The schema of the model that an inference at `path` was asked of; None where it is not known, or not yet."""
        where = naming.metadata_path(path)
        if where is None or where in self._schemas or len(self._schemas) >= MOST_MODELS:
            return self._schemas.get(where or "")
        self._schemas[where] = None
        self._wanted.put((0.0, where, 0))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="metadata", daemon=True)
            self._thread.start()
        return None

    def _work(self) -> None:
        while True:
            due, where, tries = self._wanted.get()
            time.sleep(max(due - time.monotonic(), 0.0))
            try:
                self._schemas[where] = self._fetched(where)
            except _Retry:
                if tries + 1 < len(_WAITS_S):
                    self._wanted.put((time.monotonic() + _WAITS_S[tries + 1], where, tries + 1))
                else:
                    _LOG.info("the model server does not say what its columns are called: no answer")
            except Exception:  # noqa: BLE001 (whatever is wrong with it, the next one may be right)
                _LOG.exception("asking the model server for names failed")

    def _fetched(self, where: str) -> Schema:
        """What the server says now. _Retry where it says nothing."""
        try:
            status, content = self._get(where)
        except (OSError, http.client.HTTPException) as error:
            raise _Retry from error
        if status >= 500 or status == 429:
            raise _Retry
        if status != 200 or len(content) > _LARGEST:
            return _NOTHING
        try:
            found = naming.schema(content)
        except ValueError:
            return _NOTHING
        _LOG.info("the model server names %d inputs and %d outputs one by one", len(found.inputs), len(found.outputs))
        return found

    def _get(self, where: str) -> tuple[int, bytes]:
        place, until_s = self._server.place, time.monotonic() + _TIMEOUT_S
        connection = http.client.HTTPConnection(host(place), place[1] if isinstance(place, tuple) else None)
        with closing(reaching.connected(self._server, until_s)) as sock:
            connection.sock = cast("Any", Wire(sock, until_s))
            connection.request("GET", quote(where.encode("latin-1"), _AS_IT_IS), headers={"Accept": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read(_LARGEST + 1)
