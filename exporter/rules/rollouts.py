"""How versions are held against the stable one: which measures, and which way is worse. Phrases for the rules."""

from typing import Final

from exporter.rules.measures import HIGHER_IS_BETTER, LOWER_IS_BETTER

_VERSION: Final = "cluster, namespace, job, model, model_version"
_REPLICA: Final = f"cluster, namespace, job, instance, {_VERSION.partition('job, ')[2]}"
_OF_WINDOW: Final = '{by="arrival",window="<<performance.window>>"}'
_ENOUGH: Final = f"and on ({_REPLICA}) model_performance_sufficient{_OF_WINDOW} == 1"


def _labelled(expression: str, measure: str) -> str:
    return f'label_replace({expression}, "measure", "{measure}", "", "")'


def _mean(measure: str) -> str:
    """Over replicas, each of which has truths of its own."""
    return _labelled(f"avg by ({_VERSION}) (model_performance_{measure}{_OF_WINDOW} {_ENOUGH})", measure)


def _reach(measure: str) -> str:
    """How far the mean over replicas may be off 95 times of 100: half of each interval, as independent ones add up."""
    whole = f"model_performance_{measure}_upper{_OF_WINDOW} - model_performance_{measure}_lower{_OF_WINDOW} {_ENOUGH}"
    return _labelled(f"sqrt(sum by ({_VERSION}) (({whole}) ^ 2)) / 2 / count by ({_VERSION}) ({whole})", measure)


_MEASURES: Final = (*HIGHER_IS_BETTER, *LOWER_IS_BETTER)
PHRASES: Final = {
    "version": _VERSION,
    "version_performance": "\nor\n".join(map(_mean, _MEASURES)),
    "version_performance_reach": "\nor\n".join(map(_reach, _MEASURES)),
    "more_is_better": "|".join(HIGHER_IS_BETTER),
    "less_is_better": "|".join(LOWER_IS_BETTER),
}
"""For the rules that ask for them."""
