"""Streams of a made-up model, and the pages that an engine would have sent."""

from collections.abc import Callable
from typing import Any

import numpy as np

from exporter.evidence.bets import tilts
from exporter.evidence.engine import Engine
from exporter.evidence.streams import Stream

MONDAY = 1_790_553_600.0
"""00:00 UTC."""
EXIST = (True,) * 11 + (False, False) + (True,) * 3
SHARES = np.array([0.01, *(0.098,) * 10, 0, 0, 0.008, 0.002, 0])
TRAINING = 50_000


def stream(**more: Any) -> Stream:
    """One of numbers, in ten bins."""
    counts = tuple(np.rint(SHARES * TRAINING).astype(int).tolist())
    return Stream(counts, EXIST, ordered=14, **{"error": 0.01, **more})


def moved(share: float) -> Any:
    """The shares, so many of them moved up."""
    up = tilts(SHARES[None], 14)[0, 2]
    return SHARES + share / (np.abs(up - SHARES).sum() / 2) * (up - SHARES)


def fed(
    engine: Engine, panes: range, counts: Callable[[int], Any], pane_s: float = 60.0, from_s: float = MONDAY
) -> list[int]:
    """The panes at which it paged: where evidence reached the threshold after it had been three nats below it."""
    pages, armed = [], True
    for pane in panes:
        wall_s = from_s + pane * pane_s
        engine.pane(counts(pane), wall_s)
        nats, threshold = engine.model(wall_s), engine.terms.page.threshold
        if armed and nats >= threshold:
            pages.append(pane)
            armed = False
        armed = armed or nats < threshold - 3
    return pages
