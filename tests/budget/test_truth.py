"""What there may come to be of late truth is counted ahead, and goes in a stated order."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import full_pages
import numpy as np
import pytest
from hindsight_scenes import KINDS, Kind, answered, profile_of
from shown_truths import estimated, performed, valued

from exporter import catalogue
from exporter.allowance import MOST, Metrics
from exporter.budget import costs, truth
from exporter.budget.order import UNITS
from exporter.budget.plan import Plan, plan
from exporter.budget.shape import Shape, of
from exporter.collect.room import watched
from exporter.collect.scene import Scene
from exporter.condition import Health, ServerVitals
from exporter.config import resolve
from exporter.decode import Decoder
from exporter.handoff import report
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.predicting import Hindsight
from exporter.monitor.said import NOTHING_SAID
from exporter.performance.deduced import deduced
from exporter.performance.task import canonical
from exporter.performed import MOST_CLASSES, Judged
from exporter.profile import Plan as BuildPlan
from exporter.profile import build_frame
from exporter.sections import Segments
from exporter.segmentations import segmentations
from exporter.target import Calibration, Target
from exporter.truth_families import OF_SCORES
from exporter.truths import Joined, Owner, key_of

ROWS = 2000
BEGINNINGS = ("model_performance_", "model_truth", "model_predictions_opened", "model_concept_", "model_target_",
              "model_business_")  # fmt: skip
SHAPE = Shape(Metrics(max_series=MOST), feedback=True, values=1)
RANDOM = np.random.default_rng(1)
MANY = [f"class {at:02d}" for at in range(40)]
OUTPUTS: dict[str, dict[str, Any]] = {
    "binary": {"score": RANDOM.random(ROWS)}, "multiclass": {"answer": RANDOM.choice(MANY, ROWS)},
    "scored": dict(zip("abc", RANDOM.dirichlet((1, 2, 3), ROWS).T, strict=True)),
    "regression": {"price": RANDOM.normal(50, 20, ROWS)},
}  # fmt: skip


def scene_of(kind: str) -> Scene:
    """All there can be of a model, as far as it is about truth."""
    profile, _ = build_frame(
        {"x": RANDOM.normal(size=ROWS)} | OUTPUTS[kind], BuildPlan(predictions=list(OUTPUTS[kind]))
    )
    task = deduced(profile, SHAPE.performance).task
    assert task
    calibrated = tuple(Calibration(one, (0.0, 1.0), (0.0, 1.0)) for one in task.scores)
    target = Target(profile.outputs[0], task.kind, task.label, task.scores, task.classes, calibrations=calibrated)
    profile = replace(profile, target=target, performance={"auc": 0.9, "val_auc": 0.91, "rmse": 3.0})
    told = performed(task.kind, task.classes)
    if not task.scores and task.is_classification:
        told = told._replace(judged=tuple(_without_scores(one) for one in told.judged))
        told = told._replace(counted=told.counted._replace(confusion=()))
    training = tuple(("roc_auc", name, 0.9) for name in profile.performance)
    monitor = Monitor(profile, SHAPE.windows, (), NOTHING_SAID, Watching(SHAPE.evidence, lambda at: at))
    snapshot = replace(
        monitor.snapshot(1.0), performed=told._replace(training=training), valued=valued()[::2],
        estimated=estimated(task.classes) if task.scores else (),
    )  # fmt: skip
    health = Health(0.0, 0, report.relay([], 0, 0))
    return Scene("m", "1", profile, snapshot, ServerVitals(watched=True), health)


def _without_scores(one: Judged) -> Judged:
    """As there is of a model that says names of many classes: their pairs are not counted."""
    without = {*OF_SCORES, "confusion_rows"}
    return one._replace(measures=tuple(measure for measure in one.measures if measure.name not in without))


def planned(shape: Shape, found: list[Scene]) -> Plan:
    return plan(shape, watched(shape, found), frozenset())


@pytest.mark.parametrize("kind", OUTPUTS)
def test_no_family_of_truth_has_more_series_than_were_expected_of_it(kind: str) -> None:
    scene = scene_of(kind)
    real, expected = full_pages.sizes(full_pages.rendered([scene], SHAPE)), planned(SHAPE, [scene])
    of_truth = {name: series for name, series in real.items() if series and name.startswith(BEGINNINGS)}
    counted = {name: series for name, series in of_truth.items() if not name.endswith("_training")}
    assert len(counted) > 15
    assert {name: most for name, most in counted.items() if most > expected.by_family.get(name, 0)} == {}
    assert sum(real.values()) <= expected.expected
    assert scene.profile
    assert sum(truth.costs(SHAPE, scene.profile, 0).values()) <= 2 * sum(counted.values()), "not much more is expected"


def test_more_classes_than_have_series_cost_no_more() -> None:
    of_truth, scene = catalogue.PERFORMANCE, scene_of("multiclass")
    found = planned(SHAPE, [scene]).by_family
    assert found[of_truth.values["recall"].name] == MOST_CLASSES * 2 * 4
    assert of_truth.values["confusion_rows"].name not in found
    few = planned(SHAPE, [scene_of("scored")]).by_family
    assert few[of_truth.values["confusion_rows"].name] == 4 * 4 * 2 * 4
    assert few[of_truth.outcomes.name] == 4 * 4


def test_business_values_are_of_each_segment_and_of_all_of_the_traffic() -> None:
    profile = scene_of("regression").profile
    assert profile
    one, several = (truth.costs(SHAPE, profile, segments)[catalogue.BUSINESS.mean.name] for segments in (0, 3))
    assert (one, several) == (4, 16)
    assert costs.bare(SHAPE).alone[catalogue.BUSINESS.mean.name] == 4, "it needs no profile"


def test_without_feedback_nothing_is_expected_but_what_scores_say() -> None:
    scene = scene_of("scored")
    found = planned(replace(SHAPE, feedback=False, values=0), [scene])
    about = {name for name in found.by_family if name.startswith(BEGINNINGS)}
    assert about == {one for one in about if one.startswith("model_performance_estimated_")} != set()
    assert costs.own(SHAPE) - costs.own(replace(SHAPE, feedback=False)) == truth.own(SHAPE) > 20


def test_the_settings_say_whether_there_is_feedback() -> None:
    flags = {"upstream": "http://127.0.0.1:9"}
    assert not of(resolve(("test", flags))).feedback
    values = [{"name": "amount", "feature": "amount"}]
    shape = of(resolve(("test", flags | {"feedback.enable": True, "performance.windows": "1h", "values": values})))
    assert (shape.feedback, shape.values) == (True, 1)
    assert len(shape.performance.windows) == 1


def test_a_limit_of_each_family_leaves_the_first_series_of_measures() -> None:
    scene, limit = scene_of("scored"), 100
    shape = replace(SHAPE, metrics=Metrics(max_series=MOST, max_series_per_family=limit))
    page = full_pages.rendered([scene], shape)
    sizes = full_pages.sizes(page)
    assert {name: series for name, series in sizes.items() if series > limit} == {}
    assert sizes[catalogue.PERFORMANCE.values["confusion_rows"].name] == limit
    assert sizes[catalogue.PERFORMANCE.values["accuracy"].name] == 8
    assert sum(sizes.values()) <= planned(shape, [scene]).expected


def test_classes_and_bins_go_before_what_is_of_all_of_them_and_what_pages_stays() -> None:
    scene = scene_of("scored")
    most = planned(SHAPE, [scene]).expected
    gone: list[frozenset[str]] = []
    for limit in range(most, 800, -100):
        hidden = planned(replace(SHAPE, metrics=Metrics(max_series=limit)), [scene]).models[0].hidden
        gone.append(frozenset(name for name in hidden if name.startswith(BEGINNINGS)))
    assert all(before <= after for before, after in pairwise(gone))
    of_truth = catalogue.PERFORMANCE
    confusion, by_class = of_truth.values["confusion_rows"].name, of_truth.values["recall"].name
    assert [confusion in one for one in gone].index(True) < [by_class in one for one in gone].index(True)
    stays = {of_truth.values["accuracy"].name, of_truth.lower["f1_macro"].name, of_truth.sufficient.name,
             of_truth.samples.name, catalogue.CONCEPT.nats.name, of_truth.outcomes.name}  # fmt: skip
    assert not stays & gone[-1]
    assert stays.isdisjoint(name for unit in UNITS for name in unit)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_model_whose_truth_came_has_no_more_series_than_expected_and_all_its_measures(
    kind: Kind, tmp_path: Path
) -> None:
    profile, random = profile_of(kind, tmp_path), np.random.default_rng(5)
    watching = Watching(
        SHAPE.evidence, lambda at: at, hindsight=Hindsight(feedback=True, performance=SHAPE.performance)
    )
    monitor = Monitor(profile, SHAPE.windows, (), NOTHING_SAID, watching)
    answers = kind.answers(random, 500)
    seen = answered(answers, 10.0, "r")
    monitor.observe(seen, Decoder().decode(seen))
    monitor.flush()
    found = monitor.performing
    assert found
    owner = Owner("m", "1", found.task.written)
    opened, _ = found.take()
    truths = dict(zip((key_of("r", row) for row in range(500)), kind.truths(random, answers), strict=True))
    found.join([
        Joined(at + 1, owner, one.at_ms, one.at_ms + 5000, one.content, canonical(truths[one.key]), b"")
        for at, one in enumerate(opened)
    ], 20.0)  # fmt: skip
    scene = Scene("m", "1", profile, monitor.snapshot(20.0), ServerVitals(), Health(0.0, 0, report.relay([], 0, 0)))
    page = full_pages.rendered([scene], SHAPE)
    real, expected = full_pages.sizes(page), planned(SHAPE, [scene])
    assert {name: series for name, series in real.items()
            if name.startswith(BEGINNINGS) and series > expected.by_family.get(name, 0)} == {}  # fmt: skip
    wanted = set(truth.words(found.task)) - {"cost_per_thousand"}
    assert {word for word, family in catalogue.PERFORMANCE.values.items() if real.get(family.name)} == wanted
    success = next(block for block in page.blocks if block.name == catalogue.COLLECTOR_SUCCESS.name)
    assert b"} 0" not in success.body


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_measures_of_segments_are_expected_of_every_one_and_go_before_all_else(kind: Kind, tmp_path: Path) -> None:
    profile, random = profile_of(kind, tmp_path), np.random.default_rng(6)
    divided = Segments(by=segmentations([{"name": "x", "edges": [0, 1]}]))
    watching = Watching(SHAPE.evidence, lambda at: at, hindsight=Hindsight(True, SHAPE.performance))
    monitor = Monitor(profile, SHAPE.windows, (), NOTHING_SAID._replace(segments=divided), watching)
    answers = kind.answers(random, 300)
    seen = answered(answers, 10.0, "r")
    monitor.observe(seen, Decoder().decode(seen))
    monitor.flush()
    found = monitor.performing
    assert found
    owner = Owner("m", "1", found.task.written)
    truths = kind.truths(random, answers)
    found.join([
        Joined(at + 1, owner, one.at_ms, one.at_ms + 5000, one.content, canonical(truths[at]), b"")
        for at, one in enumerate(found.take()[0])
    ], 20.0)  # fmt: skip
    scene = Scene("m", "1", profile, monitor.snapshot(20.0), ServerVitals(), Health(0.0, 0, report.relay([], 0, 0)))
    shape = replace(SHAPE, segments=divided)
    real, expected = full_pages.sizes(full_pages.rendered([scene], shape)), planned(shape, [scene])
    of = catalogue.SEGMENT_PERFORMANCE
    shown = {name: series for name, series in real.items() if name.startswith("model_segment_performance_") and series}
    assert {word for word, family in of.values.items() if family.name in shown} == {
        *truth.words_of_segments(found.task)
    }
    assert all(series == 4 for series in shown.values()), "one segment, four windows"
    assert {expected.by_family[name] for name in shown} == {(3 + 2) * 4}
    tight = planned(replace(shape, metrics=Metrics(max_series=expected.expected - 1)), [scene]).models[0].hidden
    assert {of.values[word].name for word in truth.words_of_segments(found.task)} <= tight
    assert of.error.name not in tight
