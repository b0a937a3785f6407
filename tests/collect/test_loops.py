"""What points to a feedback loop, on the page: what is known alone, and no more series than were expected."""

from dataclasses import replace
from typing import Any

import full_pages
import numpy as np
import pytest
from shown_loops import KINDS, with_truth

from exporter import catalogue
from exporter.allowance import MOST, Metrics
from exporter.budget import loops as expected
from exporter.budget.shape import Shape
from exporter.collect.loops import collect
from exporter.collect.scene import Scene
from exporter.condition import Health, ServerVitals
from exporter.handoff import report
from exporter.loops import Holdout, Loops
from exporter.monitor import Monitor
from exporter.profile import Plan, build_frame
from exporter.sections import Windows

WINDOWS = ("1h", "24h", "7d", "30d")
SHAPE = Shape(Metrics(max_series=MOST), feedback=True, loops=Loops(holdout=Holdout("holdout", "true")))
RANDOM = np.random.default_rng(1)


@pytest.fixture(scope="module")
def scene() -> Scene:
    table = {"amount": RANDOM.normal(size=2000).tolist(), "score": RANDOM.random(2000).tolist()}
    profile, _ = build_frame(table, Plan(predictions=["score"], model="m", version="1"))
    snapshot = Monitor(profile, Windows(), ()).snapshot(1.0)
    return Scene("m", "1", profile, snapshot, ServerVitals(watched=True), Health(0.0, 0, report.relay([], 0, 0)))


def known(scene: Scene) -> Scene:
    assert scene.snapshot.looped
    return replace(scene, snapshot=replace(scene.snapshot, looped=with_truth(scene.snapshot.looped, WINDOWS)))


def shown(scene: Scene) -> dict[str, Any]:
    return {one.family.name: {labels[3:]: value for labels, value in one.values} for one in collect(scene)}


def test_before_anything_came_the_reference_alone_is_known(scene: Scene) -> None:
    found = shown(scene)
    assert found.keys() == {catalogue.LOOPS.reference_entropy.name}
    assert found.popitem()[1][("score",)] == pytest.approx(np.log(12) / np.log(16), abs=0.05)


def test_each_number_stands_under_its_name(scene: Scene) -> None:
    found = shown(known(scene))
    assert found["model_loop_dependence_ratio"] == {(): 0.31}
    assert found["model_loop_dependence_ratio_critical"] == {(): 0.25}
    assert found["model_loop_dependence_info"] == {("score", "amount"): 1}
    assert found["model_truth_coverage_ratio"][KINDS[2], "1h"] == 40 / 120
    assert found["model_truth_coverage_predictions"][KINDS[0], "24h"] == 101
    assert found["model_truth_selection_total_variation"][("1h",)] == 0.2
    assert found["model_truth_selection_sufficient"][("1h",)] == 1
    assert found["model_exposure_gap_lower"][("7d",)] == 0.01
    assert found["model_exposure_truths"]["holdout", "1h"] == 100


def test_no_family_has_more_series_than_were_expected_of_it(scene: Scene) -> None:
    real = {one.family.name: len(one.values) for one in collect(known(scene))}
    assert scene.profile
    most = {**expected.costs(SHAPE, scene.profile), **dict(expected.of_output(SHAPE))}
    assert {name: series for name, series in real.items() if series > most.get(name, 0)} == {}
    assert most.keys() >= {one.name for one in (*catalogue.LOOPS, *catalogue.SPREAD, *catalogue.GAP)}
    whole = full_pages.sizes(full_pages.rendered([known(scene)], SHAPE))
    assert {name: whole[name] for name in real} == real


def test_nothing_is_expected_of_what_is_switched_off_or_cannot_come(scene: Scene) -> None:
    assert scene.profile
    off = replace(SHAPE, loops=Loops(enable=False))
    assert not expected.costs(off, scene.profile)
    assert not list(expected.of_output(off))
    bare = expected.costs(replace(SHAPE, feedback=False), scene.profile)
    assert bare.keys() == {one.name for one in (*catalogue.RETURNED, catalogue.LOOPS.info)}
    assert catalogue.GAP.value.name not in expected.costs(replace(SHAPE, loops=Loops()), scene.profile)
