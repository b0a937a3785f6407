"""Features and outputs, one line each: those with most evidence first, then those that moved most beyond chance."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.bets import GREW, KINDS
from exporter.evidence.shapes import SHAPES
from exporter.reference import Column
from exporter.status.facts import DRIFTED, IGNORED, MOVED, QUIET, TOO_FEW, Bin, ColumnFacts, QualityFacts
from exporter.status.known import all_known
from exporter.status.quality import above_chance
from exporter.status.view import Side
from exporter.status.wording import text

VARIATION: Final = "total_variation"
_KINDS: Final = {
    "up": "values went up", "down": "values went down", "wider": "values spread wider",
    "narrower": "values lie closer together", "changed": "the distribution changed",
}  # fmt: skip
_SHAPES: Final = {"sudden": ", at once", "gradual": ", little by little", "": ""}
Texts = Sequence[tuple[int, str]]
"""Bins of a column, with what they hold in words."""


class _Lines(NamedTuple):
    """What there is of each column, in the order of the profile."""

    standing: Sequence[str]
    nats: Sequence[float | None]
    slow: Sequence[float | None]
    since: Sequence[float | None]
    samples: Sequence[int]
    variation: Sequence[float | None]
    critical: Sequence[float | None]
    live: Sequence[Sequence[float]]
    """Shares by bin, in the window to look at."""
    quality: Mapping[int, tuple[QualityFacts, ...]]
    """Where it is above chance, by place."""


def of(side: Side, texts: Sequence[Texts]) -> tuple[ColumnFacts, ...]:
    """All columns; `texts` are of each one's bins."""
    lines = _lines(side)
    return tuple(_line(side, at, texts[at], lines) for at in order(side).tolist())


def order(side: Side) -> NDArray[np.int64]:
    """Places of the columns: most evidence first, then most total variation over its critical value, ignored last."""
    nothing = np.zeros(len(side.columns))
    told = side.told
    nats = nothing if told is None else np.nan_to_num(np.maximum(told.streams, told.slow_streams)[side.streams])
    with np.errstate(invalid="ignore", divide="ignore"):
        over = side.at_chosen(side.score(VARIATION) / side.critical(VARIATION)).astype(np.float64)
    over = np.nan_to_num(over, posinf=0.0)
    return np.lexsort((-over, -np.maximum(nats, 0.0), ~side.named, side.ignored))


def standings(side: Side) -> Sequence[str]:
    """Of each column, one word of STANDINGS."""
    marks = [side.ignored, side.named, ~side.judged, side.moved]
    return np.select(marks, [IGNORED, DRIFTED, TOO_FEW, MOVED], QUIET).tolist()  # type: ignore[no-any-return]


def _lines(side: Side) -> _Lines:
    told = side.told
    nothing: list[float | None] = [None] * len(side.columns)

    def of_evidence(values: NDArray[np.float64]) -> list[float | None]:
        return all_known(np.maximum(values[side.streams], 0.0).tolist())

    counts = np.stack([one.counts for one in side.windows])[side.chosen, np.arange(len(side.columns))]
    return _Lines(
        standings(side),
        nothing if told is None else of_evidence(told.streams),
        nothing if told is None else of_evidence(told.slow_streams),
        nothing if told is None else all_known(np.where(side.named, told.onset_s[side.streams], np.nan).tolist()),
        side.at_chosen(side.samples).tolist(),
        all_known(side.at_chosen(side.score(VARIATION)).tolist()),
        all_known(side.at_chosen(side.critical(VARIATION)).tolist()),
        (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).tolist(),
        above_chance(side),
    )


def _line(side: Side, at: int, texts: Texts, lines: _Lines) -> ColumnFacts:
    column, samples = side.columns[at], lines.samples[at]
    if lines.standing[at] == IGNORED:
        return _ignored(side, at)
    code, sentence = side.diagnoses.get(at, ("", ""))
    return ColumnFacts(
        side=side.word, name=text(column.name), kind=column.kind, standing=lines.standing[at],
        evidence_nats=lines.nats[at], slow_evidence_nats=lines.slow[at], since=lines.since[at],
        happened=happened(side, at, texts) if side.named[at] else "", diagnosis=text(sentence), diagnosis_code=code,
        window=side.windows[int(side.chosen[at])].window if samples else "", samples=samples,
        total_variation=lines.variation[at], total_variation_critical=lines.critical[at],
        importance=column.importance, owner=text(side.said[at].owner or ""),
        bins=tuple(_bins(column, texts, lines.live[at] if samples else None)), quality=lines.quality.get(at, ()),
    )  # fmt: skip


def _ignored(side: Side, at: int) -> ColumnFacts:
    """It is there, and nobody looks at it."""
    column = side.columns[at]
    return ColumnFacts(
        side=side.word, name=text(column.name), kind=column.kind, standing=IGNORED, evidence_nats=None,
        slow_evidence_nats=None, since=None, happened="", diagnosis="", diagnosis_code="", window="", samples=0,
        total_variation=None, total_variation_critical=None, importance=column.importance,
        owner=text(side.said[at].owner or ""),
    )  # fmt: skip


def _bins(column: Column, texts: Texts, live: Sequence[float] | None) -> Iterator[Bin]:
    rows = column.rows or 1
    for place, words in texts:
        yield Bin(f"{place:02d}", words, column.counts[place] / rows, None if live is None else live[place])


def happened(side: Side, at: int, texts: Texts) -> str:
    """To a column that is named."""
    if side.told is None:
        return ""
    stream = int(side.streams[at])
    kind, shape = int(side.told.kind[stream]), SHAPES[int(side.told.shape[stream])]
    if kind != GREW:
        return _KINDS[KINDS[kind]] + _SHAPES[shape]
    grew = dict(texts).get(int(side.told.bin[stream]), f"bin {side.told.bin[stream]:02d}")
    return f"more values in “{grew}”{_SHAPES[shape]}"
