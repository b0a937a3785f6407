"""A server of predictions and truths goes away under load, and comes again: nobody waits, all of it adds up."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

import pytest
from feedback.places import LONG
from feedback.servers import PostgresServer, RedisServer, Server
from feedback.spoken import NOW_MS, prediction, truth
from support import eventually

from exporter.condition import FeedbackCounts
from exporter.feedback.keeping import Busy, Keeping
from exporter.feedback.stores import open_store
from exporter.handoff import board

PLENTY = LONG._replace(predictions=10**6)
BATCH = 20
AWAY_S = 1.0
LASTING = ("--appendonly", "yes", "--appendfsync", "always")
"""What is acknowledged is there after a kill, as it is with PostgreSQL."""


@pytest.fixture(params=[lambda: RedisServer(*LASTING), PostgresServer], ids=["redis", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = request.param()
    try:
        made.start()
        yield made
    finally:
        made.end()


@contextmanager
def keeping(server: Server, room: int) -> Iterator[Keeping]:
    url = server.url("") if isinstance(server, PostgresServer) else server.url("kept")
    one = Keeping(lambda: open_store(url, PLENTY, "a"), "shared", PLENTY, room, board.attach(board.create()))
    one.settle()
    try:
        yield one
    finally:
        one.close(60)


class Load:
    """A loop that hands predictions over, and a thread that tells their truths, until it is ended."""

    def __init__(self, one: Keeping) -> None:
        self._one = one
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._open), threading.Thread(target=self._tell)]
        self.opened = self.told = self.refused = 0
        """That the loop ever had to wait."""
        self.numbers: list[int] = []
        self.true: list[bytes] = []

    def _open(self) -> None:
        while not self._over.wait(0.005):
            names = range(self.opened, self.opened + BATCH)
            self._one.open([prediction(str(name), at_ms=NOW_MS) for name in names])
            self.take()
            self.opened += BATCH

    def _tell(self) -> None:
        for first in itertools.count(0, BATCH):
            while self.opened <= first and not self._over.is_set():
                time.sleep(0.002)
            if self._over.is_set():
                return
            try:
                self._one.tell([truth(str(name), str(name).encode()) for name in range(first, first + BATCH)], 0.05)
                self.told += BATCH
            except Busy:
                self.refused += BATCH
                time.sleep(0.005)

    def take(self) -> None:
        for row in self._one.joined(self.numbers[-1] if self.numbers else 0):
            self.numbers.append(row.number)
            self.true.append(row.true)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def settled(one: Keeping) -> FeedbackCounts:
    def look() -> FeedbackCounts | None:
        one.sync()
        counts = one.snapshot()
        waiting = counts.predictions_waiting + counts.truths_waiting + counts.buffer_bytes
        is_seen = counts.kept == counts.open + counts.joined and counts.up
        return counts if not waiting and is_seen else None

    found: FeedbackCounts = eventually(look, what="all of it to be in the store")
    return found


def away(server: Server, how: str) -> Callable[[], None]:
    """Have a server go away; what brings it back."""
    if how == "hangs":
        server.pause()
        return server.resume
    server.kill()
    return server.start


@pytest.mark.parametrize("how", ["is killed", "hangs"])
def test_nothing_is_lost_while_the_server_is_away(server: Server, how: str) -> None:
    with keeping(server, 256 << 20) as one:
        with Load(one) as load:
            eventually(lambda: len(load.numbers) > 500)
            back = away(server, how)
            eventually(lambda: not one.snapshot().up)
            time.sleep(AWAY_S)
            before = load.opened
            eventually(lambda: load.opened > before + 500, what="predictions to be taken while it is away")
            assert not one.snapshot().up
            back()
            eventually(lambda: one.snapshot().up)
            eventually(lambda: load.opened > before + 1_000)
        counts = settled(one)
        eventually(lambda: load.take() or len(load.numbers) >= counts.joined_since)
    assert counts.failures > 0
    assert (counts.predictions, counts.kept, sum(counts.dropped.values())) == (load.opened, load.opened, 0)
    assert counts.truths == sum(counts.told.values()) == load.told
    assert counts.told["matched"] + counts.told["early"] == load.told
    assert counts.waited["matched"] == counts.told["early"]
    assert counts.joined_since == counts.joined == load.told
    assert sum(counts.told_later.values()) > 0
    assert load.numbers == sorted(set(load.numbers))
    assert sorted(load.true) == sorted(str(name).encode() for name in range(load.told))  # each once


def test_what_there_is_no_room_for_while_the_server_is_away_is_counted(server: Server) -> None:
    with keeping(server, 300_000) as one:
        with Load(one) as load:
            eventually(lambda: len(load.numbers) > 500)
            server.kill()
            eventually(lambda: load.refused > 0)
            eventually(lambda: one.sync() and one.snapshot().dropped["store_down"] > 500)
            server.start()
            eventually(lambda: one.snapshot().up)
        counts = settled(one)
    dropped = sum(counts.dropped.values())
    assert (counts.predictions, counts.kept + dropped) == (load.opened, load.opened)
    assert (counts.truths, counts.refused) == (load.told, load.refused)
    assert sum(counts.told.values()) == load.told
    assert counts.told["matched"] + counts.waited["matched"] == counts.joined == counts.joined_since
    assert counts.told["early"] == counts.waited["matched"] + counts.early
