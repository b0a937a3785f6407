"""The status and the shipped alerts never contradict: both see the same pages, minute by minute."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from alerted import Scraped
from monitor_scenes import make_profile
from told_scenes import CALM, KNOWN, PANE_S, WALL, Row, World, times_hundred

from exporter.condition import DependencyState
from exporter.override import Overrides
from exporter.status import alarms
from exporter.status.facts import ACT, BLIND, HEALTHY, WATCH

CALM_PANES, PANES = 25, 45
SAID = Overrides(features={"city": dataclasses.replace(KNOWN, severity="page"), "*": KNOWN}, outputs=CALM.outputs)
"""Of one feature alone scores page."""
SEVERITIES = {ACT: "critical", WATCH: "warning", BLIND: "warning", HEALTHY: "info"}
DOWN = DependencyState("redis", "tcp://redis:1", "refused", "nothing listens")
INHIBITED = "ModelServerReplicaDown"
"""Told of by Alertmanager only where ModelServerDown is not."""
Change = Callable[[World, int], None]


def _wrong(rows: list[Row]) -> list[Row]:
    """Amounts in cents, a city that nobody knows, and an age that does not arrive."""
    rows = [row | {"city": "Atlantis"} if at % 5 == 0 else row for at, row in enumerate(times_hundred(rows))]
    return [{name: cell for name, cell in row.items() if name != "age"} for row in rows]


def _all_at_once(world: World, pane: int) -> None:
    world.changes |= {"dependencies": (DOWN,)}
    for status in (200, 500, 500):
        world.see(range(pane, pane + 1), _wrong, 50, status=status)


def _server_down(world: World, pane: int) -> None:
    world.server = dataclasses.replace(world.server, up=False)
    world.send(b"nonsense", b"nonsense", pane * PANE_S, status=503)


@pytest.mark.parametrize(("change", "expected"), [
    (_all_at_once, {"ModelDrift", "ModelFeatureDrift", "ModelFeatureAbsent", "ModelErrors", "ModelDependencyDown"}),
    (_server_down, {"ModelServerDown"}),
], ids=["all at once", "server down"])  # fmt: skip
def test_what_is_told_is_what_alerts_say(change: Change, expected: set[str], tmp_path: Path) -> None:
    world = World(make_profile(tmp_path), SAID)
    world.changes = {"started_wall_s": WALL}
    scraped = Scraped(WALL + PANE_S)
    for pane in range(PANES):
        if pane < CALM_PANES:
            world.see(range(pane, pane + 1))
        else:
            change(world, pane)
        world.now = (pane + 1) * PANE_S
        page = world.page()
        world.told.show(page)
        scraped.take(page)
    told = {(one.code, SEVERITIES[one.verdict]) for one in world.judged().reasons if one.code in alarms.SEEN}
    alerts = scraped.alerts(tmp_path, alarms.SEEN)
    names = {name for name, _ in alerts}
    assert told == {(name, one) for name, one in alerts if name != INHIBITED or "ModelServerDown" not in names}
    assert names >= expected
