"""Values that are not as they should be: missing, out of range, of a wrong type, not seen before."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from exporter.reference import Column
from exporter.status.facts import QualityFacts
from exporter.status.known import known
from exporter.status.view import Side, Values

TYPE_ERROR: Final = "type_error"
MISSING: Final = "missing"


def above_chance(side: Side) -> Mapping[int, tuple[QualityFacts, ...]]:
    """By column what is more than chance makes of the reference, in the window to look at."""
    found: dict[int, list[QualityFacts]] = {}
    for word, ratios, critical in _words(side):
        ratio, limit = (side.at_chosen(one).astype(np.float64) for one in (ratios, critical))
        beyond = (ratio > np.nan_to_num(limit)) & ~side.ignored & side.judged
        for at in np.flatnonzero(beyond).tolist():
            window = side.windows[int(side.chosen[at])].window
            facts = QualityFacts(word, window, float(ratio[at]), _trained(side.columns[at], word), known(limit[at]))
            found.setdefault(at, []).append(facts)
    return {at: tuple(facts) for at, facts in found.items()}


def of_column(side: Side, at: int) -> Iterator[QualityFacts]:
    """All of one, window by window; what does not apply is left out."""
    for word, ratios, critical in _words(side):
        for place, window in enumerate(side.windows):
            if (ratio := known(float(ratios[place, at]))) is not None:
                limit = known(float(critical[place, at]))
                yield QualityFacts(word, window.window, ratio, _trained(side.columns[at], word), limit)


def _words(side: Side) -> Iterator[tuple[str, Values, Values]]:
    for word in side.windows[0].ratios:
        yield word, side.ratio(word), side.critical(f"{word}_ratio")
    ratios = side.measured(f"{TYPE_ERROR}_ratio")
    yield TYPE_ERROR, ratios, np.full_like(ratios, np.nan)


def _trained(column: Column, word: str) -> float | None:
    """Share of the training data; of wrong types these have none."""
    if word == TYPE_ERROR:
        return 0.0
    bins = column.quality_bins().get(word)
    return sum(column.counts[place] for place in bins) / (column.rows or 1) if bins is not None else None
