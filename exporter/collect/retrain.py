"""Who was asked to train a model again, how near the others are, and what became of events."""

from collections.abc import Iterator, Mapping
from typing import Final

from exporter import catalogue
from exporter.collect.exposition import Samples
from exporter.collect.scene import Page
from exporter.families import Family
from exporter.retrained import STATES, Retrained

_OF: Final = catalogue.RETRAIN


def collect(page: Page) -> Iterator[Samples]:
    """Families of asking, where anybody is asked at all."""
    told = page.health.retrain
    if told is not None:
        yield from _models(page, told)
        yield from _events(told)


def _models(page: Page, told: Retrained) -> Iterator[Samples]:
    known = [(one.labels, told.models[one.labels]) for one in page.scenes if one.visible and one.labels in told.models]
    yield Samples(
        _OF.state, [((*of, word), int(one.state == word)) for of, one in known for word in STATES]
    )  # fmt: skip
    yield Samples(_OF.ratio, [((*of, kind), value) for of, one in known for kind, value in one.ratios.items()])
    yield Samples(_OF.held, [(of, one.held_s) for of, one in known])
    yield Samples(_OF.asked, [(of, one.asked_wall_s) for of, one in known if one.asked_wall_s])
    yield Samples(_OF.advice, [((*of, one.advice), 1) for of, one in known if one.advice])


def _events(told: Retrained) -> Iterator[Samples]:
    yield _each(_OF.events, told.events)
    yield Samples(_OF.waiting, [((), told.waiting)])
    yield Samples(_OF.retries, [((), told.retried)])
    yield _each(_OF.failures, told.failures)
    yield _each(_OF.suppressed, told.suppressed)
    if told.alerts is not None:
        yield _each(_OF.alerts, told.alerts)


def _each(family: Family, counts: Mapping[str, int]) -> Samples:
    return Samples(family, [((word,), count) for word, count in counts.items()])
