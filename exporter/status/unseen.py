"""What is not observed of a model, and why: each a sentence."""

from collections.abc import Iterator

import numpy as np

from exporter.records import SIDES
from exporter.status.recent import NOT_THEIRS
from exporter.status.seen import Seen
from exporter.status.view import Side
from exporter.status.wording import listed, plural, share, text

_WHAT = {"request": "requests", "response": "answers"}
_PLURAL = {"feature": "features", "output": "outputs"}


def sentences(seen: Seen) -> tuple[str, ...]:
    """What hides most first."""
    return (*_traffic(seen), *_payloads(seen), *_sides(seen), *_truth(seen), *_server(seen))


def _traffic(seen: Seen) -> Iterator[str]:
    relay = seen.view.page.health.relay
    dropped = {reason: count for reason, count in relay.dropped.items() if count}
    if dropped:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in dropped.items())
        yield f"{plural(sum(dropped.values()), 'exchange')} of {relay.offered:,} were lost: {reasons}."
    shed = sum(relay.bodies_shed.values())
    if shed:
        yield f"Bodies of {plural(shed, 'exchange')} were not looked into, by lot or for want of memory."
    unobservable = {reason: count for reason, count in relay.unobservable.items() if count}
    if unobservable:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in unobservable.items())
        yield f"{plural(sum(unobservable.values()), 'connection')} were relayed unobserved: {reasons}."


def _payloads(seen: Seen) -> Iterator[str]:
    decoding = seen.view.scene.snapshot.decoding
    for side in SIDES:
        lost: dict[str, int] = {}
        for (of, reason, _), count in decoding.undecoded.items():
            if of == side and count and reason not in NOT_THEIRS:
                lost[reason] = lost.get(reason, 0) + count
        if lost:
            ratio = sum(lost.values()) / max(decoding.offered.get(side, 0), 1)
            reasons = ", ".join(
                f"{reason} {count:,}" for reason, count in sorted(lost.items(), key=lambda one: -one[1])
            )
            yield f"{share(ratio)} of the {_WHAT[side]} could not be decoded: {reasons}."
    unknown = seen.view.scene.snapshot.rows.unknown_fields
    if unknown and seen.view.scene.profile is not None:
        yield f"{plural(unknown, 'value')} came under names that the profile does not have: nobody watches them."


def _sides(seen: Seen) -> Iterator[str]:
    profile, snapshot = seen.view.scene.profile, seen.view.scene.snapshot
    if profile is None:
        yield "Features and outputs are not compared: there is no reference."
        return
    if not profile.outputs:
        yield "Outputs are not watched: the profile has none."
    if snapshot.unreadable:
        columns = plural(snapshot.unreadable, "column")
        yield f"{columns} are hashed under a salt that this exporter does not have: nothing is counted of them."
    for side in seen.view.sides:
        yield from _columns(side)
    if not seen.settings.evidence.enable:
        yield "No evidence of drift is gathered: the settings say so."
    elif snapshot.evidence is None and any(int(side.samples.sum()) for side in seen.view.sides):
        yield "No evidence of drift is gathered: the columns allow none."


def _columns(side: Side) -> Iterator[str]:
    few = ~side.judged & ~side.ignored
    what = _PLURAL[side.word]
    for marks, why in (
        (side.ignored, f"{{}} of {len(side.columns)} {what} are ignored, as overrides say: {{}}."),
        (few, f"{{}} of {len(side.columns)} {what} have too few values to be judged: {{}}."),
        (_unmonitored(side), f"{{}} of {len(side.columns)} {what} need so much tolerance that they cannot page: {{}}."),
    ):  # fmt: skip
        if count := int(marks.sum()):
            yield why.format(count, listed([text(side.columns[at].name) for at in np.flatnonzero(marks).tolist()]))


def _unmonitored(side: Side) -> "np.typing.NDArray[np.bool_]":
    if side.told is None:
        return np.zeros(len(side.columns), bool)
    return np.asarray(~side.told.monitored[side.streams] & ~side.ignored)


def _truth(seen: Seen) -> Iterator[str]:
    performed, rows = seen.view.scene.snapshot.performed, seen.view.scene.snapshot.rows
    if performed is None:
        yield "How good its answers are is not known: nobody tells the truth (POST /feedback)."
    elif not any(one.sufficient for one in performed.judged):
        yield "How good its answers are is not known yet: too few truths have come."
    if performed is not None and rows.predictions_without_id:
        yield f"{plural(rows.predictions_without_id, 'prediction')} had no id: no truth can be joined to them."


def _server(seen: Seen) -> Iterator[str]:
    server = seen.view.scene.server
    if server.watched and not server.visible:
        yield "CPU and memory of the model server: its process cannot be seen from here."
