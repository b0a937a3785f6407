"""The verdict on one model: every reason there is, the most urgent first, and one sentence.

A model is healthy only if something was compared that suffices.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from exporter.status import columns
from exporter.status.facts import ACT, BLIND, HEALTHY, LEARNING, VERDICTS, WATCH, Judgement, Reason
from exporter.status.reasons import OF_SERVED, OF_SHADOWS, drifting, seeing
from exporter.status.seen import Seen
from exporter.status.unseen import sentences
from exporter.status.view import Side
from exporter.status.wording import clock, listed, plural, share, text

_WORDS: Final = {ACT: "Act", WATCH: "Watch", BLIND: "Blind", LEARNING: "Learning", HEALTHY: "Healthy"}
_WORTH_SAYING: Final = 0.01
"""Of what pages: below that, evidence is none."""
_SINCE: Final = " since "
"""In a diagnosis: when it began, which the sentence has said by then."""
_FIRST: Final = frozenset(("ModelServerDown", "ModelErrors", seeing.OFF))
"""Before others that are as urgent: while it is so, little else is to be believed."""
_DRIFT: Final = frozenset(("ModelDrift", "ModelDriftTicket", "ModelDriftSlow", "ModelManyFeaturesDrift",
                           "ModelFeatureDrift", "ModelPredictionDrift"))  # fmt: skip


def judged(seen: Seen) -> Judgement:
    """All that is to be said of a model."""
    found = [reason for of in (OF_SHADOWS if seen.view.is_shadow else OF_SERVED) for reason in of(seen)]
    found.sort(key=lambda one: (VERDICTS.index(one.verdict), one.code not in _FIRST))
    verdict = found[0].verdict if found else HEALTHY
    if verdict == HEALTHY and not _is_compared(seen):
        verdict = LEARNING
    return Judgement(verdict, f"{_WORDS[verdict]}: {_sentence(seen, verdict, found)}", tuple(found), sentences(seen))


def _is_compared(seen: Seen) -> bool:
    return any(bool(side.judged.any()) for side in seen.view.sides)


def _sentence(seen: Seen, verdict: str, found: Sequence[Reason]) -> str:
    """What a tired person reads."""
    if verdict == HEALTHY:
        return _healthy(seen)
    first = next((one for one in found if one.verdict == verdict), None)
    if first is None:
        return "nothing has been compared yet that suffices."
    if first.code in _DRIFT and (moved := _moved(seen)):
        return moved
    more = sum(one.verdict == verdict for one in found) - 1
    since = f" Since {clock(first.since, seen.view.now)}." if first.since and verdict != BLIND else ""
    beside = f" And {plural(more, 'other finding')}." if more else ""
    return f"{first.text[:1].lower()}{first.text[1:]}{since}{beside}" if first.text[:1].isupper() else first.text


def _healthy(seen: Seen) -> str:
    """Which is no certainty: what was compared, and how far it is from a page."""
    judged_ = sum(int(side.judged.sum()) for side in seen.view.sides)
    told = seen.view.scene.snapshot.evidence
    words = f"nothing that is looked at differs beyond chance in {plural(judged_, 'column')}"
    if any(bool(side.moved.any()) for side in seen.view.sides):
        words = f"no more has moved than is tolerated, in {plural(judged_, 'column')}"
    if told is None:
        return f"{words}; no evidence is gathered."
    part = max(float(told.nats), 0.0) / told.threshold if told.threshold > 0 else 0.0
    return f"{words}; evidence is {f'at {share(part)}' if part >= _WORTH_SAYING else 'below 1 %'} of what pages."


def _moved(seen: Seen) -> str:
    """How many columns moved, since when, and what seems to have happened to the first of them."""
    sides = seen.view.sides
    marks = [side.named | drifting.drifted(seen, side) for side in sides]
    names = [name for side, mark in zip(sides, marks, strict=True) for name in drifting.names(side, mark)]
    if not names:
        return ""
    total = sum(len(side.columns) for side in sides)
    onsets = [float(side.told.onset_s[side.streams[side.named]].min())
              for side in sides if side.told is not None and side.named.any()]  # fmt: skip
    since = f" since {clock(min(onsets), seen.view.now)}" if onsets else ""
    what = _what(seen, {side.word for side, mark in zip(sides, marks, strict=True) if mark.any()}, total)
    told = max(
        ((_weight(side, at), sentence) for side, mark in zip(sides, marks, strict=True)
         for at, (_, sentence) in side.diagnoses.items() if mark[at]), default=((0.0, 0.0), ""),
    )[1]  # fmt: skip
    said = text(told).rpartition(_SINCE)[0] if since and _SINCE in told else text(told)
    head = f"{len(names)} of {what} moved{since}"
    return f"{head}; {said.rstrip('.')}." if said else f"{head}: {_happened(sides, names)}."


def _happened(sides: Sequence[Side], names: Sequence[str]) -> str:
    """Where nobody can explain it: which they are, and of a single one what evidence saw."""
    for side in sides if len(names) == 1 else ():
        for at in np.flatnonzero(side.named).tolist():
            if text(side.columns[at].name) == names[0]:
                return f"{listed(names)}, {text(columns.happened(side, at, side.columns[at].bins()))}"
    return listed(names)


def _weight(side: Side, at: int) -> tuple[float, float]:
    """How much of what the model looks at has moved there, as far as it is known; then the evidence."""
    moved = float(np.nan_to_num(side.at_chosen(side.score("total_variation")))[at])
    nats = float(side.told.streams[side.streams[at]]) if side.told is not None else 0.0
    return moved * (side.columns[at].importance or 0.0), nats


def _what(seen: Seen, words: set[str], total: int) -> str:
    if len(words) == 1:
        word = words.pop()
        side = seen.view.side(word)
        return plural(len(side.columns) if side else total, word)
    return plural(total, "column")
