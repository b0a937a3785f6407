"""The workers' counters, added up: the last thing that is known of a worker survives it in its ring."""

import time
from collections.abc import Sequence
from typing import Any

from exporter.condition import ProfilePlace, Relay, State
from exporter.handoff.board import Seat
from exporter.handoff.ring import Ring
from exporter.handoff.tally import INCOMPLETE, UNOBSERVABLE, Slot
from exporter.records import DURATION_BOUNDS, HOP_BOUNDS, RESTART_REASONS, STATE_ERRORS
from exporter.snapshots import Histogram

_CODES = 501


def observe(rings: Sequence[Ring], enabled: bool) -> None:
    """Switch observation by every worker on or off."""
    for ring in rings:
        ring.slots[Slot.PAUSED] = int(not enabled)


def relay(rings: Sequence[Ring], analyser_lost: int, corrupt: int) -> Relay:
    """What all workers together have relayed and lost."""

    def total(slot: int) -> int:
        return sum(ring.slots[slot] for ring in rings)

    # Read before what it must cover: dropped and observed never exceed an offered read afterwards.
    dropped = {
        "ring_full": total(Slot.RING_FULL),
        "worker_lost": total(Slot.WORKER_LOST),
        "analyser_lost": analyser_lost,
        "corrupt": corrupt,
    }
    return Relay(
        observing=not any(ring.slots[Slot.PAUSED] for ring in rings),
        offered=total(Slot.OFFERED),
        dropped=dropped,
        bodies_shed={"memory": total(Slot.BODIES_SHED), "sampled": total(Slot.BODIES_SAMPLED)},
        sampling={f"worker-{at}": 0.5 ** ring.slots[Slot.HALVINGS] for at, ring in enumerate(rings)},
        ring_queued_bytes=sum(ring.slots[Slot.HEAD] - ring.slots[Slot.TAIL] for ring in rings),
        ring_bytes=sum(ring.capacity for ring in rings),
        connections={str(at): ring.slots[Slot.CONNECTIONS] for at, ring in enumerate(rings)},
        connections_open={str(at): ring.slots[Slot.CONNECTIONS_OPEN] for at, ring in enumerate(rings)},
        connect_errors=total(Slot.CONNECT_ERRORS),
        accept_errors={
            "descriptors": total(Slot.ACCEPT_ERRORS_DESCRIPTORS),
            "memory": total(Slot.ACCEPT_ERRORS_MEMORY),
            "tls": total(Slot.ACCEPT_ERRORS_TLS),
            "other": total(Slot.ACCEPT_ERRORS_OTHER),
        },
        closed={
            "max_connections": total(Slot.CLOSED_MAX_CONNECTIONS),
            "head_timeout": total(Slot.CLOSED_HEAD_TIMEOUT),
        },
        bytes_to_server=total(Slot.BYTES_TO_SERVER),
        bytes_to_client=total(Slot.BYTES_TO_CLIENT),
        in_flight=total(Slot.IN_FLIGHT),
        unobservable={reason: total(Slot.UNOBSERVABLE + at) for at, reason in enumerate(UNOBSERVABLE)},
        incomplete={who: total(Slot.INCOMPLETE + at) for at, who in enumerate(INCOMPLETE)},
        codes=_codes([total(Slot.CODES + at) for at in range(_CODES)]),
        duration=Histogram(
            tuple(total(Slot.DURATION_BUCKETS + at) for at in range(len(DURATION_BOUNDS) + 1)),
            total(Slot.DURATION_NS) / 1e9,
        ),
        hop=Histogram(
            tuple(total(Slot.HOP_BUCKETS + at) for at in range(len(HOP_BOUNDS) + 1)), total(Slot.HOP_NS) / 1e9
        ),
        observer_seconds={f"worker-{at}": ring.slots[Slot.OBSERVER_NS] / 1e9 for at, ring in enumerate(rings)},
    )


def processes(seats: "memoryview[int]", rings: Sequence[Ring]) -> dict[str, Any]:
    """What is known of our own processes, for `Health`."""
    workers = {f"worker-{at}": ring.slots for at, ring in enumerate(rings)}
    ahead = time.time() - time.monotonic()  # beats are monotonic, the page speaks of Unix time
    beats = {"analyser": seats[Seat.ANALYSER_HEARTBEAT_NS]}
    beats |= {name: slots[Slot.HEARTBEAT_NS] for name, slots in workers.items()}
    restarts = {("analyser", reason): seats[Seat.ANALYSER_RESTARTS + at] for at, reason in enumerate(RESTART_REASONS)}
    for name, slots in workers.items():
        restarts |= {(name, reason): slots[Slot.RESTARTS + at] for at, reason in enumerate(RESTART_REASONS)}
    lost = {
        "supervisor": seats[Seat.SUPERVISOR_LOG_LINES_LOST],
        "analyser": seats[Seat.ANALYSER_LOG_LINES_LOST],
        **{name: slots[Slot.LOG_LINES_LOST] for name, slots in workers.items()},
    }
    return {
        "restarts": restarts, "log_lines_lost": lost,
        "heartbeats": {name: ahead + beat / 1e9 for name, beat in beats.items() if beat},
        "reload_successful": not seats[Seat.RELOAD_FAILED], "reloaded_wall_s": seats[Seat.RELOADED_WALL_NS] / 1e9,
        "state": _state(seats), "profile": _place(seats), "profile_errors": seats[Seat.PROFILE_ERRORS],
    }  # fmt: skip


def _place(seats: "memoryview[int]") -> ProfilePlace | None:
    if not seats[Seat.PROFILE_LOOKED]:
        return None
    return ProfilePlace(
        bool(seats[Seat.PROFILE_FOUND]), seats[Seat.PROFILE_FOUND_WALL_NS] / 1e9, bool(seats[Seat.PROFILE_KEPT])
    )  # fmt: skip


def _state(seats: "memoryview[int]") -> State:
    return State(
        bool(seats[Seat.STATE_RESTORED]),
        seats[Seat.STATE_KEPT_WALL_NS] / 1e9,
        seats[Seat.STATE_KEPT_BYTES],
        {reason: seats[Seat.STATE_ERRORS + at] for at, reason in enumerate(STATE_ERRORS)},
    )


def _codes(counts: Sequence[int]) -> dict[str, int]:
    seen = {str(100 + at): count for at, count in enumerate(counts[:-1]) if count}
    return {"200": 0} | seen | ({"other": counts[-1]} if counts[-1] else {})
