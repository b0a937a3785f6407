"""The truth of a table: which classes or numbers it has, and which of the outputs say it."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from exporter.errors import ConfigError, DataError
from exporter.performance.answers import Classes, in_order, is_share, probabilities, sum_to_one, valued
from exporter.performance.task import BINARY, MULTICLASS, REGRESSION, Task
from exporter.profile import categories
from exporter.profile.builder import ColumnBuilder
from exporter.profile.plan import Plan
from exporter.reference import Column
from exporter.sketch.binning import category_name
from exporter.target import MOST_CLASSES, Target
from exporter.values import nearest

_PAIR: Final = 2
_THRESHOLD: Final = 0.5


class Aimed(NamedTuple):
    """What is predicted, or why nobody knows."""

    target: Target | None
    note: str = ""
    """For people; empty where all is well."""


NOTHING: Final = Aimed(None)
"""Of a table without a truth."""


def of_plan(plan: Plan, builder: ColumnBuilder, outputs: Sequence[Column]) -> Aimed:
    """The truth in a column of a table that has been read once. ConfigError, DataError."""
    plain = [one for one in outputs if not one.scalar and one.kind not in {"text", "embedding"}]
    try:
        column = builder.build(plan.salt if builder.name in plan.hashed else None)[0]
    except ValueError as error:
        raise DataError(f"{plan.source}: {error}") from None
    if column.kind == "text":
        return _nothing(plan, "is text")
    if column.kind == "numeric":
        names = _whole_names(builder)
        if not _are_classes(plan, names, plain):
            return _of_numbers(plan, column, plain)
        column = categories.column(column.name, "categorical", names, builder.missing)
    return _of_classes(plan, column, plain)


def _nothing(plan: Plan, why: str) -> Aimed:
    if plan.positive is not None:
        raise ConfigError(f"--positive {plan.positive}: the target {plan.target!r} {why}")
    return Aimed(None, f"{plan.target}: {why}: how well it is predicted is not in the profile")


# --- numbers


def _whole_names(builder: ColumnBuilder) -> Counter[str]:
    """Numbers by their spelling, where they are so few that each is known; nothing where there are more."""
    numbers = builder.numbers
    if numbers is None or numbers.grid.shift or numbers.grid.cells.size > MOST_CLASSES or numbers.nonfinite:
        return Counter()
    grid = numbers.grid
    values = zip(grid.centres().tolist(), grid.counts.tolist(), strict=True)
    return Counter({category_name(value + 0.0) or "": rows for value, rows in values})


def _are_classes(plan: Plan, names: Counter[str], outputs: Sequence[Column]) -> bool:
    """Whether numbers stand for classes: there are two of them, or the outputs are classes or their probabilities."""
    if plan.kinds.get(plan.target or "") == "numeric" or not 1 < len(names) <= MOST_CLASSES:
        return False
    if len(names) == _PAIR or any(not one.ordered for one in outputs):
        return True
    shares = [one for one in outputs if is_share(one)]
    return len(shares) == len(names) and sum_to_one(shares)


def _of_numbers(plan: Plan, column: Column, outputs: Sequence[Column]) -> Aimed:
    numbers = [one for one in outputs if one.kind == "numeric"]
    if len(numbers) != 1:
        return _nothing(plan, f"is a number, and {len(numbers)} of the outputs are")
    if plan.positive is not None:
        raise ConfigError(f"--positive {plan.positive}: the target {plan.target!r} is a number, not one of two classes")
    return Aimed(Target(column, REGRESSION, numbers[0].name))


# --- classes


def _of_classes(plan: Plan, column: Column, outputs: Sequence[Column]) -> Aimed:
    names = (*column.categories, *column.others)
    names = names if len(names) <= MOST_CLASSES else column.categories
    label = _label(names, outputs)
    classes = in_order({*names, *_said(names, label)})
    if len(classes) < _PAIR:
        return _nothing(plan, "has fewer than two classes")
    kind = BINARY if len(classes) == _PAIR else MULTICLASS
    scores = _scores(classes, [one for one in outputs if one is not label], alone=label is None)
    if not scores and label is None:
        _require_hashed_alike(column, outputs)
        return _nothing(plan, "is a class, and no output is one, or a probability of one")
    ordered = _positive_last(plan, classes, column) if kind == BINARY else classes
    if kind == BINARY and len(scores) == _PAIR:
        scores = (scores[classes.index(ordered[1])],)
    elif plan.positive is not None and kind != BINARY:
        raise ConfigError(f"--positive {plan.positive}: the target {plan.target!r} has {len(classes)} classes, not two")
    threshold = _THRESHOLD if plan.threshold is None else plan.threshold
    return Aimed(Target(column, kind, label.name if label else "", scores, ordered, threshold))


def _require_hashed_alike(column: Column, outputs: Sequence[Column]) -> None:
    for one in outputs:
        if one.kind == column.kind and one.salt != column.salt:
            raise ConfigError(f"--hash: one of {column.name!r} and {one.name!r} is hashed: hash both or neither")


def _label(names: Sequence[str], outputs: Sequence[Column]) -> Column | None:
    """The output that says the class: of those that say one that is known the only one that is no number, or at all."""
    task = Task(MULTICLASS, classes=tuple(names))
    known = [one for one in outputs if any(task.code(name) < len(names) for name in _names(one))]
    named = [one for one in known if not one.ordered]
    return named[0] if len(named) == 1 else known[0] if len(known) == 1 else None


def _names(column: Column) -> tuple[str, ...]:
    return valued(column) if column.ordered else (*column.categories, *column.others)


def _said(names: Sequence[str], label: Column | None) -> set[str]:
    """Classes that were answered and never true."""
    if label is None or not names:
        return set()
    task, said = Task(MULTICLASS, classes=tuple(names)), _names(label)
    new = {name for name in said if task.code(name) == len(names)}
    return new if len(new) + len(names) <= MOST_CLASSES else set()


def _scores(classes: tuple[str, ...], outputs: Sequence[Column], *, alone: bool) -> tuple[str, ...]:
    """The outputs of the classes' probabilities; of two classes a single one where nothing else is answered."""
    shares = [one for one in outputs if is_share(one)]
    found = Classes(classes).scores(probabilities(shares, len(classes)))
    if not found and alone and len(classes) == _PAIR and len(shares) == 1:
        return (shares[0].name,)
    return found


def _positive_last(plan: Plan, classes: tuple[str, ...], column: Column) -> tuple[str, ...]:
    positive = plan.positive
    if positive is None:
        return classes
    known = plan.salt.name(positive) if plan.salt and column.salt else positive
    place = Task(MULTICLASS, classes=classes).code(known)
    if place == len(classes):
        raise ConfigError(f"--positive {positive}: {column.name!r} has no such class{nearest(positive, {*classes})}")
    return classes if place else classes[::-1]
