"""Outputs that are classes, and outputs that are their probabilities: which is which."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Final

from exporter.reference import Column
from exporter.sketch.binning import category_name

_OFF: Final = 0.01
"""By how much the means of all classes' probabilities may miss 1."""
_PLACE: Final = re.compile(r".*\[([0-9]+)\]")
"""A column that is one place of a list."""


def is_share(column: Column) -> bool:
    """Whether all its numbers are within 0 and 1."""
    return column.kind == "numeric" and column.finite > 0 and column.minimum >= 0 and column.maximum <= 1


def sum_to_one(columns: Sequence[Column]) -> bool:
    """Whether they may be the probabilities of all classes: rows add up to 1, so their means do."""
    return len(columns) > 1 and all(map(is_share, columns)) and abs(math.fsum(one.mean for one in columns) - 1) <= _OFF


def probabilities(columns: Sequence[Column], classes: int) -> list[Column]:
    """Those of so many classes among some outputs: one of each, or of two classes one alone.

    A score that is never below an even chance is how sure the model is of what it says, whatever that is.
    """
    shares = [one for one in columns if is_share(one)]
    if len(shares) == classes and sum_to_one(shares):
        return shares
    if classes == len(shares) + 1 == 2 and shares[0].minimum < 1 / classes:
        return shares
    return []


def valued(column: Column) -> tuple[str, ...]:
    """The few whole numbers that are all its values, as classes are called; nothing where there are others, too."""
    values = column.edges[:-1]
    if column.kind != "numeric" or column.distinct != len(values) or not all(one.is_integer() for one in values):
        return ()
    return tuple(str(category_name(one)) for one in values)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Classes as people and libraries sort them: numbers by their size."""
    found = sorted(names)
    try:
        return tuple(sorted(found, key=float))
    except ValueError:
        return tuple(found)


class Classes:
    """Some classes, in order."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = in_order(names)

    @classmethod
    def called(cls, columns: Sequence[Column]) -> "Classes":
        """Classes called like the outputs of their probabilities, which keep their order."""
        found = cls(())
        found.names = class_names([one.name for one in columns])
        return found

    def scores(self, columns: Sequence[Column]) -> tuple[str, ...]:
        """The output of each class's probability, in the classes' order; a single one as it is.

        By name where all of them say whose they are, else in their order: that is how libraries answer.
        """
        names = [one.name for one in columns]
        if len(names) == 1:
            return (names[0],)
        by_class = dict(zip(class_names(names), names, strict=True))
        if {*by_class} == {*self.names}:
            return tuple(by_class[name] for name in self.names)
        return tuple(names)


def class_names(outputs: Sequence[str]) -> tuple[str, ...]:
    """Of outputs called `proba_a` and `proba_b`, or `p[0]` and `p[1]`, what tells them apart: a and b, 0 and 1."""
    places = [_PLACE.fullmatch(name) for name in outputs]
    if all(places):
        return tuple(place[1] for place in places if place)
    alike = [len({*letters}) == 1 for letters in zip(*outputs, strict=False)]
    prefix = outputs[0][: [*alike, False].index(False)]
    shared = len(re.sub(r"[^_.:\-/ ]*$", "", prefix))
    rest = tuple(name[shared:] for name in outputs)
    return rest if all(rest) else tuple(outputs)
