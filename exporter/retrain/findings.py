"""What is found of one model: by kind how much there is of it and what it takes, and the faults of its data.

From a snapshot, without memory: what lasts is remembered by `episodes`.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from exporter.diagnosis import affine, clipped, constant, filled, missing, names, noise, swapped
from exporter.evidence.verdict import Verdict
from exporter.performed import Judged, Measure, Performed
from exporter.reference import Column, Profile
from exporter.retraining import CONCEPT, DRIFT, ESTIMATED, PERFORMANCE, SLOW_DRIFT, Retrain
from exporter.snapshots import DIAGNOSIS, BlockSnapshot, Listed, Measured, Snapshot
from exporter.values import format_duration

FAULTS: Final = frozenset((
    missing.CODE, constant.CODE, affine.SCALED, affine.OFFSET, affine.FLIPPED, clipped.CODE, filled.CODE, noise.CODE,
    swapped.CODE, names.RENAMED, names.MERGED,
))  # fmt: skip
"""Diagnoses that are no change of the world: a pipeline did this."""
MOST_COLUMNS: Final = 5
_LEAST_NATS: Final = 1.0
"""Of a column that is said to have moved."""
_CALM_NATS: Final = 3.0
"""So far below its line evidence must fall to be over, as the alerts have it."""
_HIGHER: Final = (
    "accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "pr_auc", "r2",
    "hit_rate", "ndcg",
)  # fmt: skip
_LOWER: Final = ("log_loss", "brier", "mae", "rmse", "mape")
_MISTYPED: Final = "type_error_ratio"
_MOST_MISTYPED: Final = 0.01
_LONGEST: Final = 300
"""Characters of a sentence."""


class Finding(NamedTuple):
    """One kind of it."""

    kind: str
    """Of `retraining.KINDS`."""
    value: float
    line: float
    """What the value must reach."""
    calm: float
    """It is over below this."""
    enough: bool
    """Whether it rests on as many rows and truths as the settings ask for."""
    since_s: float = math.nan
    """Unix time; NaN where nobody knows."""

    @property
    def is_found(self) -> bool:
        """Whether there is as much as it takes."""
        return self.value >= self.line

    @property
    def is_over(self) -> bool:
        """Whether there is so little that it has ended; between the two lines it stays as it was."""
        return not self.value >= self.calm


class Compared(NamedTuple):
    """A measure beside that of the training."""

    name: str
    value: float
    lower: float
    upper: float
    training: float
    beyond: float
    """By how many times what is allowed the whole interval is worse; 0 or less where it is not."""


class Of(NamedTuple):
    """Performance in one window."""

    window: str
    samples: int
    measures: tuple[Compared, ...]

    @property
    def beyond(self) -> float:
        """The worst; NaN where there is nothing to compare with."""
        return max((one.beyond for one in self.measures), default=math.nan)


class Moved(NamedTuple):
    """A column that moved."""

    side: str
    """`feature` or `output`."""
    name: str
    nats: float
    since_s: float
    code: str
    """Of its diagnosis, empty where there is none; as is the sentence."""
    text: str


class Found(NamedTuple):
    """What is found of a model now."""

    findings: tuple[Finding, ...]
    rows: int
    truths: int
    performance: Of | None
    """None where too few truths are known, or the training said nothing to compare with."""
    estimated: Of | None

    def of(self, kind: str) -> Finding | None:
        """One kind; None where nothing is known of it."""
        return next((one for one in self.findings if one.kind == kind), None)


class Details(NamedTuple):
    """Which columns it is about."""

    faults: tuple[str, ...]
    """Sentences."""
    moved: tuple[Moved, ...]


def found(snapshot: Snapshot, said: Retrain, windows: Iterable[float]) -> Found:
    """What there is; `windows` are lengths of those of performance, seconds."""
    window = format_duration(min(windows, key=lambda length: abs(math.log(length / said.window))))
    performed, rows = snapshot.performed, snapshot.rows.observed
    trained = _trained(performed)
    judged = _judged(performed, window)
    known = None if judged is None else _of(window, judged.samples, judged.measures, (trained, said))
    guessed = next((one for one in snapshot.estimated if one.window == window), None)
    estimated = None if guessed is None else _of(window, guessed.samples, guessed.measures, (trained, said))
    truths = max(performed.counted.joined, judged.samples if judged else 0) if performed else 0
    enough = rows >= said.minimum_rows
    findings = [
        *_of_drift(snapshot.evidence, said, enough=enough),
        *_of_truth(performed, known, enough=enough and truths >= said.minimum_truths),
    ]
    if known is None and estimated is not None:
        findings.append(
            Finding(ESTIMATED, estimated.beyond, 1.0, 0.0, enough and estimated.samples >= said.minimum_rows)
        )
    return Found(tuple(findings), rows, truths, known, estimated)


def _of_drift(told: Verdict | None, said: Retrain, *, enough: bool) -> Iterator[Finding]:
    if told is None:
        return
    for kind, nats, threshold, streams in (
        (DRIFT, told.nats, told.threshold, told.streams),
        (SLOW_DRIFT, told.slow_nats, told.slow_threshold, told.slow_streams),
    ):
        line = threshold * said.minimum_evidence
        onset = float(told.onset_s[int(np.argmax(streams))]) if streams.size and nats > 0 else math.nan
        yield Finding(kind, nats, line, line - _CALM_NATS, enough, max(onset, told.began_s))


def _of_truth(performed: Performed | None, known: Of | None, *, enough: bool) -> Iterator[Finding]:
    concept = performed.concept if performed else None
    if concept is not None:
        line = concept.threshold
        yield Finding(CONCEPT, concept.nats, line, line - _CALM_NATS, enough, concept.began_s)
    if known is not None:
        yield Finding(PERFORMANCE, known.beyond, 1.0, 0.0, enough)


# --- measures


def _trained(performed: Performed | None) -> Mapping[str, float]:
    """Of several values of one measure the worst: of its own rows training promises more than it can keep."""
    found: dict[str, float] = {}
    for measure, _, value in performed.training if performed else ():
        worse = max if measure in _LOWER else min
        found[measure] = worse(found.get(measure, value), value)
    return found


def _judged(performed: Performed | None, window: str) -> Judged | None:
    """By when truths came: what is said of a day does not change a week later."""
    for one in performed.judged if performed else ():
        if one.by == "arrival" and one.window == window and one.sufficient:
            return one
    return None


def _of(
    window: str, samples: int, measures: Iterable[Measure], against: tuple[Mapping[str, float], Retrain]
) -> Of | None:
    trained, said = against
    found = tuple(
        Compared(one.name, one.value, one.lower, one.upper, trained[one.name], beyond)
        for one in measures if not one.labels and one.name in trained
        if not math.isnan(beyond := _beyond(one, trained[one.name], said))
    )  # fmt: skip
    return Of(window, samples, found) if found else None


def _beyond(one: Measure, trained: float, said: Retrain) -> float:
    """NaN where there is no interval, or it cannot be compared."""
    if one.name in _HIGHER:
        return (trained - one.upper) / said.fall
    if one.name in _LOWER and trained > 0:
        return (one.lower / trained - 1.0) / said.rise
    return math.nan


# --- columns


def detailed(snapshot: Snapshot, profile: Profile) -> Details:
    """The columns that moved most, and what is wrong with the data."""
    return Details(tuple(_faults(snapshot, profile)), _moved(snapshot, profile))


def _blocks(snapshot: Snapshot, profile: Profile) -> Iterator[tuple[str, BlockSnapshot, tuple[Column, ...]]]:
    for side, block, columns in (
        ("feature", snapshot.features, profile.features), ("output", snapshot.outputs, profile.outputs),
    ):  # fmt: skip
        if block is not None:
            yield side, block, columns


def _diagnoses(block: BlockSnapshot) -> dict[int, tuple[str, str]]:
    """Code and sentence, by column."""
    return {
        one.column: (one.labels[0], one.labels[1][:_LONGEST])
        for one in block.aspects if isinstance(one, Listed) and one.word == DIAGNOSIS
    }  # fmt: skip


def _faults(snapshot: Snapshot, profile: Profile) -> Iterator[str]:
    for _, block, columns in _blocks(snapshot, profile):
        yield from (text for code, text in _diagnoses(block).values() if code in FAULTS)
        shares = [one.values for one in block.aspects if isinstance(one, Measured) and one.word == _MISTYPED]
        if shares:  # of the shortest window
            judged = np.nan_to_num(shares[0]) > _MOST_MISTYPED
            yield from (f"{columns[at].name} has values of another type" for at in np.flatnonzero(judged).tolist())


def _moved(snapshot: Snapshot, profile: Profile) -> tuple[Moved, ...]:
    """Those with most evidence, and those that something is said of."""
    first, found, told = 0, list[Moved](), snapshot.evidence
    for side, block, columns in _blocks(snapshot, profile):
        said = _diagnoses(block)
        for at, column in enumerate(columns):
            nats, since = _evidence(told, first + at)
            if not block.said[at].ignore and (nats >= _LEAST_NATS or at in said):
                found.append(Moved(side, column.name, nats, since, *said.get(at, ("", ""))))
        first += len(columns)
    ranked = sorted(found, key=lambda one: (-one.nats, not one.text, one.side, one.name))
    return tuple(ranked[:MOST_COLUMNS])


def _evidence(told: Verdict | None, stream: int) -> tuple[float, float]:
    """Nats of one column, sudden or slow, and since when."""
    if told is None or stream >= told.streams.size:
        return 0.0, math.nan
    nats = max(float(told.streams[stream]), float(told.slow_streams[stream]), 0.0)
    return nats, float(told.onset_s[stream]) if nats > 0 else math.nan
