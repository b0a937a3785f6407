"""Some values replaced by one and the same: a default that stands for what could not be had."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from exporter.diagnosis.seen import LEAST_NAMED, Case, Explained, variation
from exporter.diagnosis.words import percent, quoted, shown

CODE: Final = "default_filled"
_LEAST: Final = 0.04
"""Share of the values."""
_CROWDED: Final = 0.1
"""Where the training data have so much in that bin, it may be more of the same."""
_MOST_ATOMS: Final = 3
_AS_GOOD: Final = 0.8
"""So much of what its bin has gained the value itself must have."""
_WORDS: Final = frozenset(
    ("", "unknown", "none", "null", "nan", "n/a", "na", "other", "missing", "default", "undefined", "unk", "xx",
     "not available", "0", "-1", "-999", "?", "-")
)  # fmt: skip
_SHOWN_IN_FULL: Final = 1_000_000


def explain(case: Case) -> Iterator[Explained]:
    """Of numbers where they are known themselves, and of categories that no one means."""
    yield from _numbers(case) if case.column.ordered else _names(case)


def _numbers(case: Case) -> Iterator[Explained]:
    seen, column = case.seen.points, case.column
    if seen is None or not case.seen.exact or not (case.is_number or column.scalar == "length"):
        return
    live = seen.shares(case.edges)
    for value, share in seen.atoms(_LEAST)[:_MOST_ATOMS]:
        at = int(np.searchsorted(case.edges, value + 1e-6 * abs(value), side="right"))
        filled = float((live[at] - case.known[at]) / max(1 - case.known[at], 1e-9))
        few = round(share * case.finite) < LEAST_NAMED
        if few or filled < _LEAST or share < _AS_GOOD * filled or (column.scalar and value):
            continue
        expected = (1 - filled) * case.known
        expected[at] += filled
        yield Explained(
            CODE, f"{column.name} {_words(value, bool(column.scalar))} in {percent(filled)} of the rows",
            variation(live, expected) + case.lost, 0.5 if _is_usual(case, value) else 1.5, filled,
            not case.column.minimum <= value <= case.column.maximum, bool(case.known[at] < _CROWDED),
        )  # fmt: skip


def _words(value: float, is_text: bool) -> str:
    number = f"{value:.0f}" if value.is_integer() and abs(value) < _SHOWN_IN_FULL else shown(value)
    return "is empty" if is_text else f"is filled with {number}"


def _is_usual(case: Case, value: float) -> bool:
    """A number that people take for one that is not there."""
    digits = f"{abs(value):.0f}"
    repeated = value.is_integer() and len(set(digits)) == 1 and digits[0] in "01989"
    outside = not case.column.minimum <= value <= case.column.maximum
    return repeated or outside or abs(value - case.column.mean) < 1e-3 * case.column.sd


def _names(case: Case) -> Iterator[Explained]:
    """A name that stands for nothing, in the place of all the others alike."""
    categories = case.column.categories
    unseen = len(case.reference) - 2
    names = [(name, categories.index(name)) for name in categories if name.strip().lower() in _WORDS]
    total = sum(case.seen.names.values())
    names += [(name, unseen) for name, rows in case.seen.names.items()
              if name.strip().lower() in _WORDS and rows > 0.8 * total]  # fmt: skip
    for name, at in names:
        filled = float((case.live[at] - case.reference[at]) / max(1 - case.reference[at], 1e-9))
        if filled >= _LEAST:
            expected = (1 - filled) * case.reference
            expected[at] += filled
            text = f"{case.column.name} is filled with {quoted(name)} in {percent(filled)} of the rows"
            yield Explained(CODE, text, variation(case.live, expected), 0.5, filled, at == unseen)
