"""Parts of the traffic that stand out: by drift, by errors against training, by errors against all the rest."""

from collections.abc import Iterator

import numpy as np

from exporter.findings import SegmentScores
from exporter.status.facts import Segment
from exporter.status.view import View
from exporter.status.wording import share, text

_MOST = 20


def of(view: View) -> tuple[Segment, ...]:
    """The worst served first; no more than some."""
    return (*worse(view), *erring(view), *drifted(view))[:_MOST]


def worse(view: View) -> tuple[Segment, ...]:
    """Those that a search found to be served worse than the rest."""
    performed = view.scene.snapshot.performed
    searched = performed.searched if performed else None
    return tuple(
        Segment(
            text(one.text), "", one.rows,
            f"wrong {one.error:.1%} of {one.rows:,} answers, all others {one.others_error:.1%}"
            f" ({one.nats:.1f} of {searched.threshold:.1f} nats)", one.began_s,
        ) for one in searched.worst
    ) if searched else ()  # fmt: skip


def erring(view: View) -> tuple[Segment, ...]:
    """Those with more errors than their training data and chance explain."""
    performed = view.scene.snapshot.performed
    return tuple(
        Segment(
            text(f"{one.segment}={one.value}"), one.window, one.samples,
            f"wrong {share(one.error)} of truths, in training {share(one.error_training)}",
        )
        for one in (performed.segments if performed else ())
        if one.sufficient and one.error > one.error_critical
    )  # fmt: skip


def drifted(view: View) -> tuple[Segment, ...]:
    """Those of which a column moved beyond chance."""
    found, snapshot = dict[tuple[str, str], Segment](), view.scene.snapshot.segments
    for side, scores in zip(view.sides, ((snapshot.features, snapshot.outputs) if snapshot else ()), strict=False):
        names = [text(column.name) for column in side.columns]
        for one in scores:
            found |= {(each.text, each.window): each for each in _moved(one, names, side.ignored)}
    return tuple(found.values())


def _moved(one: SegmentScores, names: list[str], ignored: "np.typing.NDArray[np.bool_]") -> Iterator[Segment]:
    beyond = (one.total_variation > one.critical) & one.sufficient[:, None] & ~ignored
    for at in np.flatnonzero(beyond.any(axis=1)).tolist():
        value = one.values[at]
        if value is not None:
            over = np.where(beyond[at], one.total_variation[at], -1.0)
            most = int(over.argmax())
            why = f"{share(float(over[most]))} of the values of {names[most]} are in other bins than in training"
            yield Segment(text(f"{one.segment}={value}"), one.window, int(one.samples[at]), why)
