"""Values that are not there: more of them than the training data had."""

from collections.abc import Iterator
from typing import Final

from exporter.diagnosis.seen import Case, Explained
from exporter.diagnosis.words import percent
from exporter.reference import MISSING

CODE: Final = "missing"
_LEAST: Final = 0.04
"""Share of the values."""
_SIGMA: Final = 4.5
_ALL: Final = 0.9
_MOST_OF_IT: Final = 0.7
"""Of what moved: the rest may have changed because those that lack a value are not like the others."""


def explain(case: Case) -> Iterator[Explained]:
    """Of every kind of column."""
    place = MISSING if case.column.ordered else len(case.column.counts) - 1
    live, before = float(case.live[place]), float(case.reference[place])
    more = live - before
    if more < max(_LEAST, case.noise) or more < _MOST_OF_IT * case.moved:
        return
    name, absent = case.column.name, case.seen.absent or 0.0
    if absent >= _ALL * live and absent > _LEAST:
        text = (
            f"{name} is not in the payloads" if live > _ALL else f"{name} is not in the payloads of {percent(absent)}"
        )
    else:
        text = f"{name} is missing" if live > _ALL else f"{name} is missing in {percent(live)}"
    is_evident = more > _SIGMA * case.noise * (live * (1 - live)) ** 0.5
    yield Explained(CODE, text if live > _ALL else f"{text} of the rows", case.moved - more, 0, live, is_evident)
