"""How good a model turned out to be, and what its scores alone say of that."""

from collections.abc import Iterable, Iterator, Mapping

from exporter.collect.performance import named
from exporter.performed import Estimated, Judged, Measure, Performed
from exporter.status.facts import MeasureFacts, PerformanceFacts
from exporter.status.known import known
from exporter.status.view import View

_WORSE_IF_HIGHER = ("loss", "brier", "mae", "rmse", "mape", "error")
_CONFUSION = "confusion_rows"
"""Are counts, and as many as classes squared."""
_BY = "arrival"
"""By when truths came: what is said of a day does not change a week later."""


def of(view: View) -> tuple[PerformanceFacts, ...]:
    """Window by window, by when truths came; then the estimates."""
    found = view.scene.snapshot.performed
    return (*(_judged(found) if found else ()), *_estimated(view))


def _judged(found: Performed) -> Iterator[PerformanceFacts]:
    trained = _trained(found)
    for one in found.judged:
        if one.by == _BY and one.samples:
            measures = tuple(_measures(one, trained))
            yield PerformanceFacts(found.task, one.window, one.samples, one.predicted, one.sufficient, measures)


def _estimated(view: View) -> Iterator[PerformanceFacts]:
    performed = view.scene.snapshot.performed
    task, trained = (performed.task, _trained(performed)) if performed else ("", {})
    for one in view.scene.snapshot.estimated:
        if measures := tuple(_measures(one, trained)):
            yield PerformanceFacts(task, one.window, one.samples, one.samples, True, measures, estimated=True)


def _measures(one: Judged | Estimated, trained: Mapping[str, float]) -> Iterator[MeasureFacts]:
    """Of classes those that have series of their own."""
    classes = set(named([one]))
    for measure in one.measures:
        value = known(measure.value)
        is_shown = not measure.labels or bool(classes & set(measure.labels))
        if value is not None and is_shown and measure.name != _CONFUSION:
            name = " ".join((measure.name, *measure.labels))
            of_training = None if measure.labels else trained.get(measure.name)
            yield MeasureFacts(name, value, known(measure.lower), known(measure.upper), of_training)


def _trained(found: Performed) -> Mapping[str, float]:
    """Of several values of one measure the worst: of its own rows training promises more than it can keep."""
    return worst_of(found.training)


def worst_of(training: Iterable[tuple[str, str, float]]) -> Mapping[str, float]:
    """By measure."""
    found: dict[str, float] = {}
    for measure, _, value in training:
        worse = max if any(word in measure for word in _WORSE_IF_HIGHER) else min
        found[measure] = worse(found.get(measure, value), value)
    return found


def of_name(measures: Iterable[Measure], name: str) -> Measure | None:
    """The one of all classes together."""
    return next((one for one in measures if one.name == name and not one.labels), None)
