"""Reasons that are youth: what there is does not suffice yet to compare. Nobody is healthy who was not looked at."""

from collections.abc import Iterator
from typing import Final

from exporter.status.facts import BLIND, HEALTHY, LEARNING, Reason
from exporter.status.seen import Seen
from exporter.status.view import FEATURE, Side
from exporter.status.wording import plural

COLLECTING: Final = "Collecting"
NO_REQUEST: Final = "NoRequestYet"
FEW_ROWS: Final = "FewRows"
PAUSED: Final = "EvidencePaused"
CAREFUL: Final = "EvidenceCareful"


def reasons(seen: Seen) -> Iterator[Reason]:
    """What is waited for."""
    view = seen.view
    if not view.last_s:
        yield _not_asked(seen)
    if view.scene.profile is None and view.key in view.page.collecting:
        rows, needed = view.page.collecting[view.key], seen.settings.provisional.rows
        words = f"There is no reference yet: {rows:,} of {plural(needed, 'row')} that one is to be made of have come."
        yield Reason(COLLECTING, LEARNING, words)
    for side in view.sides:
        yield from _windows(seen, side)
    told = view.scene.snapshot.evidence
    if told is not None and told.planned:
        yield Reason(PAUSED, LEARNING, "No evidence is gathered during a planned event.")
    elif told is not None and not told.is_ready(view.listened):
        words = "Evidence still rests on careful defaults: drift is found, but later than it will be."
        yield Reason(CAREFUL, HEALTHY, words, float(told.began_s))


def _not_asked(seen: Seen) -> Reason:
    """Since the start; windows that were kept say how it was before, for as long as that is news."""
    started = seen.view.page.health.started_wall_s
    if not any(side.judged.any() for side in seen.view.sides):
        return Reason(NO_REQUEST, LEARNING, "No request has come yet.")
    verdict = BLIND if seen.view.now - started >= seen.limit("traffic.stopped_seconds") else HEALTHY
    words = "No request has come since the exporter was started: all of this is from before."
    return Reason(NO_REQUEST, verdict, words, started)


def _windows(seen: Seen, side: Side) -> Iterator[Reason]:
    """Too few columns have a window that holds enough: before that, whatever the others say, it is learning."""
    listened = len(side.columns) - int(side.ignored.sum())
    judged = int(side.judged.sum())
    if not listened or judged >= seen.limit("health.judged") * listened:
        return
    most = int(side.samples.max(initial=0))
    needed = seen.settings.windows.minimum_samples
    what = "features" if side.word == FEATURE else "outputs"
    words = f"{judged} of {listened} {what} have a window with enough values: {most:,} of {needed:,} so far."
    yield Reason(FEW_ROWS, LEARNING, words)
