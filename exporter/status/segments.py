"""Parts of the traffic that stand out: by drift, by errors against training, by errors against all the rest."""

from collections.abc import Iterator, Sequence

import numpy as np

from exporter.findings import SegmentScores
from exporter.override import IGNORE
from exporter.status.facts import Segment
from exporter.status.seen import Seen
from exporter.status.view import FEATURE, Marks, Side, Values, View
from exporter.status.wording import share, text

_MOST = 20


def of(seen: Seen) -> tuple[Segment, ...]:
    """The worst served first; no more than some."""
    return (*worse(seen.view), *erring(seen.view), *(one for one, _ in drifted(seen)))[:_MOST]


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


def drifted(seen: Seen) -> Iterator[tuple[Segment, frozenset[str]]]:
    """Those that no longer look as the same part of the training data, as the alert has it; and what may come of it.

    More has moved than chance and people's tolerance explain, in the shortest window that suffices, too; and not where
    all the traffic together shows the same.
    """
    snapshot = seen.view.scene.snapshot.segments
    for side in seen.view.sides if snapshot else ():
        scores = (snapshot.features if side.word == FEATURE else snapshot.outputs) if snapshot else ()
        tolerated = side.tolerated(seen.limit("drift.tolerance"))
        severities = [rule.severity_at(seen.view.now) for rule in side.said]
        for way in dict.fromkeys(one.segment for one in scores):
            yield from _moved(side, [one for one in scores if one.segment == way], tolerated, severities)


def _moved(
    side: Side, windows: Sequence[SegmentScores], tolerated: Values, severities: Sequence[str]
) -> Iterator[tuple[Segment, frozenset[str]]]:
    """Of one way to divide traffic; arrays have shape (windows, values, columns)."""
    moved = np.stack([one.total_variation for one in windows])
    much = moved > tolerated
    beyond = much & (moved > np.stack([one.critical for one in windows]))
    beyond &= np.stack([one.sufficient for one in windows])[:, :, None] & ~_of_all(side, windows, tolerated)[:, None]
    beyond &= (much & _freshest(windows)[:, :, None]).any(axis=0) & np.array([one != IGNORE for one in severities])
    for at in np.flatnonzero(beyond.any(axis=(0, 2))).tolist():
        window = int(beyond[:, at].any(axis=1).argmax())
        one, most = windows[window], int(np.where(beyond[window, at], moved[window, at], -1.0).argmax())
        share_of = share(float(moved[window, at, most]))
        why = f"{share_of} of the values of {text(side.columns[most].name)} are in other bins than in training"
        found = frozenset(severities[column] for column in np.flatnonzero(beyond[:, at].any(axis=0)).tolist())
        yield Segment(text(f"{one.segment}={one.values[at]}"), one.window, int(one.samples[at]), why), found


def _of_all(side: Side, windows: Sequence[SegmentScores], tolerated: Values) -> Marks:
    """Where all the traffic together has moved as much, shape (windows, columns)."""
    scores = side.score("total_variation")
    beyond = (scores > side.critical("total_variation")) & (scores > tolerated)
    found = dict(zip((one.window for one in side.windows), beyond, strict=True))
    return np.stack([found.get(one.window, np.zeros(len(side.columns), bool)) for one in windows])


def _freshest(windows: Sequence[SegmentScores]) -> Marks:
    """The shortest windows that suffice, shape (windows, values)."""
    samples = np.stack([one.samples for one in windows])
    enough = np.stack([one.sufficient for one in windows])
    least = np.where(enough, samples, np.iinfo(np.int64).max).min(axis=0)
    return np.asarray(samples == least)
