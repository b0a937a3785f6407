"""Reasons that are drift: evidence, which pages, and scores, which make tickets."""

from collections.abc import Iterator, Sequence

import numpy as np

from exporter.evidence.verdict import Verdict
from exporter.override import IGNORE, PAGE, TICKET
from exporter.status import segments
from exporter.status.facts import ACT, WATCH, Reason
from exporter.status.reasons import associated
from exporter.status.reasons.stuck import collapsed, stuck
from exporter.status.seen import Seen
from exporter.status.view import FEATURE, Marks, Side
from exporter.status.wording import listed, plural, text


def reasons(seen: Seen) -> Iterator[Reason]:
    """The evidence first."""
    told = seen.view.scene.snapshot.evidence
    if told is not None and not seen.is_idle:
        yield from _evidence(seen, told)
        yield from _skew(seen, told)
    for side in seen.view.sides:
        yield from _scores(seen, side)
    yield from _many(seen)
    yield from associated.reasons(seen)
    yield from _parts(seen)


def _parts(seen: Seen) -> Iterator[Reason]:
    pages, tickets = list[str](), list[str]()
    for one, severities in segments.drifted(seen):
        (pages if PAGE in severities else tickets).append(one.text)
    for verdict, found in ((ACT, pages), (WATCH, tickets)):
        if found:
            words = f"Parts of the traffic no longer look like training: {listed(list(dict.fromkeys(found)))}."
            yield seen.reason("ModelSegmentDrift", words, verdict=verdict)


def names(side: Side, marks: Marks) -> list[str]:
    """Of columns that are marked."""
    return [text(side.columns[at].name) for at in np.flatnonzero(marks).tolist()]


# --- evidence


def _evidence(seen: Seen, told: Verdict) -> Iterator[Reason]:
    moved = sum(int(side.named.sum()) for side in seen.view.sides)
    total = int(seen.view.listened.size)
    since, column = _onset(seen), _only_named(seen)
    if told.nats >= told.threshold:
        yield seen.reason(
            "ModelDrift", f"{moved} of {plural(total, 'column')} drifted: evidence is {told.nats:.1f} nats; it pages"
            f" from {told.threshold:.1f} on.", since, column,
        )  # fmt: skip
    elif _of_tickets(seen, told) >= told.threshold:
        yield seen.reason("ModelDriftTicket", "Columns drifted that may not page, as overrides say.", since, column)
    if told.slow_nats >= told.slow_threshold:
        yield seen.reason(
            "ModelDriftSlow", f"It drifts slowly: evidence is {told.slow_nats:.1f} nats; it makes a ticket"
            f" from {told.slow_threshold:.1f} on.", since, column,
        )  # fmt: skip
    unready_s = seen.limit("drift.unready_for")
    if not told.is_ready(seen.view.listened) and seen.view.now - told.began_s > unready_s:
        yield seen.reason(
            "ModelEvidenceUnready", "Evidence has rested on careful defaults for days: drift is found late."
        )


def _of_tickets(seen: Seen, told: Verdict) -> float:
    """Evidence of columns that may not page, as the mean of their capital."""
    streams = [
        int(side.streams[at]) for side in seen.view.sides for at, rule in enumerate(side.said)
        if rule.severity_at(seen.view.now) == TICKET and told.monitored[side.streams[at]]
    ]  # fmt: skip
    return float(np.log(np.mean(np.exp(np.minimum(told.streams[streams], 700.0))))) if streams else -np.inf


def _onset(seen: Seen) -> float | None:
    onsets = [float(side.told.onset_s[side.streams[side.named]].min())
              for side in seen.view.sides if side.told is not None and side.named.any()]  # fmt: skip
    return min(onsets, default=None)


def _only_named(seen: Seen) -> str:
    """The column, where one alone is named."""
    found = [name for side in seen.view.sides for name in names(side, side.named)]
    return found[0] if len(found) == 1 else ""


def _skew(seen: Seen, told: Verdict) -> Iterator[Reason]:
    found = []
    for side in seen.view.sides:
        silent = np.array([rule.severity_at(seen.view.now) == IGNORE for rule in side.said])
        found += names(side, (told.skew > told.skew_critical)[side.streams] & ~silent)
    if found:
        words = f"Served other data than it was trained on since its first row: {listed(found)}."
        yield seen.reason("ModelTrainingServingSkew", words, told.began_s, found[0] if len(found) == 1 else "")


# --- scores


def drifted(seen: Seen, side: Side) -> Marks:
    """Columns with scores beyond chance and beyond what is tolerated, in the freshest window that suffices, too."""
    much = side.score("total_variation") > side.tolerated(seen.limit("drift.tolerance"))
    found = (side.beyond & much).any(axis=0) & side.at_chosen(much).astype(bool) & side.judged
    if side.word == FEATURE:
        found &= ~absent(seen, side) & ~stuck(seen, side) & ~collapsed(seen, side)
    return np.asarray(found)


def absent(seen: Seen, side: Side) -> Marks:
    """Of which every value of a window that suffices is missing, where the reference misses few."""
    few = np.array(
        [_missed(side, at) < seen.limit("quality.absent_reference_below") for at in range(len(side.columns))]
    )
    gone = (side.ratio("missing") == 1) & side.sufficient
    return np.asarray(gone.any(axis=0) & side.at_chosen(gone).astype(bool) & few & side.judged)


def _missed(side: Side, at: int) -> float:
    column = side.columns[at]
    return sum(column.counts[place] for place in column.quality_bins()["missing"]) / (column.rows or 1)


def by_severity(seen: Seen, side: Side, marks: Marks) -> Iterator[tuple[str, list[str]]]:
    """Names of columns that page, and of those that make a ticket, as overrides say; of one that is snoozed nothing."""
    severities = np.array([rule.severity_at(seen.view.now) for rule in side.said])
    for verdict, among in ((ACT, severities == PAGE), (WATCH, (severities != PAGE) & (severities != IGNORE))):
        if found := names(side, marks & among):
            yield verdict, found


def _scores(seen: Seen, side: Side) -> Iterator[Reason]:
    code, what = ("ModelFeatureDrift", "feature") if side.word == FEATURE else ("ModelPredictionDrift", "output")
    for verdict, found in by_severity(seen, side, drifted(seen, side)):
        looks = "no longer looks" if len(found) == 1 else "no longer look"
        words = f"{plural(len(found), what)} {looks} like {seen.reference}: {listed(found)}."
        yield seen.reason(code, words, _since(side, found), found[0] if len(found) == 1 else "", verdict)


def _since(side: Side, found: Sequence[str]) -> float | None:
    """When the first of them began to move, as far as evidence names it."""
    if side.told is None:
        return None
    onsets = [float(side.told.onset_s[side.streams[at]]) for at, column in enumerate(side.columns)
              if side.named[at] and text(column.name) in found]  # fmt: skip
    return min(onsets, default=None)


def _many(seen: Seen) -> Iterator[Reason]:
    side = seen.view.side(FEATURE)
    if side is None:
        return
    severities = np.array([rule.severity_at(seen.view.now) for rule in side.said])
    found = drifted(seen, side) & (severities != TICKET) & (severities != IGNORE)
    count, judged = int(found.sum()), int(side.judged.sum())
    if count >= seen.limit("drift.many_least") and count >= seen.limit("drift.many_ratio") * judged:
        words = f"{count} of {judged} features no longer look like {seen.reference}, all at once."
        yield seen.reason("ModelManyFeaturesDrift", words, _since(side, names(side, found)))
