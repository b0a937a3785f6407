"""What the exporter says of itself on a page with everything on it: from a real ring and board, number by number."""

import itertools
from collections.abc import Iterator
from typing import Final

from exporter.checked import CaseChecked, GoldenChecked, VersionChecked
from exporter.condition import DependencyState, EventCounts, FeedbackCounts, Health, ProcessVitals, Web, WebFile
from exporter.golden.cases import REASONS
from exporter.handoff import board, report, ring
from exporter.handoff.board import Seat
from exporter.handoff.ring import Ring
from exporter.handoff.tally import INCOMPLETE, UNOBSERVABLE, Slot
from exporter.records import (
    DEPENDENCY_FAILURES,
    DURATION_BOUNDS,
    HOP_BOUNDS,
    RESTART_REASONS,
    STATE_ERRORS,
    WEB_REFUSALS,
)
from exporter.retrained import ALERT_OUTCOMES, COOLING, FAILURES, FIRED, SUPPRESSIONS, ModelRetrain, Retrained
from exporter.retrained import OUTCOMES as EVENT_OUTCOMES
from exporter.retraining import KINDS
from exporter.snapshots import Histogram
from exporter.truths import GONE, OUTCOMES, PREDICTION_LOSSES, WAITED
from exporter.witnessed import LINE_LOSSES, SPAN_LOSSES, Carried, Witnessed

STARTED_S: Final = 1_699_999_200.0
"""Unix time when the clock of exchanges showed 0: a full hour."""
LATER_S: Final = STARTED_S + 1e7


def health(events: EventCounts, now: float) -> Health:
    """From a ring and a board on which every number is another one."""
    rings, seats = [Ring(ring.create(1 << 20))], board.attach(board.create())
    slots = rings[0].slots
    for number, slot in enumerate(slot for slot in Slot if slot not in {Slot.MAGIC, Slot.CAPACITY, Slot.PAUSED}):
        slots[slot] = 100 + number
    slots[Slot.TAIL], slots[Slot.HALVINGS] = slots[Slot.HEAD] - 50, 1
    for first, count in (
        (Slot.UNOBSERVABLE, len(UNOBSERVABLE)), (Slot.INCOMPLETE, len(INCOMPLETE)),
        (Slot.RESTARTS, len(RESTART_REASONS)), (Slot.DURATION_BUCKETS, len(DURATION_BOUNDS) + 1),
        (Slot.HOP_BUCKETS, len(HOP_BOUNDS) + 1),
    ):  # fmt: skip
        for place in range(count):
            slots[first + place] = 10 + place
    slots[Slot.CODES], slots[Slot.CODES + 100], slots[Slot.CODES + 304], slots[Slot.CODES + 500] = 0, 90, 4, 1
    for number, seat in enumerate(Seat):
        seats[seat] = number
    for first, count in ((Seat.ANALYSER_RESTARTS, len(RESTART_REASONS)), (Seat.STATE_ERRORS, len(STATE_ERRORS))):
        for place in range(count):
            seats[first + place] = 10 + place
    seats[Seat.RELOADED_WALL_NS] = seats[Seat.STATE_KEPT_WALL_NS] = seats[Seat.PROFILE_FOUND_WALL_NS] = _ns(STARTED_S)
    told = report.processes(seats, rings)
    names = ("supervisor", "analyser", "worker-0")
    return Health(
        started_wall_s=STARTED_S, observed=71, relay=report.relay(rings, 5, 2),
        snapshot_wall_s=now, snapshot_seconds=0.25,
        processes={name: ProcessVitals(1.5 + at, 30_000_000 + at, STARTED_S + at) for at, name in enumerate(names)},
        ring_fill={"worker-0": 0.125}, events=events, feedback=_feedback(), dependencies=tuple(_dependencies()),
        golden=_golden(), owner="payments", retrain=_retrained(), witnessed=_witnessed(),
        web=Web({reason: 1 + at for at, reason in enumerate(WEB_REFUSALS)}, WebFile(True, STARTED_S + 3, LATER_S)),
        **told | {"heartbeats": dict.fromkeys(told["heartbeats"], STARTED_S + 7)},
    )  # fmt: skip


def _witnessed() -> Witnessed:
    """Of both more was offered than has arrived."""
    spans = {reason: 3 + at for at, reason in enumerate(SPAN_LOSSES)}
    lines = {reason: 7 + at for at, reason in enumerate(LINE_LOSSES)}
    return Witnessed(Carried(4000, 3900, spans), Carried(5000, 4800, lines))


def _feedback() -> FeedbackCounts:
    """In which every number is another one."""
    number = itertools.count(1000)

    def each(words: tuple[str, ...]) -> dict[str, int]:
        return {word: next(number) for word in words}

    groups = {
        "dropped": each(PREDICTION_LOSSES), "gone": each(GONE), "told": each(OUTCOMES), "told_later": each(OUTCOMES),
        "waited": each(WAITED),
    }  # fmt: skip
    alone = set(FeedbackCounts.__slots__) - {*groups, "store", "up"}
    return FeedbackCounts(store="sqlite", up=True, **groups, **each(tuple(sorted(alone))))


def _dependencies() -> Iterator[DependencyState]:
    failures = {reason: 1 + at for at, reason in enumerate(DEPENDENCY_FAILURES)}
    none = dict.fromkeys(DEPENDENCY_FAILURES, 0)
    yield DependencyState("features", "https://features", "", "", 0.03, STARTED_S + 50, 20, none, LATER_S)
    yield DependencyState("redis", "tcp://redis:6379", "refused", "nothing listens", 0.001, 0.0, 90, failures)
    yield DependencyState("new", "tcp://new:1", None, failures=none)


def _golden() -> GoldenChecked:
    """A version that answers one of three cases wrongly, and one that answers all wrongly for the first time."""
    failed = {reason: 20 + at for at, reason in enumerate(REASONS)}
    histogram = Histogram(tuple(range(len(DURATION_BOUNDS) + 1)), 12.5)
    cases = (CaseChecked("a new customer", 0), CaseChecked("no age", 4, "value", "/0: expected 1, got 2"))
    first = VersionChecked("shop", "3", 3, {1: 1, 2: 1, 3: 1}, cases, 900, failed, histogram, STARTED_S + 60)
    all_wrong = VersionChecked("shop", "4", 1, {1: 1, 2: 0, 3: 0}, cases[1:], 0, failed, histogram, 0.0)
    return GoldenChecked(60.0, 3, "", 302, 2, STARTED_S + 90, (first, all_wrong))


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _retrained() -> Retrained:
    """Two models: of one somebody was asked, the other one cools."""
    number = itertools.count(2000)

    def each(words: tuple[str, ...]) -> dict[str, int]:
        return {word: next(number) for word in words}

    ratios = {kind: 0.25 + at for at, kind in enumerate(KINDS)}
    models = {
        ("shop", "7"): ModelRetrain(FIRED, 4000.5, ratios, "retrain", STARTED_S + 11),
        ("shop", "8"): ModelRetrain(COOLING, 0.0, {KINDS[0]: 0.5}),
    }
    return Retrained(
        models, each(EVENT_OUTCOMES), 3, 17, each(FAILURES), each(SUPPRESSIONS), each(ALERT_OUTCOMES)
    )  # fmt: skip
