"""The clients: healthy rows are drawn from the training data, and changed as the chapter will have it."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Self

from exporter.demo.chapters import Row, as_it_is
from exporter.demo.model import NAME

_REQUESTS_PER_S: Final = 20
_ROWS_PER_MINUTE: Final = 100
"""Of the rules' time: five of their minutes hold 500 rows, enough for a score."""
_TIMEOUT_S: Final = 10.0


class Traffic:
    """One client that sends a batch of rows at a steady pace, in a thread of its own, whatever the answers are."""

    def __init__(self, address: str, rows: Sequence[Row], seed: int, minute_s: float) -> None:
        self.change: Callable[[Row], Row] = as_it_is
        self.answered = 0
        self.failed = 0
        self.last: Row = {}
        """The row that was sent last."""
        self._address, self._rows = address, rows
        self._batch = max(round(_ROWS_PER_MINUTE / minute_s / _REQUESTS_PER_S), 1)
        self._random = random.Random(seed)  # noqa: S311 (traffic, not secrets)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_TIMEOUT_S + 1)

    def _run(self) -> None:
        client = http.client.HTTPConnection(self._address, timeout=_TIMEOUT_S)
        due = time.monotonic()
        while not self._stop.wait(max(due - time.monotonic(), 0.0)):
            due += 1 / _REQUESTS_PER_S
            try:
                good = self._send(client)
            except (OSError, http.client.HTTPException):
                client.close()  # the next request opens it anew
                good = False
            self.answered += good
            self.failed += not good
        client.close()

    def _send(self, client: http.client.HTTPConnection) -> bool:
        rows = [self.change(self._random.choice(self._rows)) for _ in range(self._batch)]
        self.last = rows[-1]
        client.request("POST", f"/v1/models/{NAME}:predict", json.dumps({"instances": rows}),
                       {"content-type": "application/json"})  # fmt: skip
        answer = client.getresponse()
        answer.read()
        return answer.status == http.HTTPStatus.OK
