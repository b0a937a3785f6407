"""Joined rows of each task, drawn at random, and what scikit-learn is told of them."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.performance.measures import measured
from exporter.performance.tally import Tally
from exporter.performance.task import Rows, Task

Floats = NDArray[np.float64]
BINARY: Final = Task("binary", scores=("score",), classes=("no", "yes"))
LABELS: Final = Task("binary", label="answer", classes=("no", "yes"))
MULTICLASS: Final = Task("multiclass", scores=("a", "b", "c", "d"), classes=("a", "b", "c", "d"))
MANY: Final = Task("multiclass", label="answer", classes=tuple(f"c{at:02d}" for at in range(40)))
REGRESSION: Final = Task("regression", label="price", centre=10.0, unit=3.0)
RANKING: Final = Task("ranking", ranks=5)
TASKS: Final = {
    "binary": BINARY,
    "labels": LABELS,
    "multiclass": MULTICLASS,
    "many": MANY,
    "regression": REGRESSION,
    "ranking": RANKING,
}


def drawn(task: Task, rows: int, seed: int = 0, *, weights: bool = False) -> Rows:
    """Rows of a model that is neither perfect nor useless."""
    random = np.random.default_rng([seed, rows, len(task.classes)])
    weight = np.round(random.lognormal(0.0, 1.0, rows), 6) if weights else np.ones(rows)
    if task.kind == "regression":
        true = random.normal(11.0, 3.0, rows)
        return Rows((true + random.standard_t(4, rows))[:, None], true, weight)
    if task.kind == "ranking":
        relevant = random.integers(0, 4, (rows, 8)) * (random.random((rows, 8)) < 0.3)
        return Rows(np.zeros((rows, 1)), relevant.astype(np.float64), weight)
    return _classes(task, random, weight)


def _classes(task: Task, random: np.random.Generator, weight: Floats) -> Rows:
    rows, classes = len(weight), len(task.classes)
    scores = random.dirichlet(np.full(classes, 0.6), rows)
    drawn_ = (scores.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1)
    true = np.where(random.random(rows) < 0.8, drawn_, random.integers(0, classes, rows)).clip(0, classes - 1)
    shown = (scores[:, 1:] if task.kind == "binary" else scores) if task.scores else np.empty((rows, 0))
    label = task.labels(shown) if task.scores else scores.argmax(axis=1)
    return Rows(np.column_stack((label, shown)), true.astype(np.float64), weight)


def numbers(task: Task, rows: Rows, **more: Any) -> dict[tuple[str, ...], float]:
    """Every measure's value, by its name and labels."""
    found = measured(task, Tally(task).of(rows), **more)
    return {(one.name, *one.labels): one.value for one in found}
