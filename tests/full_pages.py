"""Pages on which nearly all stands that can: windows filled, rows that drifted, failed and were nonsense."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monitor_scenes import (
    DECODER,
    OUTPUT,
    answers,
    exchange,
    live_rows,
    make_profile,
    training_rows,
    write_csv,
)  # fmt: skip

from exporter import collect
from exporter.budget.shape import Shape
from exporter.collect.rendered import Rendered
from exporter.collect.scene import Page, Scene
from exporter.condition import Health, ServerVitals
from exporter.config import Settings
from exporter.guarantees import Evidence
from exporter.handoff import report
from exporter.monitor import Monitor, versions
from exporter.monitor.gathering import Watching
from exporter.monitor.said import Said
from exporter.monitor.watched import Shown
from exporter.override import Override, Overrides
from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.records import Label
from exporter.reference import Profile
from exporter.sections import OPTIONAL_SCORES, Segments, Windows
from exporter.segmentations import segmentations

END_S = 66.0
WALL = 1e9
WINDOWS = Windows(
    pane=1.0, lengths=(10.0, 30.0, 60.0), rows=(200, 400), minimum_samples=100, scores=OPTIONAL_SCORES,
    compare=("previous", "last_week", "versions"),
)  # fmt: skip
SEGMENTS = Segments(by=segmentations(["city", {"name": "age", "edges": [30, 60]}]), windows=(10.0, 60.0))
SAID = Overrides(features={
    "amount": Override(range=(0.0, 100.0), weight=3.0, owner="risk", dependence=2.0),
    "city": Override(allowed=("Berlin", "Paris"), tolerance=0.2), "age": Override(ignore=True),
    "code": Override(snooze_until=WALL * 2, severity="page"),
})  # fmt: skip


def mixed(directory: Path) -> Profile:
    """Every kind of column, and what goes with answers."""
    return make_profile(directory)


def divided(directory: Path) -> Profile:
    """The same, counted by segment."""
    source = write_csv(directory / "divided.csv", training_rows())
    made = Plan(source, [OUTPUT], kinds={"code": "categorical"}, segments={"city": (), "age": (30.0, 60.0)})
    return document.save(build(made)[0], str(directory / "divided.json"))


def numbers(directory: Path, columns: int = 30) -> Profile:
    """Many numeric features, by which an answer is decided."""
    random = np.random.default_rng(3)
    table = {f"f{at}": random.lognormal(size=2000).tolist() for at in range(columns)}
    table["score"] = [min(1.0, one / 10) for one in table["f0"]]
    profile, _ = build(Plan(write_csv(directory / "numbers.csv", table), ["score"]))
    return document.save(profile, str(directory / "numbers.json"))


def rows_of(profile: Profile, count: int, seed: int) -> list[dict[str, Any]]:
    """Rows that fit it, drifted."""
    if profile.inputs[0] == "f0":
        values = np.random.default_rng(seed).lognormal(0.5, size=(count, len(profile.inputs))).tolist()
        return [dict(zip(profile.inputs, one, strict=True)) for one in values]
    return live_rows(count, seed)


def traffic(profile: Profile, *, pause: bool) -> Iterator[Any]:
    """Requests for `END_S`, many of which fail; with a pause, after which windows of rows are on the page, too."""
    for second in range(0, int(END_S), 4):
        if pause and 30 <= second <= 45:
            continue
        rows, at = rows_of(profile, 60, second), second + 0.5
        yield exchange(rows, answers(rows, second), at)
        for status in (400, 503):
            # of one value each, so that there is one that fails more often
            failed = [{**rows[0], profile.inputs[-1]: one.get(profile.inputs[-1])} for one in rows[:20]]
            yield exchange(failed, b'{"error": "no"}', at, status=status)


def watch(profile: Profile, windows: Windows, said: Said, *, pause: bool) -> Monitor:
    evidence = Evidence(warm_up=10.0, warm_up_rows=100, learn=60.0)
    monitor = Monitor(profile, windows, (), said, Watching(evidence, lambda at: at + WALL))
    for one in traffic(profile, pause=pause):
        monitor.observe(one, DECODER.decode(one))
        if one.status == 200 and one.ended_ns > (END_S - 20) * 1e9:
            monitor.snapshot(one.ended_ns / 1e9)  # a look, so that what drifts is looked at
    monitor.flush()
    return monitor


def scenes(profile: Profile, monitors: Sequence[Monitor], windows: Windows) -> list[Scene]:
    """Versions 1, 2, ... of a model, each with its own traffic."""
    health = Health(0.0, 0, report.relay([], 0, 0), snapshot_wall_s=WALL + END_S)
    shown = [
        Shown(Label("m", str(at)), profile, monitor.snapshot(END_S), True) for at, monitor in enumerate(monitors, 1)
    ]
    return [
        Scene(*one.label, one.profile, one.snapshot, ServerVitals(watched=True), health)
        for one in versions.compared(shown, Settings(windows=windows), lambda _: False)
    ]


def page(found: Sequence[Scene]) -> Page:
    return Page(tuple(found), found[0].health)


def rendered(found: Sequence[Scene], shape: Shape) -> Rendered:
    return collect.Renderer(shape).render(page(found))


def sizes(of: Rendered) -> Mapping[str, int]:
    """Series by family."""
    return {block.name: block.series for block in of.blocks}
