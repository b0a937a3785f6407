"""Of models whose truth is known, all there is to show: every measure in every window, each number another one."""

import math
from collections.abc import Iterator, Sequence
from itertools import count, product

from exporter import catalogue, segment_families
from exporter.aged import DECAY, Aged, Trend
from exporter.performance.measures.quantiles import RANKS
from exporter.performance.scoring import BINS
from exporter.performance.task import OTHER
from exporter.performed import (
    BY,
    LAG_BOUNDS,
    Concept,
    Counted,
    Estimated,
    Judged,
    Measure,
    Performed,
    SegmentJudged,
    TargetMoved,
    Valued,
)
from exporter.truth_families import OF_CLASSES, OF_EACH, OF_NUMBERS, OF_RANKINGS, OF_SCORES

WINDOWS = ("1h", "24h", "7d", "30d")
WORDS = {
    "binary": OF_CLASSES + tuple(word for word in OF_SCORES if word not in OF_EACH),
    "multiclass": OF_CLASSES + OF_SCORES, "regression": OF_NUMBERS, "ranking": OF_RANKINGS,
}  # fmt: skip
PARTS = {
    "binary": segment_families.OF_CLASSES + segment_families.OF_TWO + segment_families.OF_SCORES,
    "multiclass": segment_families.OF_CLASSES + segment_families.OF_SCORES,
    "regression": segment_families.OF_NUMBERS, "ranking": segment_families.OF_RANKINGS,
}  # fmt: skip
"""Measures of segments."""
_BINS = tuple(f"{at:02d}" for at in range(BINS))
_RANKS = tuple(f"{rank:g}" for rank in RANKS)


def performed(kind: str, classes: Sequence[str] = (), windows: Sequence[str] = WINDOWS) -> Performed:
    """One model; the second half of windows has too few truths."""
    numbers = count(1)
    judged = tuple(
        Judged(by, window, 100 + at, 200 + at, at < len(windows) / 2, tuple(_measures(kind, classes, numbers)))
        for by in BY for at, window in enumerate(windows)
    )  # fmt: skip
    confusion = tuple((*cell, next(numbers)) for cell in product((*classes, OTHER), repeat=2)) if classes else ()
    counted = Counted(5000, 4000, 3, tuple(range(1, len(LAG_BOUNDS) + 2)), 1e6, confusion)
    training = tuple((word, f"val_{word}", 0.5 + at / 1000) for at, word in enumerate(catalogue.PERFORMANCE.training)
                     if word in WORDS[kind])  # fmt: skip
    moved = tuple(TargetMoved(window, next(numbers), True, 0.2, 0.1, 0.4, 0.3) for window in windows)
    concept = Concept(9.5, 13.8, 1.7e9, 0.1, 0.02, 0.15, 700, 2, 3.5)
    return Performed(kind, counted, judged, training, moved, concept, tuple(_segments(kind, windows)))


def _segments(kind: str, windows: Sequence[str]) -> Iterator[SegmentJudged]:
    numbers = count(1)
    for window, value in product(windows, ("DE", "FR")):
        measures = tuple(
            Measure(word, found := next(numbers) / 100, found - 0.001, found + 0.002) for word in PARTS[kind]
        )
        yield SegmentJudged("country", value, window, 100 + next(numbers), True, measures, 0.2, 0.3, 0.1)


def _measures(kind: str, classes: Sequence[str], numbers: Iterator[int]) -> Iterator[Measure]:
    of = catalogue.PERFORMANCE
    for word in WORDS[kind]:
        labels = of.values[word].labels[2:-2]
        for names in product(*(_values(label, classes) for label in labels)):
            value = next(numbers) / 10_000
            lower, upper = (value - 0.00001, value + 0.00002) if word in of.lower else (math.nan, math.nan)
            bound = value / 100 if word in of.bound else math.nan
            yield Measure(word, value, lower, upper, bound, names)


def _values(label: str, classes: Sequence[str]) -> Sequence[str]:
    return {"bin": _BINS, "rank": _RANKS, "class": classes}.get(label, (*classes, OTHER))


def estimated(classes: Sequence[str], windows: Sequence[str] = WINDOWS) -> tuple[Estimated, ...]:
    """What scores alone say."""
    numbers = count(1)
    found = tuple(
        Measure(word, value := next(numbers) / 100, value - 0.001, value + 0.002, labels=names)
        for word, family in catalogue.ESTIMATED.values.items()
        for names in product(*(classes for _ in family.labels[3:-1]))
    )
    return tuple(Estimated(window, 100 + at, found) for at, window in enumerate(windows))


def valued(windows: Sequence[str] = WINDOWS) -> tuple[Valued, ...]:
    """A value of all the traffic and of a segment of it."""
    return tuple(
        Valued("margin", *segment, window, 10 + at, 55.5, 5.55, 5.0, 6.0)
        for at, window in enumerate(windows) for segment in (("", ""), ("country", "DE"))
    )  # fmt: skip


def trend(kind: str, aged: Aged | None) -> Aged | None:
    """As it was, with errors that grow."""
    measure = {"regression": "mae", "ranking": "miss_ratio"}.get(kind, "error_ratio")
    found = Trend(measure, 9000, 30, 0.001, 0.0005, 0.0015, 0.11, 0.12, 1.8e9)
    return aged and aged._replace(trend=found, due=(*aged.due, (DECAY, found.crossing_s)))
