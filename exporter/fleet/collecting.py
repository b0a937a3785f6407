"""What is known of fleets as families: what `fleet` shows on /metrics."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from exporter import catalogue
from exporter.collect.exposition import Labels, Samples
from exporter.families import FLEET, Family
from exporter.fleet.answers import Place
from exporter.fleet.poller import Poller
from exporter.fleet.watched import Told

_SIDES: Final = (catalogue.FLEET_FEATURES, catalogue.FLEET_OUTPUTS)
_OF_FLEETS: Final[tuple[tuple[Family, Callable[[Told], float]], ...]] = (
    (catalogue.FLEET_EVIDENCE, lambda one: one.verdict.nats),
    (catalogue.FLEET_THRESHOLD, lambda one: one.verdict.threshold),
    (catalogue.FLEET_SLOW_EVIDENCE, lambda one: one.verdict.slow_nats),
    (catalogue.FLEET_SLOW_THRESHOLD, lambda one: one.verdict.slow_threshold),
    (catalogue.FLEET_READY, lambda one: one.is_ready),
    (catalogue.FLEET_PAUSED, lambda one: one.verdict.planned),
    (catalogue.FLEET_SINCE, lambda one: one.verdict.began_s),
    (catalogue.FLEET_REPLICAS, lambda one: one.replicas),
    (catalogue.FLEET_ROWS, lambda one: one.rows),
)


def collect(told: Sequence[Told], by: Sequence[str]) -> Iterator[Samples]:
    """Families of all fleets; `by` are the labels that tell them apart."""
    for family, value in _OF_FLEETS:
        yield Samples(_of(family, by), [(one.fleet.labels, float(value(one))) for one in told])
    yield Samples(_of(catalogue.FLEET_DELAY, by), [
        ((*one.fleet.labels, f"{shift:g}"), delay)
        for one in told for shift, delay in one.verdict.delays.items() if math.isfinite(delay)
    ])  # fmt: skip
    for side in range(len(_SIDES)):
        yield from _columns(side, told, by)


def of_itself(poller: Poller, watched: int) -> Iterator[Samples]:
    """What becomes of asking."""
    yield Samples(catalogue.FLEET_PANE, [((), poller.asked_until_s)])
    yield Samples(catalogue.FLEET_PANES_SKIPPED, [((), poller.skipped)])
    yield Samples(catalogue.FLEET_FAILED, [((reason,), count) for reason, count in poller.failed.items()])
    yield Samples(catalogue.FLEET_MODELS, [((), watched)])
    yield Samples(catalogue.FLEET_LEFT_OUT, [((), poller.left_out)])
    yield Samples(catalogue.STATE_ERRORS, [((reason,), count) for reason, count in poller.errors.items()])


def _of(family: Family, by: Sequence[str]) -> Family:
    """With the labels that fleets are told apart by here."""
    return family._replace(labels=(*by, *family.labels[len(FLEET) :]))


def _columns(side: int, told: Sequence[Told], by: Sequence[str]) -> Iterator[Samples]:
    families = _SIDES[side]
    every = [
        (one, at, place) for one in told for at, place in enumerate(one.columns) if place.side == side
    ]  # fmt: skip
    yield Samples(_of(families.evidence, by), [
        (_labels(one, place), max(0.0, float(one.verdict.streams[at]))) for one, at, place in every
    ])  # fmt: skip
    yield Samples(_of(families.tolerance, by), [
        (_labels(one, place), float(one.verdict.tolerance[at])) for one, at, place in every
    ])  # fmt: skip
    yield Samples(_of(families.dependence, by), [
        (_labels(one, place), float(one.verdict.dependence[at])) for one, at, place in every
    ])  # fmt: skip
    named = {one.fleet: one.named for one in told}
    found = [(one, at, place) for one, at, place in every if named[one.fleet][at]]
    yield Samples(_of(families.onset, by), [
        (_labels(one, place), float(one.verdict.onset_s[at])) for one, at, place in found
    ])  # fmt: skip
    yield Samples(
        _of(families.info, by), [((*_labels(one, place), *one.verdict.happened(at)), 1) for one, at, place in found]
    )
    heard = [(one, place, one.faults[place]) for one, _, place in found if place in one.faults]
    yield Samples(_of(families.diagnosis, by), [
        ((*_labels(one, place), fault.code, fault.text), fault.replicas) for one, place, fault in heard
    ])  # fmt: skip


def _labels(one: Told, place: Place) -> Labels:
    return *one.fleet.labels, place.name
