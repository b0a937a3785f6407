"""What was counted lately: pages say what was counted since the start, alerts ask for the last minutes.

A few numbers of each page are remembered for an hour and a little more, one page in so many minutes.
"""

import threading
from collections import deque
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.collect.scene import Page, Scene
from exporter.records import DURATION_BOUNDS, SIDES
from exporter.snapshots import BlockSnapshot

HOUR_S: Final = 3600.0
QUARTER_S: Final = 900.0
MINUTES_S: Final = 300.0
_APART_S: Final = 150.0
_MOST: Final = 26
"""Pages: the last hour, and a little more."""
NOT_THEIRS: Final = frozenset(("error_status", "shed", "sampled"))
"""Why payloads were not decoded that is no fault of theirs."""
Key = tuple[str, str]
Wrong = Mapping[str, NDArray[np.float64]]
RANGE, UNSEEN, TYPE, INFINITE, ALL = "range", "unseen", "type", "infinite", "all"


class Counts(NamedTuple):
    """Of one model, since the start, or over some time."""

    numbers: Mapping[str, float]
    columns: tuple[Wrong, ...]
    """Of features, and of outputs: values that cannot be right, by how, shape (columns,); and all."""

    def of(self, word: str) -> float:
        """One number; 0 where nothing was counted."""
        return self.numbers.get(word, 0.0)

    def ratio(self, word: str, of: str, least: float = 1.0) -> float | None:
        """Of another one; None where that is not as many."""
        whole = self.of(of)
        return self.of(word) / whole if whole >= least and whole else None


class _Seen(NamedTuple):
    """A page, and when it was."""

    at: float
    models: Mapping[Key, Counts]


class Recent:
    """Told of page after page; asked from any thread."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=_MOST)
        self._lock = threading.Lock()
        self.servers_up_s: float | None = None
        """When the model server was last seen to accept connections."""

    def look(self, page: Page) -> None:
        """At the counts of a page."""
        at = page.health.snapshot_wall_s
        if any(scene.server.watched and scene.server.up for scene in page.scenes):
            self.servers_up_s = at
        if not self._seen or not 0 <= at - self._seen[-1].at < _APART_S:
            seen = _Seen(at, {scene.labels: counted(scene, page) for scene in page.scenes if scene.visible})
            with self._lock:
                if self._seen and at < self._seen[-1].at:  # the clock was set back
                    self._seen.clear()
                self._seen.append(seen)

    def over(self, scene: Scene, page: Page, seconds: float) -> Counts:
        """What was counted in the last so many seconds, or since the start, or the first page, if less long ago.

        A model that is new was never counted before; of one whose counts have begun anew all of them are new.
        """
        now, here = page.health.snapshot_wall_s, counted(scene, page)
        before = self._until(now - seconds)
        if before:
            return _less(here, before.models.get(scene.labels))
        with self._lock:
            first = self._seen[0] if self._seen else None
        if now - page.health.started_wall_s <= seconds:
            return here
        if first is None or first.at >= now:  # an analyser that begins anew, beside counts that are older
            return _less(here, here)
        return _less(here, first.models.get(scene.labels))

    def before(self, scene: Scene, page: Page, seconds: float) -> Counts | None:
        """What was counted from the start until so many seconds ago; None where nobody remembers."""
        found = self._until(page.health.snapshot_wall_s - seconds)
        return found and found.models.get(scene.labels)

    def _until(self, at: float) -> _Seen | None:
        """The last page that is remembered of that moment, or from before."""
        with self._lock:
            return next((one for one in reversed(self._seen) if one.at <= at), None)


def counted(scene: Scene, page: Page) -> Counts:
    """What a page says of a model, and of its exporter."""
    snapshot, relay = scene.snapshot, page.health.relay
    traffic, decoding = snapshot.traffic, snapshot.decoding
    requests = sum(traffic.codes.values())
    cut_off = relay.incomplete.get("upstream", 0)
    numbers: dict[str, float] = {
        "requests": requests + cut_off,
        "failures": sum(n for code, n in traffic.codes.items() if code.startswith("5")) + cut_off,
        "observed": snapshot.rows.observed, "served": snapshot.rows.served,
        "failed rows": snapshot.rows.failed.get("5xx", 0),
        "offered": relay.offered, "dropped": sum(relay.dropped.values()), "shed": sum(relay.bodies_shed.values()),
        "restarts": sum(page.health.restarts.values()), "state errors": sum(page.health.state.errors.values()),
        "answers": sum(traffic.duration.counts),
    }  # fmt: skip
    running = np.cumsum(traffic.duration.counts).tolist()
    numbers |= {f"within {bound:g}": count for bound, count in zip(DURATION_BOUNDS, running, strict=False)}
    for side, block in zip(SIDES, (snapshot.features, snapshot.outputs), strict=True):
        numbers[f"{side} offered"] = decoding.offered.get(side, 0)
        numbers[f"{side} undecoded"] = sum(
            count for (of, reason, _), count in decoding.undecoded.items() if of == side and reason not in NOT_THEIRS
        )
        if block is not None:
            numbers[f"{side} payloads"] = block.match.payloads
            numbers[f"{side} mismatched"] = block.match.mismatched
    return Counts(numbers, tuple(_wrong(block) for block in (snapshot.features, snapshot.outputs)))


def _wrong(block: BlockSnapshot | None) -> Wrong:
    if block is None:
        return {}
    quality, types = block.totals.quality, block.totals.type_errors.astype(np.float64)
    return {
        RANGE: quality["out_of_range"], UNSEEN: quality["unseen"], TYPE: types,
        INFINITE: quality["nonfinite"] - types, ALL: block.totals.bins.sum(axis=1).astype(np.float64),
    }  # fmt: skip


def _less(now: Counts, before: Counts | None) -> Counts:
    """What came since; all of it where counts have begun anew."""
    if before is None or any(now.of(word) < value for word, value in before.numbers.items()):
        return now
    numbers = {word: value - before.of(word) for word, value in now.numbers.items()}
    columns = zip(now.columns, before.columns, strict=True)
    return Counts(numbers, tuple(_since(side, old) for side, old in columns))


def _since(now: Wrong, before: Wrong) -> Wrong:
    """Of another profile all values are new."""
    if not now or not before or now[ALL].shape != before[ALL].shape or np.any(now[ALL] < before[ALL]):
        return now
    return {word: values - before[word] for word, values in now.items()}
