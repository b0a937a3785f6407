"""Clients that send a steady number of requests a second, whatever an answer takes."""

import time
import urllib.error
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from in_background import InBackground
from support import predict

Row = dict[str, Any]
_CLIENTS: Final = 8


def unchanged(row: Row) -> Row:
    return row


def in_cents(row: Row) -> Row:
    return row | {"amount": row["amount"] * 100}


class Traffic(InBackground):
    """Rows in random order, one in each request, by the clock: what is late is sent at once."""

    def __init__(self, url: str, rows: list[Row], requests_per_s: float) -> None:
        super().__init__()
        self.change: Callable[[Row], Row] = unchanged
        self.sent = 0
        self.failures = 0
        self._url, self._rows, self._every = url, rows, 1 / requests_per_s

    def _run(self) -> None:
        random, due = np.random.default_rng(6), time.monotonic()
        with ThreadPoolExecutor(_CLIENTS) as clients:
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                row = self.change(self._rows[random.integers(len(self._rows))])
                clients.submit(predict, self._url, [row]).add_done_callback(self._count)
                self.sent += 1
                due += self._every

    def _count(self, answer: "Future[Any]") -> None:
        error = answer.exception()
        self.failures += error is not None
        if isinstance(error, urllib.error.HTTPError):
            error.close()
