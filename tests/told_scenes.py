"""Traffic of every kind before somebody who tells of it: rows of the training data, drifted, broken, or none at all."""

import dataclasses
from typing import Any, Final

import numpy as np
from monitor_scenes import DECODER, FEATURES, exchange, training_rows

from exporter import config
from exporter.collect.scene import Page, Scene
from exporter.condition import Health, ServerVitals
from exporter.guarantees import Evidence
from exporter.handoff import report, ring
from exporter.handoff.ring import Ring
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.said import Said
from exporter.override import Override, Overrides
from exporter.reference import Profile
from exporter.rules import files
from exporter.sections import Windows
from exporter.snapshots import Snapshot
from exporter.status.facts import Judgement, ModelFacts
from exporter.status.told import Told

MODEL, VERSION = "m", "7"
PANE_S: Final = 60.0
WALL: Final = 1_700_000_000.0
"""Unix time when the clock of exchanges showed 0."""
KNOWN: Final = Override(dependence=1.0, wander=0.0)
CALM: Final = Overrides(features={"*": KNOWN}, outputs={"*": KNOWN})
SETTINGS: Final = config.resolve(("test", {"upstream": "http://127.0.0.1:9", "provisional.rows": 1000}))
UP: Final = ServerVitals(up=True, visible=True)
ROWS: Final = training_rows(3000)
_YOUNG_S: Final = 290.0
"""How long ago the exporter was started, where it is not said: all that was counted is lately."""
Row = dict[str, Any]


def rows_of(pane: int, count: int = 100) -> tuple[list[Row], list[float]]:
    """Rows of the training data, and their answers."""
    places = np.random.default_rng(pane).integers(0, 3000, count).tolist()
    return [{name: ROWS[name][at] for name in FEATURES} for at in places], [ROWS["score"][at] for at in places]


def times_hundred(rows: list[Row]) -> list[Row]:
    """Amounts in cents."""
    return [row | {"amount": row["amount"] and row["amount"] * 100} for row in rows]


class World:
    """One model, and what is told of it page by page."""

    def __init__(self, profile: Profile | None, said: Overrides = CALM, **settings: Any) -> None:
        self.profile = profile
        watching = Watching(Evidence(**settings), lambda at: at + WALL)
        self.monitor = Monitor(profile, Windows(), (), Said(said), watching)
        self.told = Told(SETTINGS, files.defaults)
        self.now = 0.0
        self.server, self._ring = UP, Ring(ring.create(1 << 16))
        self.collecting: dict[tuple[str, str], int] = {}
        self.changes: dict[str, Any] = {}
        """Of health."""

    def see(self, panes: range, change: Any = lambda rows: rows, count: int = 100, **changes: Any) -> "World":
        """Panes of rows, one request in each."""
        for pane in panes:
            rows, answers = rows_of(pane, count)
            self.send(change(rows), answers, pane * PANE_S, **changes)
        return self

    def send(self, rows: Any, answers: Any, at: float, **changes: Any) -> None:
        said = exchange(rows, answers, at, wall_ns=round((WALL + at) * 1e9), **changes)
        self.monitor.observe(said, DECODER.decode(said))
        self.now = max(self.now, at + 1)

    def observing(self, enabled: bool) -> None:
        report.observe([self._ring], enabled)

    def page(self, **changes: Any) -> Page:
        """As it is now; `changes` are of the snapshot."""
        self.monitor.flush()
        health = Health(
            started_wall_s=WALL + max(self.now - _YOUNG_S, -10.0), observed=0, relay=report.relay([self._ring], 0, 0),
            snapshot_wall_s=WALL + self.now,
        )  # fmt: skip
        health = dataclasses.replace(health, **self.changes)
        snapshot: Snapshot = dataclasses.replace(self.monitor.snapshot(self.now), **changes)
        scene = Scene(MODEL, VERSION, self.profile, snapshot, self.server, health)
        return Page((scene,), health, collecting=self.collecting)

    def model(self, **changes: Any) -> ModelFacts:
        """What is told now."""
        self.told.show(self.page(**changes))
        found = self.told.now()
        assert found is not None
        return found.models[0]

    def judged(self, **changes: Any) -> Judgement:
        return self.model(**changes).judgement

    def codes(self, **changes: Any) -> dict[str, str]:
        """Verdicts by the reasons' codes."""
        return {one.code: one.verdict for one in self.judged(**changes).reasons}
