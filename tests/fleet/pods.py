"""Replicas of a model as Prometheus sees them: pages of real families, whose counters are drawn from the reference."""

import dataclasses
import time
from typing import Any

import exposed
import numpy as np
from numpy.typing import NDArray

from exporter import catalogue
from exporter.collect import columns, reference
from exporter.collect.exposition import Samples
from exporter.collect.scene import Scene
from exporter.condition import ServerVitals
from exporter.evidence.bets import tilts
from exporter.evidence.streams import smoothed
from exporter.monitor import Monitor
from exporter.monitor.said import NOTHING_SAID, Said
from exporter.reference import MISSING, Profile
from exporter.sections import Windows
from exporter.snapshots import BlockSnapshot

COUNTED = "bin_total"
FAMILIES = ("reference", "bin_step", "bin_info", "override", "tolerance", "dependence", "wander", "weight",
            "snoozed", "profile_rows")  # fmt: skip
"""What of a page is asked for: the rest is left out, for the tests' sake."""
MODEL = ("churn", "7")


class Clock:
    snapshot_wall_s = 0.0


def calibrated(profile: Profile) -> Profile:
    """It knows what chance does to it, so that nobody has to wait for that."""

    def known(side: Any) -> Any:
        return tuple(dataclasses.replace(one, dependence=1.0, wander=0.0, reference_error=0.01) for one in side)

    return dataclasses.replace(profile, features=known(profile.features), outputs=known(profile.outputs))


def drifted(profile: Profile, name: str, share: float) -> dict[str, NDArray[np.float64]]:
    """Shares by bin of a feature of which so many values have moved up."""
    (column,) = [one for one in profile.features if one.name == name]
    exist = np.zeros((1, len(column.counts)), bool)
    exist[0, [place for place, _ in column.bins()]] = True
    shares = smoothed(np.array([column.counts], np.int64), exist)
    up = tilts(shares, MISSING)[0, 2]
    away = np.abs(up - shares[0]).sum() / 2
    return {name: shares[0] + share / away * (up - shares[0])}


class Pod:
    """One replica. `draw` is shared, so that each row is another one."""

    def __init__(self, profile: Profile, draw: np.random.Generator, started_s: float | None = None,
                 said: Said = NOTHING_SAID) -> None:  # fmt: skip
        self.profile, self._draw = profile, draw
        self.started_s = time.time() if started_s is None else started_s
        self._fixed = b""
        """What never changes of its page."""
        snapshot = Monitor(profile, Windows(), (), said).snapshot(1.0)
        self._snapshot = dataclasses.replace(
            snapshot, features=_bare(snapshot.features), outputs=_bare(snapshot.outputs)
        )  # fmt: skip

    def count(self, rows: int, other: dict[str, NDArray[np.float64]] | None = None) -> None:
        """Rows of the reference's distribution, but for columns that have another one."""
        for block, side in ((self._snapshot.features, self.profile.features),
                            (self._snapshot.outputs, self.profile.outputs)):  # fmt: skip
            assert block
            for at, column in enumerate(side):
                shares = (other or {}).get(column.name, np.array(column.counts) / column.rows)
                block.totals.bins[at, : len(shares)] += self._draw.multinomial(rows, shares)

    def page(self) -> bytes:
        """What it shows now."""
        if not self._fixed:
            self._fixed = exposed.render(
                [Samples(catalogue.START, [((), self.started_s)]), *self._rendered(reference.collect, FAMILIES),
                 *self._rendered(columns.collect, FAMILIES)]
            )  # fmt: skip
        return self._fixed + exposed.render(self._rendered(columns.collect, (COUNTED,)))

    def _rendered(self, collect: Any, words: tuple[str, ...]) -> list[Samples]:
        scene = Scene(*MODEL, self.profile, self._snapshot, ServerVitals(), Clock())  # type: ignore[arg-type]
        return [one for one in collect(scene) if any(word in one.family.name for word in words)]


def _bare(block: BlockSnapshot | None) -> BlockSnapshot:
    assert block
    return block._replace(totals=block.totals._replace(bins=block.totals.bins.copy()), aspects=())
