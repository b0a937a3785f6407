"""What traffic shows of chance, column by column: how many rows come as one, and by how much its hours differ.

Evidence of drift rests on both, and a sidecar that is told them needs no warm-up to find them out. Around what traffic
wanders is its own mean: that it lies elsewhere than the training data is skew, which is told, and not tolerated.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.drift import total_variation
from exporter.drift.summary import Summary, of_bins
from exporter.errors import DataError
from exporter.profile.terminal import Paper
from exporter.reference import Column, Profile

Counts = NDArray[np.int64]

LEAST_HOURS: Final = 24
LEAST_ROWS: Final = 1000
SIDES: Final = ("features", "outputs")
_HOUR_S: Final = 3600.0
_FAR: Final = 0.1
"""A wander of which somebody should know the reason."""


class Shown(NamedTuple):
    """What traffic shows of a column."""

    side: str
    """One of SIDES."""
    name: str
    dependence: float
    wander: float
    skew: float
    """Total variation between all of the traffic and the profile."""
    critical: float
    """What the skew exceeds at most once in 1000 times by chance, dependence included."""


class Calibration(NamedTuple):
    """What traffic shows."""

    columns: tuple[Shown, ...]
    absent: tuple[str, ...]
    """Columns of the profile that the traffic does not have."""
    rows: int
    hours: int
    """Those that are compared: with rows, and no more than 512."""
    first: float
    """Unix time, as is the last."""
    last: float
    hour_s: float = _HOUR_S
    """How long an hour is taken to be: sixty panes."""
    notes: tuple[str, ...] = ()


def shown(side: str, reference: Column, counts: Counts, noise: tuple[float, float]) -> Shown:
    """Of a column, its rows by bin and its dependence and wander."""
    dependence, wander = noise
    # So many rows that come as one are one.
    one, other = of_bins(np.array([reference.counts], np.int64)), of_bins(counts[None])
    fewer = of_bins(np.rint(counts[None] / dependence).astype(np.int64))
    return Shown(side, reference.name, dependence, wander, _score(one, other), _critical(one, fewer))


def _score(one: Summary, other: Summary) -> float:
    return float(total_variation.score(one, other)[0])


def _critical(one: Summary, other: Summary) -> float:
    return float(total_variation.critical(one, other)[0])


def require_enough(found: Calibration) -> None:
    """DataError where it is too little to rest anything on: no hour differs from others that nobody has seen."""
    if found.hours < LEAST_HOURS or found.rows < LEAST_ROWS:
        raise DataError(
            f"too little traffic ({_extent(found)}): {LEAST_ROWS:,} rows in {LEAST_HOURS} hours are needed, better a "
            "week of them; --force takes what there is"
        )


# --- in words


def head(found: Calibration, profile: Profile, source: str, now: float) -> list[str]:
    """What the file of overrides begins with, a comment a line: when, from what, of how much."""
    about = f"{profile.model} {profile.version}, profile {profile.short_digest}"
    return [
        f"Written by `inference-exporter profile calibrate` at {_time(now)} for {about},",
        f"from {source}: {_extent(found)}.",
        "dependence: how many rows come as one; wander: the share of its values by which an hour may differ from all.",
    ]


def _extent(found: Calibration) -> str:
    hours = "hours" if found.hour_s == _HOUR_S else f"hours of {found.hour_s:g} s"
    return f"{found.rows:,} rows, {_time(found.first)} to {_time(found.last)}, {found.hours:,} {hours} compared"


def _time(wall_s: float) -> str:
    return datetime.fromtimestamp(int(wall_s), UTC).isoformat().replace("+00:00", "Z")


def report(found: Calibration, source: str, paper: Paper) -> Iterator[str]:
    """A page for people."""
    yield paper.cut(f"{source}: {_extent(found)}")
    for one in found.columns:
        yield f"  {paper.bold(paper.cut(one.name, 60))}: {_words(one, paper)}"
    yield from (paper.warning(paper.cut(f"! {note}")) for note in _notes(found))


def _notes(found: Calibration) -> Iterator[str]:
    far = [one.name for one in found.columns if one.wander > _FAR]
    if far:
        yield f"all that hours differ is tolerated from now on: was nothing wrong in that time with {', '.join(far)}?"
    if found.absent:
        yield f"not in the traffic, and left out: {', '.join(found.absent)}"
    yield from found.notes


def _words(one: Shown, paper: Paper) -> str:
    noise = f"dependence {one.dependence:.3g}, wander {one.wander:.1%}"
    if one.skew <= one.critical:
        return f"{noise}, as the profile has it"
    return f"{noise}, " + paper.warning(f"skew {one.skew:.1%} (beyond {one.critical:.1%} it is no chance)")
