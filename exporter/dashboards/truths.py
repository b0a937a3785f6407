"""The words of queries about late truth: measures of one window, beside their intervals and the training's value."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from exporter import catalogue as c
from exporter.dashboards.pieces import Query
from exporter.dashboards.queries import of
from exporter.families import Family
from exporter.rules import files, measures

SPAN: Final = str(files.defaults()["performance.window"])
"""The window that the rules look at."""
ARRIVED: Final = {"by": "arrival", "window": SPAN}
JUDGED: Final = (*measures.HIGHER_IS_BETTER, *measures.LOWER_IS_BETTER)
"""Measures that are held against the training's."""
NOT_TOLD: Final = {"noValue": "no truth has been told (POST /feedback), or not enough of it"}


def known(family: Family, apart: str = "", **labels: str) -> str:
    """A measure, one for each of some labels, as the average of the replicas: each of its own truths, if enough."""
    enough = f"{of(c.PERFORMANCE.sufficient, **labels)} == 1"
    same = f"on (job, instance, model, model_version{', by' * ('by' in family.labels)}, window)"
    grouped = f"avg by ({apart})" if apart else "avg"
    return f"{grouped} ({of(family, **labels)} and {same} {enough})"


def by_measure(families: Mapping[str, Family], among: Iterable[str] = JUDGED, **labels: str) -> str:
    """Several measures as series of one answer, by label `measure`."""
    listed = (_named(known(families[word], **labels), word) for word in among if word in families)
    return " or ".join(listed)


def beside_training(among: Sequence[str]) -> list[Query]:
    """Measures of the truths that came, each with the training's beside it."""
    live = by_measure(c.PERFORMANCE.values, among, **ARRIVED)
    known_of = f"max by (measure) ({in_training()}) and on (measure) ({live})"
    return [Query(live, "{{measure}}"), Query(known_of, "{{measure}} in training")]


def in_training() -> str:
    """What the training had, likewise."""
    training = c.PERFORMANCE.training
    return " or ".join(_named(f"{measures.least(word)}({of(training[word])})", word) for word in JUDGED)


def _named(expr: str, word: str) -> str:
    return f'label_replace({expr}, "measure", "{word}", "", "")'
