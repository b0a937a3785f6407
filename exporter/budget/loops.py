"""How many series there may come to be about feedback loops, of a model. As in `costs`: the most there can be."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from exporter import catalogue
from exporter.budget.shape import Shape
from exporter.families import Family
from exporter.performance.deduced import deduced
from exporter.performance.kinds import kinds_of
from exporter.reference import Profile

_GROUPS: Final = 2
"""Exposed and holdout."""


def costs(shape: Shape, profile: Profile) -> Mapping[str, int]:
    """Of a model that has a profile, beside what is of each of its outputs."""
    if not shape.loops.enable or not profile.outputs:
        return {}
    windows = len(shape.performance.windows)
    sizes = {"score_bin": _kinds(shape, profile), "window": windows, "group": _GROUPS}
    return Counter({
        family.name: math.prod(sizes.get(label, 1) for label in family.labels) for family in _families(shape, profile)
    })  # fmt: skip


def _families(shape: Shape, profile: Profile) -> Iterator[Family]:
    of = catalogue.LOOPS
    if profile.features and shape.times:
        yield from (*catalogue.RETURNED, of.info)
    if shape.feedback:
        yield from (*catalogue.SELECTED, of.coverage, of.predictions)
        if shape.loops.holdout.segment:
            yield from (*catalogue.GAP, of.exposed_truths, of.exposed_mean)


def _kinds(shape: Shape, profile: Profile) -> int:
    task = deduced(profile, shape.performance).task
    output = next((column for column in profile.outputs if task and column.name == task.label), None)
    found = kinds_of(task, output) if task else None
    return len(found.names) if found else 0


def of_output(shape: Shape) -> Iterator[tuple[str, int]]:
    """Of one output, by family."""
    if shape.loops.enable:
        yield catalogue.LOOPS.reference_entropy.name, 1
        for family in catalogue.SPREAD:
            yield family.name, shape.all_windows
