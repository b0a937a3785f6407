"""Whatever clients and servers do to each other, nobody ever gets an answer, or part of one, that is not their own."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from faults import swap_clients
from faults.own import OwnClients
from faults.stage import fault
from proxy.rig import Relay, relay
from support import eventually

from exporter.handoff.tally import Slot
from exporter.records import Exchange

TESTS: Final = Path(__file__).parents[1]
SPARE: Final = 10_000
"""Requests that clients under way may still begin when enough were begun."""
CONNECT_TIMEOUT_S: Final = 1.03
"""About when the kernel tries again to reach a server whose queue was full: many a connection opens in the moment in
which the relay gives it up."""

FAULT: Final = fault(
    43, "Clients and servers that leave amid everything",
    "numbered requests, many ahead of their answers, on 96 connections at a time; a third of the connections ends as it"
    " should not: closed or reset by either side, refused, given up by the relay while the kernel still connects",
    "nobody ever gets an answer, or part of one, that is not their own",
)  # fmt: skip


class Places(NamedTuple):
    server: int
    refusing: int
    full: int


class Seen:
    """What the observer handed over: every exchange must be of one number."""

    def __init__(self, numbers: int) -> None:
        self.numbers = bytearray(numbers)
        self.count = 0
        self.wrong: list[str] = []

    def take(self, running: Relay) -> None:
        for one in running.exchanges():
            self.count += 1
            number = one.request_headers["x-request-id"]
            if not _of_one_piece(one) or self.numbers[int(number)]:
                self.wrong.append(f"{number}: {one}")
            self.numbers[int(number)] = 1


def _of_one_piece(one: Exchange) -> bool:
    bodies_agree = one.request.size == one.response.size and one.request.content == one.response.content
    own = one.request.content.startswith(b"%s," % one.request_headers["x-request-id"].encode())
    return one.request_headers["x-request-id"] == one.response_headers["x-request-id"] and bodies_agree and own


def _module(name: str, *words: object, **how: Any) -> "subprocess.Popen[str]":
    environ = os.environ | {"PYTHONPATH": str(TESTS)}
    return subprocess.Popen([sys.executable, "-m", name, *map(str, words)], env=environ, text=True, **how)


@contextmanager
def places(marks: Path) -> Iterator[Places]:
    """A server that answers, a port that refuses, and one whose queue is full for ever."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=16))
        refusing = stack.enter_context(socket.socket())
        refusing.bind(("127.0.0.1", 0))
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        stack.enter_context(socket.create_connection(full.getsockname()))
        server = _module("faults.swap_server", listener.fileno(), marks, pass_fds=[listener.fileno()])
        stack.callback(server.wait, 10)
        stack.callback(server.kill)
        yield Places(*[one.getsockname()[1] for one in (listener, refusing, full)])


class Report(NamedTuple):
    """What the clients say: how many connections of which kind there were, and what was wrong."""

    count: dict[str, int]
    wrong: list[str]
    begun: int
    unheard: list[int]
    """Requests of connections that were reset before anything came back."""


def traffic(running: Relay, requests: int, answered: Path, seen: Seen) -> Report:
    """All clients until they are done; what is observed is taken meanwhile."""
    words = (1, requests, answered, running.port, *running.further_ports)
    with _module("faults.swap_clients", *words, stdout=subprocess.PIPE) as clients:
        try:
            while clients.poll() is None:
                seen.take(running)
                with suppress(subprocess.TimeoutExpired):
                    clients.wait(0.05)
        finally:
            clients.kill()
        assert clients.stdout
        return Report(**json.load(clients.stdout))


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param(10**5, id="a hundred thousand", marks=FAULT),
        pytest.param(10**6, id="a million", marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
    ],
)
def test_everybody_gets_their_own_answer_and_the_observer_pairs_it_with_its_request(
    tmp_path: Path, requests: int, own_clients: OwnClients, capfd: pytest.CaptureFixture[str]
) -> None:
    asked, answered = tmp_path / "asked", tmp_path / "answered"
    for marks in (asked, answered):
        marks.write_bytes(bytes(requests + SPARE))
    seen = Seen(requests + SPARE)
    with (
        places(asked) as where,
        relay(where.server, further=(where.refusing, where.full), connect_timeout=CONNECT_TIMEOUT_S) as running,
    ):
        descriptors = running.descriptors()
        report = traffic(running, requests, answered, seen)
        running.settled()
        seen.take(running)
        assert report.wrong == seen.wrong == []
        assert set(swap_clients.KINDS) < set(report.count), "all that may happen did"
        _is_accounted(running, report, seen)
        eventually(lambda: running.descriptors() <= descriptors + 2, what="descriptors given back")
    were_asked, were_answered = asked.read_bytes(), answered.read_bytes()
    for number in range(requests + SPARE):
        assert were_answered[number] <= seen.numbers[number] <= were_asked[number], number
    # A kernel resets whom it let into a queue that stayed full. Who was heard by the server is not reset.
    assert not [number for number in report.unheard if were_asked[number]]
    assert len(report.unheard) < requests // 1000
    assert sum(were_answered) > 0.9 * requests
    assert sum(were_asked) <= seen.count + sum(running.incomplete().values())
    assert "Traceback" not in capfd.readouterr().err
    own_clients.saw(report.begun, unanswered=report.begun - sum(were_answered), wrong=len(report.wrong))
    own_clients.say("every exchange observed is one request and its own answer")


def _is_accounted(running: Relay, report: Report, seen: Seen) -> None:
    slot = running.slot
    assert slot(Slot.OFFERED) == seen.count
    assert slot(Slot.RING_FULL) == running.reader.corrupt == 0
    assert running.unobservable() == {}
    assert slot(Slot.CONNECTIONS) == sum(report.count[kind] for kind in swap_clients.KINDS)
    assert slot(Slot.CONNECT_ERRORS) >= report.count[swap_clients.REFUSED]
