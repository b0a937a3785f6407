"""What a model predicts, by what its profile says, and by what people say, who are right where they differ."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from exporter.errors import ConfigError
from exporter.hindsight import Performance
from exporter.performance.answers import Classes, is_share, probabilities, sum_to_one, valued
from exporter.performance.residuals import scale_of
from exporter.performance.task import BINARY, MULTICLASS, RANKING, REGRESSION, Task, rest_of
from exporter.reference import Column, Profile
from exporter.target import MOST_CLASSES, Target
from exporter.values import nearest

_SHOWN: Final = 10
"""Classes that are named to people."""
_THRESHOLD: Final = 0.5
_STEP: Final = 4
"""Of centres, in units."""
_AUTO: Final = "auto"
_SAY: Final = "say performance.output or performance.task"


class Deduced(NamedTuple):
    """What is predicted, or why nobody knows."""

    task: Task | None
    reason: str = ""
    """For people; empty where there is a task."""


class _Unsure(Exception):
    """Nobody can tell; the message says why."""


def task_of(profile: Profile | None, settings: Performance) -> Task | None:
    """What a model predicts; None where that is not sure. ConfigError where the settings name what there is not."""
    if profile is None:
        return None
    try:
        return _task(profile, settings)
    except _Unsure:
        return None


def deduced(profile: Profile | None, settings: Performance) -> Deduced:
    """The same, with the reason where there is none; a wrong setting is one."""
    if profile is None:
        return Deduced(None, "there is no profile")
    try:
        return Deduced(_task(profile, settings))
    except (_Unsure, ConfigError) as why:
        return Deduced(None, str(why))


def in_words(task: Task) -> str:
    """What is predicted, for people."""
    said = " and ".join(filter(None, (task.label, ", ".join(task.scores))))
    classes = (*task.classes[:_SHOWN], "…") if len(task.classes) > _SHOWN else task.classes
    of = f" of {', '.join(classes)}" if classes else ""
    return f"{task.kind}{of}" + (f", predicted by {said}" if said else "")


def _task(profile: Profile, settings: Performance) -> Task:
    outputs = {one.name: one for one in _trained(profile) if not one.scalar and one.kind not in {"text", "embedding"}}
    if settings.output is not None and settings.output not in outputs:
        known = nearest(settings.output, {*outputs})
        raise ConfigError(f"performance.output: no output is called {settings.output!r}{known}")
    if settings.task == RANKING:
        return Task(RANKING, settings.output or "", ranks=settings.ranks)
    target = profile.target
    if target is not None and _goes_with(target, settings):
        return of_target(target, settings)
    return _Outputs(outputs, settings).task()


def _trained(profile: Profile) -> list[Column]:
    """Outputs as the training data had them: what is adopted as normal later makes no other task."""
    adopted = {column.name: column for side, column in profile.replaced if side == "outputs"}
    return [adopted.get(one.name, one) for one in profile.outputs]


def _goes_with(target: Target, settings: Performance) -> bool:
    """Whether what people say is nothing else than what the training data say."""
    used = {target.label, *target.scores} - {""}
    return bool(used) and settings.task in {_AUTO, target.task} and settings.output in {None, *used}


def of_target(target: Target, settings: Performance) -> Task:
    """What the training data say, where people do not say otherwise. ConfigError."""
    label = "" if settings.output in target.scores else target.label
    if target.task == REGRESSION:
        return _regression(label, target.column)
    classes = _positive_last(target.classes, settings) if target.task == BINARY else target.classes
    threshold = target.threshold if settings.threshold is None else settings.threshold
    return Task(target.task, label, target.scores, classes, threshold)


def _positive_last(classes: tuple[str, ...], settings: Performance) -> tuple[str, ...]:
    positive = settings.positive
    if positive is None or positive == classes[1]:
        return classes
    if positive == classes[0]:
        return classes[::-1]
    raise ConfigError(f"performance.positive: no class is called {positive!r}{nearest(positive, {*classes})}")


def _regression(label: str, column: Column) -> Task:
    """Where numbers lie is told so roughly that a model that was trained again has the same task, as a rule."""
    unit = scale_of(column.sd or abs(column.mean) or 1.0)
    steps = column.mean / (_STEP * unit)
    return Task(REGRESSION, label, centre=round(steps) * _STEP * unit if math.isfinite(steps) else 0.0, unit=unit)


class _Outputs:
    """What the outputs say of what is predicted."""

    def __init__(self, outputs: Mapping[str, Column], settings: Performance) -> None:
        self._settings = settings
        self._chosen = outputs.get(settings.output or "")
        self._names = [one for one in outputs.values() if not one.ordered]
        self._numbers = [one for one in outputs.values() if one.kind == "numeric" and one.finite]

    def task(self) -> Task:
        """_Unsure, ConfigError."""
        chosen = self._chosen
        if self._settings.task == REGRESSION:
            return self._of_number()
        if chosen is not None:
            return self._of_label(chosen) if not chosen.ordered else self._of_column(chosen)
        if len(self._names) == 1:
            return self._of_label(self._names[0])
        if self._names:
            listed = ", ".join(one.name for one in self._names)
            raise _Unsure(f"several outputs are classes ({listed}): {_SAY}")
        if len(self._numbers) == 1:
            return self._of_column(self._numbers[0])
        return self._of_numbers()

    def _of_number(self) -> Task:
        column = self._chosen or (self._numbers[0] if len(self._numbers) == 1 else None)
        if column is None or column.kind != "numeric":
            raise _Unsure("which output is the number is not clear: say performance.output")
        return _regression(column.name, column)

    def _of_label(self, column: Column) -> Task:
        """Classes by name, and scores where some go with them."""
        named = (*column.categories, *column.others)
        classes = Classes(named if len(named) <= MOST_CLASSES else column.categories)
        others = [one for one in self._numbers if one is not column]
        return self._classified(column.name, classes, classes.scores(probabilities(others, len(classes.names))))

    def _of_column(self, column: Column) -> Task:
        """One number: a class, a score, or what is predicted itself."""
        values = valued(column)
        asked = self._settings.task
        if values == ("0", "1") or (values and asked == MULTICLASS):
            return self._classified(column.name, Classes(values), ())
        if asked == MULTICLASS:
            raise _Unsure(f"the classes that {column.name!r} says are not known")
        if is_share(column):
            return self._of_score(column.name)
        if asked == BINARY:
            if len(values) == 2:
                return self._classified(column.name, Classes(values), ())
            raise _Unsure(f"the scores of {column.name!r} are not within 0 and 1")
        return _regression(column.name, column)

    def _of_score(self, score: str) -> Task:
        positive = self._settings.positive
        classes = ("0", "1") if positive in {None, "1"} else (rest_of(str(positive)), str(positive))
        classes = {"true": ("false", "true"), "false": ("true", "false"), "0": ("1", "0")}.get(positive or "", classes)
        return Task(BINARY, "", (score,), classes, self._threshold())

    def _of_numbers(self) -> Task:
        """Several numbers: the probabilities of all classes, with a class beside them or without."""
        numbers = self._numbers
        if numbers and (self._settings.task == MULTICLASS or sum_to_one(numbers)) and all(map(is_share, numbers)):
            classes = Classes.called(numbers)
            return self._classified("", classes, tuple(one.name for one in numbers))
        for column in numbers:
            values, others = valued(column), [one for one in numbers if one is not column]
            scores = Classes(values).scores(probabilities(others, len(values))) if len(values) > 1 else ()
            if scores and len(others) in {len(scores), len(values)}:
                return self._classified(column.name, Classes(values), scores)
        raise _Unsure(f"which of {len(numbers)} numbers is predicted is not clear: {_SAY}")

    def _classified(self, label: str, classes: Classes, scores: Sequence[str]) -> Task:
        if len(classes.names) < 2:
            raise _Unsure(f"{label!r} has fewer than two classes")
        if len(classes.names) > 2:
            if self._settings.task == BINARY:
                raise _Unsure(f"there are {len(classes.names)} classes, not two")
            return Task(MULTICLASS, label, tuple(scores), classes.names)
        names = _positive_last(classes.names, self._settings)
        if len(scores) == 2:
            scores = (scores[classes.names.index(names[1])],)
        return Task(BINARY, label, tuple(scores), names, self._threshold())

    def _threshold(self) -> float:
        said = self._settings.threshold
        return _THRESHOLD if said is None else said
