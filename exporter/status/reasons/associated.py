"""Whether the model answers the same values otherwise than in training, and whether rows are odd as a whole."""

from collections.abc import Iterator

import numpy as np

from exporter.snapshots import Measured, OfSide
from exporter.status.facts import Reason
from exporter.status.seen import Seen
from exporter.status.view import FEATURE, Side
from exporter.status.wording import listed, share, text


def reasons(seen: Seen) -> Iterator[Reason]:
    """To be read some day."""
    side = seen.view.side(FEATURE)
    if side is not None:
        if found := list(_otherwise(seen, side)):
            words = f"It answers the same values of features otherwise than in training: {listed(found)}."
            yield seen.reason("ModelAssociationDrift", words, column=found[0] if len(found) == 1 else "")
        yield from _unusual(seen, side)


def _otherwise(seen: Seen, side: Side) -> Iterator[str]:
    """Features whose association with an output has shifted beyond chance in a window, and enough in all."""
    shifts: dict[tuple[str, ...], list[Measured]] = {}
    critical: dict[tuple[tuple[str, ...], str], Measured] = {}
    for one in side.block.aspects:
        if isinstance(one, Measured) and one.word == "association_shift":
            shifts.setdefault(one.labels, []).append(one)
        elif isinstance(one, Measured) and one.word == "association_shift_critical":
            critical[one.labels, one.window] = one
    marks = np.zeros(len(side.columns), bool)
    least = seen.limit("drift.association_least")
    for labels, windows in shifts.items():
        values = np.stack([one.values for one in windows])
        limits = np.stack([critical[labels, one.window].values for one in windows])
        smallest = np.where(np.isnan(values), np.inf, values).min(axis=0)
        marks |= (values > limits).any(axis=0) & (smallest >= least)
    yield from (text(side.columns[at].name) for at in np.flatnonzero(marks & ~side.ignored).tolist())


def _unusual(seen: Seen, side: Side) -> Iterator[Reason]:
    """In a window beyond chance, and often enough in the shortest that suffices."""
    shares = {(one.word, one.window): one.value for one in side.block.aspects if isinstance(one, OfSide)}
    windows = [one.window for one in side.windows]
    beyond = any(
        shares.get(("unusual_rows_ratio", one), 0.0) > shares.get(("unusual_rows_ratio_critical", one), np.inf)
        for one in windows
    )
    freshest = {windows[at] for at in side.chosen[side.judged].tolist()}
    now = max((shares.get(("unusual_rows_ratio", one), 0.0) for one in freshest), default=0.0)
    if beyond and now >= seen.limit("drift.unusual_least"):
        words = f"{share(now)} of the rows are as unusual as one in a hundred was in training."
        yield seen.reason("ModelInputsUnusual", words)
