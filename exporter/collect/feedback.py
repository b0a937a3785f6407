"""How truth comes, what became of it, and how the store is in which predictions wait for it."""

from collections.abc import Iterator, Mapping
from typing import Final

from exporter import catalogue
from exporter.collect.exposition import Samples
from exporter.collect.scene import Page
from exporter.condition import FeedbackCounts
from exporter.families import Family

_OF: Final = catalogue.FEEDBACK


def collect(page: Page) -> Iterator[Samples]:
    """Families of feedback, where it is taken at all."""
    counts = page.health.feedback
    if counts is not None:
        yield from _truths(counts)
        yield from _predictions(counts)
        yield from _store(counts)


def _one(family: Family, value: float) -> Samples:
    return Samples(family, [((), value)])


def _each(family: Family, counts: Mapping[str, int]) -> Samples:
    return Samples(family, [((word,), count) for word, count in counts.items()])


def _truths(counts: FeedbackCounts) -> Iterator[Samples]:
    yield _one(_OF.received, counts.truths)
    yield _each(_OF.truths, counts.told)
    yield _each(_OF.unawaited, counts.told_later)
    yield _one(_OF.lost, counts.lost)
    yield _one(_OF.refused, counts.refused)
    yield _one(_OF.waiting, counts.truths_waiting)
    yield _each(_OF.early, counts.waited)
    yield _one(_OF.found_early, counts.found_early)


def _predictions(counts: FeedbackCounts) -> Iterator[Samples]:
    yield _one(_OF.offered, counts.predictions)
    yield _each(_OF.predictions, {"kept": counts.kept, "known": counts.known})
    yield _each(_OF.dropped, counts.dropped)
    yield _one(_OF.predictions_waiting, counts.predictions_waiting)
    yield _one(_OF.found, counts.found)
    yield _one(_OF.joined, counts.joined_since)
    yield _one(_OF.strangers, counts.strangers)
    yield _each(_OF.gone, counts.gone)


def _store(counts: FeedbackCounts) -> Iterator[Samples]:
    yield Samples(_OF.store, [((counts.store,), 1)])
    yield _one(_OF.store_up, int(counts.up))
    yield _each(_OF.store_predictions, {"open": counts.open, "joined": counts.joined})
    yield _one(_OF.store_early, counts.early)
    if counts.bytes:
        yield _one(_OF.store_bytes, counts.bytes)
    yield _one(_OF.store_errors, counts.failures)
    yield _one(_OF.store_set_aside, counts.set_aside)
    yield _one(_OF.buffered, counts.buffer_bytes)
    yield _one(_OF.buffer_limit, counts.buffer_limit_bytes)
