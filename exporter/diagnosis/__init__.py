"""What may have happened to a column that drifted: the fault by its name, or nothing.

A shelf: each file knows one kind of fault and says, of a column, how it would explain what was seen and what it would
leave unexplained. The choice between them is here. A fault is named where one explanation leaves no more than chance
does, and no other one does nearly as well; where two do there is silence.

Facts come before what is fitted: values that are missing, or always the same, need no other explanation.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from exporter.diagnosis import affine, clipped, constant, filled, missing, names, noise, parts, swapped
from exporter.diagnosis.seen import Case, Explained, Seen, case
from exporter.reference import Column

KINDS: Final[tuple[Callable[[Case], Iterator[Explained]], ...]] = (
    missing.explain, constant.explain, affine.explain, clipped.explain, filled.explain, noise.explain, names.explain,
    parts.explain,
)  # fmt: skip
CODES: Final = (
    missing.CODE, constant.CODE, affine.SCALED, affine.OFFSET, affine.FLIPPED, clipped.CODE, filled.CODE, noise.CODE,
    swapped.CODE, names.RENAMED, names.MERGED, names.NEW, parts.SEGMENT, parts.CLIENT,
)  # fmt: skip
"""All that a diagnosis may be called."""
LEAST_ROWS: Final = 50
_FACTS: Final = (missing.CODE, constant.CODE, swapped.CODE)
_COSTS: Final = 1.2
"""What each number that is fitted costs, in margins."""
_HALF: Final = 0.5
_IMPLIED: Final = {filled.CODE: (names.NEW,)}
"""What says less of the same."""
_BELONG: Final = frozenset((parts.SEGMENT, parts.CLIENT))
"""What says only where it is: told where nothing else is."""


class Diagnosis(NamedTuple):
    """What happened to one column, as far as it can be told."""

    code: str
    text: str
    size: float
    """The number in it, by which is seen whether it is still the same."""
    unexplained: float
    """Total variation that is left."""
    is_evident: bool
    """Whether it needs no other sign that anything has changed."""


def diagnose(columns: Sequence[Column], seen: Mapping[int, Seen]) -> dict[int, Diagnosis]:
    """By place, of the columns of which enough was seen; those of which nothing can be said are left out."""
    cases = {place: case(columns[place], one) for place, one in seen.items() if one.rows >= LEAST_ROWS}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # of the largest numbers that there are
        found = {place: [one for kind in KINDS for one in kind(of)] for place, of in cases.items()}
        for place, one in swapped.explain(cases):
            found[place].append(one)
    chosen = {place: _chosen(cases[place], some) for place, some in found.items()}
    return {place: one for place, one in chosen.items() if one is not None}


def _chosen(of: Case, found: Sequence[Explained]) -> Diagnosis | None:
    """The one that explains it alone."""
    fitting = [one for one in found if _fits(of, one)]
    facts = [one for code in _FACTS for one in found if one.code == code and (one in fitting or code != swapped.CODE)]
    if facts:
        return _told(of, facts[0])
    ranked = sorted(fitting, key=lambda one: _cost(of, one))
    whole = [one for one in ranked if one.code not in _BELONG]
    if whole and whole[0].is_proven and not _has_rival(of, whole[0], whole[1:]):
        return _told(of, whole[0])
    return _told(of, next((one for one in ranked if one.code in _BELONG), None))


def _has_rival(of: Case, best: Explained, others: Sequence[Explained]) -> bool:
    """Whether another one explains it nearly as well."""
    alike = (best.code, *_IMPLIED.get(best.code, ()))
    return any(one.code not in alike and _cost(of, one) < _cost(of, best) + of.margin for one in others)


def _fits(of: Case, one: Explained) -> bool:
    """Whether it leaves no more than chance does, of more than that."""
    if one.is_evident:
        return one.unexplained <= of.limit
    return of.moved > of.limit and one.unexplained <= min(of.limit, _HALF * of.moved)


def _cost(of: Case, one: Explained) -> float:
    return one.unexplained + _COSTS * of.margin * one.free


def _told(of: Case, one: Explained | None) -> Diagnosis | None:
    if one is None:
        return None
    part = parts.alone(of.seen.parts)
    text = one.text if part is None or one.code in _BELONG else f"{one.text}, {parts.where(part)} alone"
    return Diagnosis(one.code, text, one.size, one.unexplained, one.is_evident)
