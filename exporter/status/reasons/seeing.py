"""Reasons that are blindness: too little of what a model is asked is seen to say how it is."""

from collections.abc import Iterator
from typing import Final

from exporter.records import SIDES
from exporter.status.facts import BLIND, Reason
from exporter.status.seen import Seen
from exporter.status.wording import clock, share, span

OFF: Final = "ObservationOff"
NO_PROFILE: Final = "NoProfile"
IGNORED: Final = "AllIgnored"
UNWATCHED: Final = "Unwatched"
_WHAT: Final = {"request": "requests", "response": "answers"}


def reasons(seen: Seen) -> Iterator[Reason]:
    """Why it is not seen, what hides most first."""
    health = seen.view.page.health
    if health.relaying and not health.relay.observing:
        yield Reason(OFF, BLIND, "Observation is switched off: requests are relayed, and nobody looks.")
    yield from _reference(seen)
    yield from _ignored(seen)
    yield from _mismatched(seen)
    yield from _undecoded(seen)
    yield from _covered(seen)
    yield from _idle(seen)


def _reference(seen: Seen) -> Iterator[Reason]:
    if seen.view.scene.is_other:
        words = "These are all models that nobody watches: what they are asked is counted, and compared with nothing."
        yield Reason(UNWATCHED, BLIND, words)
    elif seen.view.scene.profile is None and seen.view.key not in seen.view.page.collecting:
        yield Reason(NO_PROFILE, BLIND, "There is no reference profile: what it is asked is compared with nothing.")


def _ignored(seen: Seen) -> Iterator[Reason]:
    if seen.view.sides and all(bool(side.ignored.all()) for side in seen.view.sides):
        yield Reason(IGNORED, BLIND, "All features and outputs are ignored, as overrides say.")


def _mismatched(seen: Seen) -> Iterator[Reason]:
    for side in SIDES:
        least = seen.limit("payloads.mismatched_least")
        ratio = seen.quarter.ratio(f"{side} mismatched", f"{side} payloads", least)
        if ratio is not None and ratio > seen.limit("payloads.mismatched"):
            words = f"{share(ratio)} of the {_WHAT[side]} do not have the columns of the profile."
            yield seen.reason("ModelProfileMismatch", words)


def _undecoded(seen: Seen) -> Iterator[Reason]:
    """A ticket; and no more than blindness where what cannot be read is most of it."""
    for side in SIDES:
        offered, undecoded = seen.quarter.of(f"{side} offered"), seen.quarter.of(f"{side} undecoded")
        ratio = undecoded / offered if offered else 0.0
        words = f"{share(ratio)} of the {_WHAT[side]} of the last minutes could not be decoded."
        if offered >= seen.limit("payloads.mismatched_least") and ratio > 1 - seen.limit("payloads.coverage_below"):
            yield seen.reason("ModelPayloadsUndecodable", words, verdict=BLIND)
        elif offered >= seen.limit("payloads.undecodable_least") and ratio > seen.limit("payloads.undecodable"):
            yield seen.reason("ModelPayloadsUndecodable", words)


def _covered(seen: Seen) -> Iterator[Reason]:
    served, counts = seen.hour.of("served"), seen.hour
    if served < seen.limit("payloads.coverage_least"):
        return
    lost = counts.ratio("dropped", "offered") or 0.0
    ratio = counts.of("observed") / served * max(1 - lost, 0.0)
    if ratio < seen.limit("payloads.coverage_below"):
        yield seen.reason("ModelCoverageLow", f"Only {share(ratio)} of the rows of the last hour were seen.")


def _idle(seen: Seen) -> Iterator[Reason]:
    """For how long nothing must come the alert knows; that it usually does come, a week of Prometheus' does alone."""
    last = seen.view.last_s
    idle_s = seen.view.now - last
    if last and idle_s >= seen.limit("traffic.stopped_seconds"):
        words = f"No request has come for {span(idle_s)}: all of this is as it was at {clock(last, seen.view.now)}."
        yield seen.reason("ModelTrafficStopped", words, last)
