"""How often the intervals of measures have the true value: rows are drawn again and again from models that are known.

`python benchmarks/performance_intervals.py [REPEATS]` prints the tables of docs/performance-intervals.md. What is true
is what four million rows of the same model give; an interval says 95 %.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.costing import Cost
from exporter.performance.measures import MEASURES, measured
from exporter.performance.measures.quantiles import RANKS
from exporter.performance.tally import Tally
from exporter.performance.task import REGRESSION, Rows, Task
from exporter.performed import Measure

Floats = NDArray[np.float64]
Random = np.random.Generator
SIZES: Final = (200, 1000, 5000)
LARGE: Final = 4_000_000
_PART: Final = 250_000


class World(NamedTuple):
    """A model, and what turns out."""

    task: Task
    draw: Callable[[Random, int], Rows]
    costs: tuple[Cost, ...] = ()


def _sigmoid(number: Floats) -> Floats:
    return 1 / (1 + np.exp(-number))


def _binary(base: float, slope: float = 1.0) -> World:
    """Log odds are normal; a slope other than 1 makes scores overconfident or the opposite."""
    task = Task("binary", scores=("score",), classes=("no", "yes"))
    middle = {0.1: -3.0, 0.5: 0.0}[base]

    def draw(random: Random, rows: int) -> Rows:
        odds = random.normal(middle, 1.5, rows)
        score = _sigmoid(slope * odds)
        true = (random.random(rows) < _sigmoid(odds)).astype(np.float64)
        return Rows(np.stack(((score >= 0.5).astype(np.float64), score), axis=1), true, np.ones(rows))

    return World(task, draw, (Cost("yes", "no", 20.0), Cost("no", "yes", 1.0)))


def _multiclass(classes: int, sharp: float, slope: float = 1.0) -> World:
    names = tuple(map(str, range(classes)))
    task = Task("multiclass", scores=names, classes=names)
    lean = np.linspace(0.0, 1.0, classes)

    def draw(random: Random, rows: int) -> Rows:
        odds = random.normal(lean, sharp, (rows, classes))
        shares = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
        scores = np.exp(slope * odds) / np.exp(slope * odds).sum(axis=1, keepdims=True)
        true = (shares.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1).clip(0, classes - 1)
        return Rows(np.column_stack((scores.argmax(axis=1), scores)), true.astype(np.float64), np.ones(rows))

    return World(task, draw)


def _regression(error: Callable[[Random, int], Floats]) -> World:
    task = Task("regression", centre=10.0, unit=2.0)

    def draw(random: Random, rows: int) -> Rows:
        true = random.normal(10.0, 2.0, rows)
        return Rows((true + error(random, rows))[:, None], true, np.ones(rows))

    return World(task, draw)


def _ranking() -> World:
    def draw(random: Random, rows: int) -> Rows:
        fitting = random.beta(1.0, 2.0, (rows, 1))
        relevant = random.random((rows, 10)) < 0.3 * fitting * 0.8 ** np.arange(10)
        return Rows(np.zeros((rows, 1)), relevant * random.integers(1, 4, (rows, 10)).astype(np.float64), np.ones(rows))

    return World(Task("ranking", ranks=5), draw)


def _sampled(world: World) -> World:
    """One in four of the rows that are least likely to be positive is told, and weighs four times as much."""

    def draw(random: Random, rows: int) -> Rows:
        many = world.draw(random, 5 * rows + 100)
        rare = many.said[:, 1] < np.median(many.said[:, 1]) if many.said.shape[1] > 1 else many.true > 10.0
        kept = np.flatnonzero(~rare | (random.random(many.rows) < 0.25))[:rows]
        return Rows(many.said[kept], many.true[kept], np.where(rare[kept], 4.0, 1.0))

    return world._replace(draw=draw)


WORLDS: Final[Mapping[str, World]] = {
    "two classes, half and half": _binary(0.5),
    "two classes, one in ten": _binary(0.1),
    "two classes, one in ten, overconfident": _binary(0.1, 1.5),
    "two classes, one in ten, weights 1 and 4": _sampled(_binary(0.1)),
    "four classes": _multiclass(4, 1.5),
    "four classes, overconfident": _multiclass(4, 1.5, 1.4),
    "four classes, nearly all right": _multiclass(4, 6.0),
    "numbers, normal errors": _regression(lambda random, rows: random.normal(0.1, 1.0, rows)),
    "numbers, errors of Student's t with 5 degrees": _regression(lambda random, rows: random.standard_t(5, rows)),
    "numbers, errors of Student's t with 3 degrees": _regression(lambda random, rows: random.standard_t(3, rows)),
    "numbers, lognormal errors": _regression(lambda random, rows: random.lognormal(0.0, 1.0, rows) - 1.0),
    "numbers, weights 1 and 4": _sampled(_regression(lambda random, rows: random.normal(0.1, 1.0, rows))),
    "orders": _ranking(),
}


def true_values(world: World, rows: int = LARGE, seed: int = 1) -> dict[tuple[str, ...], float]:
    """By the name of a measure and its labels."""
    random, tally = np.random.default_rng(seed), Tally(world.task)
    words, errors, weights = np.zeros(tally.size, np.int64), [], []
    for start in range(0, rows, _PART):
        part = world.draw(random, min(_PART, rows - start))
        words += tally.of(part)
        errors.append(part.said[:, 0] - part.true if world.task.kind == REGRESSION else np.zeros(0))
        weights.append(part.weight)
    found = {(one.name, *one.labels): one.value for one in measured(world.task, words, world.costs)}
    return found | _quantiles(np.concatenate(errors), np.concatenate(weights))


def _quantiles(errors: Floats, weights: Floats) -> dict[tuple[str, ...], float]:
    """Of the raw errors: those of bins are off by up to 1 %."""
    if not errors.size:
        return {}
    values = np.quantile(errors, RANKS, weights=weights, method="inverted_cdf")
    return {("residual_quantile", f"{rank:g}"): float(value) for rank, value in zip(RANKS, values, strict=True)}


class Seen(NamedTuple):
    """Of how many intervals how many missed the true value, on either side; how many there were none of."""

    intervals: int
    low: int
    """Intervals below it."""
    high: int
    none: int

    @property
    def coverage(self) -> float:
        """Share of intervals that have it."""
        return 1 - (self.low + self.high) / max(self.intervals, 1)


def seen(
    world: World, truths: Mapping[tuple[str, ...], float], rows: int, repeats: int, seed: int = 2
) -> dict[tuple[str, ...], Seen]:
    """What became of the intervals of so many draws of so many rows."""
    random, tally = np.random.default_rng([seed, rows]), Tally(world.task)
    found: dict[tuple[str, ...], Seen] = defaultdict(lambda: Seen(0, 0, 0, 0))
    for _ in range(repeats):
        for one in measured(world.task, tally.of(world.draw(random, rows)), world.costs):
            if MEASURES[one.name].interval:
                key = (one.name, *one.labels)
                found[key] = _with(found[key], one, truths[key])
    return found


def _with(so_far: Seen, one: Measure, true: float) -> Seen:
    if not one.lower <= one.upper:
        return so_far._replace(none=so_far.none + 1)
    return Seen(so_far.intervals + 1, so_far.low + (one.upper < true), so_far.high + (one.lower > true), so_far.none)


def tables(worlds: Mapping[str, World], repeats: int, large: int = LARGE) -> Iterator[str]:
    """Lines of the tables, one of each world."""
    for name, world in worlds.items():
        truths = true_values(world, large)
        counted = [seen(world, truths, rows, repeats) for rows in SIZES]
        yield from ("", f"### {name[0].upper()}{name[1:]}", "")
        yield "| measure | true | " + " | ".join(f"n = {rows:,}" for rows in SIZES) + " |"
        yield "|---|---|" + "---|" * len(SIZES)
        for key, true in truths.items():
            if MEASURES[key[0]].interval:
                labels = f"{{{', '.join(key[1:])}}}" if key[1:] else ""
                cells = " | ".join(_cell(found[key]) for found in counted)
                yield f"| `{key[0]}{labels}` | {true:.4g} | {cells} |"


def _cell(one: Seen) -> str:
    return f"{100 * one.coverage:.1f}" if one.intervals else "–"


if __name__ == "__main__":
    for line in tables(WORLDS, int(sys.argv[1]) if sys.argv[1:] else 10_000):
        print(line, flush=True)
