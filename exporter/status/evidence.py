"""How far a model is from a page, and what that rests on."""

import numpy as np

from exporter.config import Settings
from exporter.evidence.standing import DEFAULT, STAGES
from exporter.status.facts import EvidenceFacts
from exporter.status.view import View
from exporter.status.wording import plural

_DAY_S = 86400.0


def of(view: View, settings: Settings) -> EvidenceFacts | None:
    """None where none is gathered."""
    told = view.scene.snapshot.evidence
    if told is None:
        return None
    return EvidenceFacts(
        nats=float(told.nats), threshold_nats=float(told.threshold), slow_nats=float(told.slow_nats),
        slow_threshold_nats=float(told.slow_threshold), since=float(told.began_s),
        ready=told.is_ready(view.listened), rests_on=_rests_on(view), paused=bool(told.planned),
        days_between_false_pages=settings.evidence.false_page_every / _DAY_S,
    )  # fmt: skip


def _rests_on(view: View) -> str:
    """Measured, or which defaults."""
    told = view.scene.snapshot.evidence
    if told is None or told.is_ready(view.listened):
        return "measured"
    defaults = int((told.source[view.listened] == DEFAULT).sum())
    if defaults:
        columns = plural(int(np.size(view.listened)), "column")
        return f"{STAGES[told.stage]} defaults of {defaults} of {columns}, until traffic is known"
    return "requests that come as one are measured, hours are not yet"
