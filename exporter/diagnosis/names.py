"""Categories that are called otherwise: one renamed, two that are one now, one that was not there before."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from exporter.diagnosis.seen import Case, Explained, Values, variation
from exporter.diagnosis.words import percent, quoted

RENAMED, MERGED, NEW = "renamed", "merged", "new_category"
_LEAST: Final = 0.03
"""Share of the values."""
_MOST_OF_THEM: Final = 0.8
"""Of the values that are called otherwise, those of the name that is told."""
_FEW: Final = 15
"""Rows that are not gone by chance alone."""
_GONE: Final = 0.1
"""A category is gone where no more than this is left of its share."""


def explain(case: Case) -> Iterator[Explained]:
    """Of columns of categories."""
    if case.column.ordered or len(case.column.counts) < 4:
        return
    yield from _spelled(case)
    yield from _renamed(case)
    yield from _merged(case)
    yield from _new(case)


def _unseen(case: Case) -> tuple[str | None, float]:
    """The new name that nearly all values have that have a new one, and by how much these have become more."""
    at = len(case.reference) - 2
    more = float(case.live[at] - case.reference[at])
    total = sum(case.seen.names.values())
    name = max(sorted(case.seen.names), key=case.seen.names.__getitem__, default=None)
    if name is None or case.seen.names[name] < _MOST_OF_THEM * total or total < _MOST_OF_THEM * more * case.seen.rows:
        return None, more
    return name, more


def _renamed(case: Case) -> Iterator[Explained]:
    """All that one category has lost has come under a new name."""
    name, more = _unseen(case)
    change = case.live - case.reference
    at = int(np.argmin(change[: len(case.column.categories)])) if case.column.categories else 0
    if more < max(_LEAST, case.noise) or not case.column.categories or change[at] > -_LEAST:
        return
    expected = case.reference.copy()
    moved = min(more, float(case.reference[at]))
    expected[at] -= moved
    expected[-2] += moved
    whole = case.live[at] <= _GONE * case.reference[at]
    part = "" if whole else f" in {percent(moved / float(case.reference[at]))} of its rows"
    was = quoted(case.column.categories[at])
    told = f"{was} is called {quoted(name)}{part}" if name else f"{was} is called otherwise{part}"
    yield Explained(
        RENAMED, f"{case.column.name}: {told}", variation(case.live, expected), 0.5 if name else 1, moved, True
    )


def _spelled(case: Case) -> Iterator[Explained]:
    """Several names are spelled otherwise: in other letters, with blanks or signs around them."""
    known = {_bare(name): at for at, name in reversed(list(enumerate(case.column.categories)))}
    found = [(name, known[_bare(name)], rows) for name, rows in case.seen.names.items() if _bare(name) in known]
    if len(found) < 2:
        return
    back: Values = case.live.copy()
    for _, at, rows in found:
        share = rows / case.seen.rows
        back[at] += share
        back[-2] -= share
    moved = float(case.live[-2] - back[-2])
    if moved >= _LEAST:
        name, at, _ = max(found, key=lambda one: (one[2], one[0]))
        text = f"{case.column.name}: names are spelled otherwise, such as {quoted(name)} for"
        text = f"{text} {quoted(case.column.categories[at])}"
        yield Explained(RENAMED, text, variation(back, case.reference), 0, moved, True)


def _bare(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _merged(case: Case) -> Iterator[Explained]:
    """One category is gone, and another one has what it had."""
    columns = len(case.column.categories)
    change = (case.live - case.reference)[:columns]
    gone = np.flatnonzero(
        (case.reference[:columns] >= _LEAST) & (case.live[:columns] <= _GONE * case.reference[:columns])
    )
    if columns < 3 or gone.size != 1:
        return
    at, into = int(gone[0]), int(np.argmax(change))
    expected = case.reference.copy()
    expected[into] += expected[at] - case.live[at]
    expected[at] = case.live[at]
    text = f"{quoted(case.column.categories[at])} counts as {quoted(case.column.categories[into])}"
    size = float(case.reference[at])
    is_evident = size / case.noise**2 > _FEW
    yield Explained(
        MERGED, f"{case.column.name}: {text}", variation(case.live, expected), 1, size, is_evident=is_evident
    )


def _new(case: Case) -> Iterator[Explained]:
    """A name that was not there before, beside all the others as they were."""
    name, more = _unseen(case)
    if more < max(_LEAST, case.noise) or name is None:
        return
    expected = case.reference * (1 - more / max(1 - float(case.reference[-2]), 1e-9))
    expected[-2] = case.live[-2]
    text = f"{case.column.name} has a new category {quoted(name)} in {percent(more)} of the rows"
    yield Explained(NEW, text, variation(case.live, expected), 1, more, True)
