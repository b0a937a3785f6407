"""Costs of predicting one class where another is true, as a matrix of a task's classes."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from exporter.costing import Cost
from exporter.errors import ConfigError
from exporter.performance.task import OTHER, Task
from exporter.values import nearest


def matrix(costs: tuple[Cost, ...], task: Task) -> NDArray[np.float64]:
    """By true class and predicted one, OTHER the last; 0 where nothing is said, and of classes that are not known."""
    size = len(task.classes) + 1
    found = np.zeros((size, size))
    for cost in costs:
        if _known(cost.actual, task) and _known(cost.predicted, task):
            found[int(task.code(cost.actual)), int(task.code(cost.predicted))] = cost.cost
    return found


def unknown(costs: tuple[Cost, ...], task: Task) -> Iterator[str]:
    """What is wrong where costs are of classes that the task does not have, or the task has none."""
    if costs and not task.is_classification:
        yield f"performance.costs: nothing costs anything of a model whose task is {task.kind}"
        return
    for at, cost in enumerate(costs):
        for word, name in (("actual", cost.actual), ("predicted", cost.predicted)):
            if not _known(name, task):
                hint = nearest(name, {*task.classes, OTHER})
                yield f"performance.costs[{at}].{word}: there is no class {name}{hint}"


def refuse_unknown(costs: tuple[Cost, ...], task: Task) -> None:
    """ConfigError, of the first."""
    for fault in unknown(costs, task):
        raise ConfigError(fault)


def are_of(costs: tuple[Cost, ...], task: Task) -> bool:
    """Whether any of them is of two classes of the task: settings are of several models, maybe."""
    return any(_known(cost.actual, task) and _known(cost.predicted, task) for cost in costs)


def _known(name: str, task: Task) -> bool:
    return name == OTHER or task.code(name) < len(task.classes)
