"""What becomes of traffic and accounts while the analyser dies, hangs, or finds damaged memory."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from faults.stage import SETTLED_S, Case, Stage, fault, stage
from support import eventually

from exporter.handoff.tally import HEAD_BYTES, Slot


def _next_analyser(scene: Stage, before: int) -> None:
    eventually(lambda: scene.analyser not in {0, before}, SETTLED_S, "the next analyser")
    eventually(lambda: scene.running.get(scene.running.web_port, "/-/ready")[0] == 200, SETTLED_S, "its first page")


@fault(7, "Analyser crashes again and again", "SIGSEGV, SIGABRT and SIGKILL to the analyser, each time it is back")
def test_crashes_of_the_analyser_cost_no_request_and_no_count(shared: Stage, case: Case) -> None:
    worker = shared.worker
    with case.streaming(shared.running):
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL):
            pid = shared.analyser
            os.kill(pid, number)
            _next_analyser(shared, pid)
    case.unharmed()
    case.accounted(lost={"analyser_lost"})
    assert case.tell("process_restarts_total", process="analyser", reason="signalled") == 3
    assert case.moved("exchanges_observed_total") > 0
    case.say('what was taken and not yet counted: `exchanges_dropped_total{reason="analyser_lost"}`')
    assert shared.worker == worker


def _stopped(scene: Stage, case: Case, seconds: float) -> None:
    pid = scene.analyser
    with case.streaming(scene.running):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(pid, signal.SIGCONT)
    case.unharmed()
    case.accounted(lost={"ring_full"})
    assert scene.analyser == pid, "it was not given up"
    assert case.moved("process_restarts_total") == 0
    payloads = case.moved("payloads_decoded_total", side="request")
    unread = case.moved("payloads_undecoded_total", side="request")
    assert payloads + unread == case.moved("exchanges_observed_total")
    assert unread == case.moved("payloads_undecoded_total", side="request", reason="sampled") + case.moved(
        "payloads_undecoded_total", side="request", reason="shed"
    )
    if unread:
        case.tell("bodies_shed_total", exact=False)
    else:
        case.say("everything waited in the ring and was decoded afterwards")


@fault(8, "Analyser hangs for 8 s", "SIGSTOP, 8 s, SIGCONT")
def test_an_analyser_that_is_stopped_for_a_while_catches_up(shared: Stage, case: Case) -> None:
    _stopped(shared, case, 8)


@pytest.mark.slow
@fault(8, "Analyser hangs for 60 s", "SIGSTOP, 60 s, SIGCONT; the ring is full long before")
def test_an_analyser_that_is_stopped_for_a_minute_catches_up(shared: Stage, case: Case) -> None:
    _stopped(shared, case, 60)
    assert case.moved("bodies_shed_total") > 0


@pytest.mark.slow
@fault(8, "Analyser hangs for ever", "SIGSTOP and nothing else")
def test_an_analyser_that_hangs_for_ever_is_replaced(shared: Stage, case: Case) -> None:
    pid = shared.analyser
    with case.streaming(shared.running):
        os.kill(pid, signal.SIGSTOP)
        eventually(lambda: shared.analyser != pid, 2 * SETTLED_S, "the end of this one")
        _next_analyser(shared, pid)
    case.unharmed()
    case.accounted(lost={"ring_full", "analyser_lost"})
    assert case.tell("process_restarts_total", process="analyser", reason="hung") == 1


@fault(9, "Analyser out of memory", "a leak of 32 MiB every tenth of a second, from within; the limit is 512 MiB")
def test_an_analyser_out_of_memory_is_replaced(profile: Path, case: Case) -> None:
    with stage(profile, "--analyser.memory-limit", "512MiB", sabotage="leak") as scene:
        pid, worker = scene.analyser, scene.worker
        with case.streaming(scene.running):
            os.kill(pid, signal.SIGUSR2)
            _next_analyser(scene, pid)
        case.unharmed()
        case.accounted(lost={"analyser_lost"})
        assert case.tell("process_restarts_total", process="analyser", reason="memory") == 1
        assert scene.worker == worker


@fault(13, "Damaged records between the processes", "200 random bits of what waits in the ring are flipped")
def test_damaged_records_are_skipped_and_counted(shared: Stage, case: Case) -> None:
    [ring], draw = shared.rings, random.Random(13)
    pid = shared.analyser
    with case.streaming(shared.running):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1)
        tail, head = ring.slots[Slot.TAIL], ring.slots[Slot.HEAD]
        for _ in range(200):
            at = HEAD_BYTES + draw.randrange(tail, head) % ring.capacity
            ring.block[at] ^= 1 << draw.randrange(8)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.5)
    case.unharmed()
    case.accounted(lost={"corrupt"})
    assert case.tell("exchanges_dropped_total", exact=False, reason="corrupt") > 0
    assert case.moved("process_restarts_total") == 0
    assert shared.analyser == pid
