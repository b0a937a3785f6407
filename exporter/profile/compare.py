"""A table beside the profile, in words: what differs beyond chance, and by how much."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from exporter.drift import psi, total_variation
from exporter.drift.summary import Summary, of_bins
from exporter.profile.recount import Recounted
from exporter.reference import MISSING, NONFINITE, Column, Profile

_LEAST_SHARE: Final = 0.001
"""Of rows; less is not worth a word."""
_LEAST_MOVED: Final = 0.1
"""Of values that changed bin."""


def compare(profile: Profile, found: Recounted) -> list[str]:
    """A line for every column that is not as it was, and one for the others."""
    pairs = [
        (reference, now)
        for reference, now in zip((*profile.features, *profile.outputs), (*found.features, *found.outputs), strict=True)
        if not (profile.together and reference.origin == profile.together.name)  # of rows that are whole
    ]
    known = profile.time.column if profile.time else None
    lines = [f"{name}: not in the profile" for name in found.strangers if name != known]
    alike = 0
    for reference, now in pairs:
        words = "not in the table" if now is None else "; ".join(_differences(reference, now))
        alike += not words
        lines += [f"{reference.name}: {words}"] if words else []
    rest = f"the other {alike}" if alike < len(pairs) else f"all {alike} columns"
    return [*lines, f"{rest}: alike, as far as {found.rows:,} rows can tell"] if alike else lines


def _differences(reference: Column, now: Column) -> Iterator[str]:
    """What is to be said of a column; nothing where chance would do as much."""
    before, after = _quality(reference), _quality(now)
    for words, share in after.items():
        more = share - before[words]
        least = max(_LEAST_SHARE, _noise(before[words], reference.rows, share, now.rows))
        if more > least or (words == "missing" and more < -least):
            yield f"{share:.1%} {words}" + (f", {before[words]:.1%} in the profile" if before[words] else "")
    yield from _moved(reference, now)


def _quality(column: Column) -> dict[str, float]:
    """Shares of values, by the words for what is wrong with them."""
    counts, rows = column.counts, max(1, column.rows)
    if not column.ordered:
        return {"missing": counts[-1] / rows, "in categories that the profile does not list": counts[-2] / rows}
    return {
        "missing": counts[MISSING] / rows,
        "no finite numbers": counts[NONFINITE] / rows,
        f"below {column.edges[0]:.6g}": counts[0] / rows,
        f"{column.edges[-1]:.6g} or above": counts[13] / rows,
    }


def _noise(before: float, reference: int, after: float, rows: int) -> float:
    """Four standard errors of the difference of two shares; one value more than there were, as for rare ones."""
    rows = max(1, rows)
    pooled = min(1.0, (before * reference + after * rows + 1) / (reference + rows))
    return float(4 * np.sqrt(pooled * (1 - pooled) * (1 / reference + 1 / rows)))


def _moved(reference: Column, now: Column) -> Iterator[str]:
    if not now.rows:
        return
    one, other = _summary(reference), _summary(now)
    moved = float(total_variation.score(one, other)[0])
    if moved < _LEAST_MOVED or float(psi.score(one, other)[0]) <= float(psi.critical(one, other)[0]):
        return
    words = f"{moved:.0%} of its values changed bin"
    if reference.ordered and reference.sd and now.finite:
        shift = (now.mean - reference.mean) / reference.sd
        words += f", mean {now.mean:.6g} instead of {reference.mean:.6g} ({shift:+.2g} σ)"
    yield words


def _summary(column: Column) -> Summary:
    return of_bins(np.array([column.counts], np.int64))
