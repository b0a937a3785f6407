"""What is shown of evidence: of the model, of each column what it rests on, and what happened to those it names."""

import math
from typing import Any

import numpy as np
import pytest
from exposed import render
from monitor_scenes import DECODER, FEATURES, exchange, make_profile, training_rows

from exporter import catalogue
from exporter.collect import evidence
from exporter.collect.scene import Scene
from exporter.condition import ServerVitals
from exporter.evidence.planned import Planned
from exporter.guarantees import Evidence
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.said import Said
from exporter.override import NO_OVERRIDES, Override, Overrides
from exporter.planned_windows import planned_windows
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.segmentations import grouped_by

PANE_S, WALL = 60.0, 1e9
ROWS = training_rows(3000)
KNOWN = Override(dependence=1.0, wander=0.0)
CALM = Overrides(features={"*": KNOWN}, outputs={"*": KNOWN})
Shown = dict[str, dict[tuple[str, ...], Any]]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def monitor(profile: Profile, said: Overrides = CALM, **settings: Any) -> Monitor:
    return Monitor(profile, Windows(), (), Said(said), Watching(Evidence(**settings), lambda at: at + WALL))


def rows_of(pane: int, times: float = 1.0) -> tuple[list[Row], list[float]]:
    """A hundred rows of the training data, amounts `times` larger, and their answers."""
    places = np.random.default_rng(pane).integers(0, 3000, 100).tolist()
    rows = [{name: ROWS[name][at] for name in FEATURES} for at in places]
    for row in rows:
        row["amount"] = row["amount"] and row["amount"] * times
    return rows, [ROWS["score"][at] for at in places]


def watch(one: Monitor, panes: range, times: float = 1.0, batch: int = 100, falling: bool = False) -> Monitor:
    """Panes of such rows, in batches, in their order or the other one."""
    for pane in panes:
        rows, answers = rows_of(pane, times)
        if falling:
            rows, answers = rows[::-1], answers[::-1]
        for start in range(0, 100, batch):
            part = slice(start, start + batch)
            said = exchange(rows[part], answers[part], pane * PANE_S)
            one.observe(said, DECODER.decode(said))
    return one


class Clock:
    snapshot_wall_s = WALL


def collected(one: Monitor, profile: Profile, pane: int) -> list[Any]:
    one.flush()
    scene = Scene("m", "7", profile, one.snapshot(pane * PANE_S), ServerVitals(), Clock())  # type: ignore[arg-type]
    return list(evidence.collect(scene))


def shown(one: Monitor, profile: Profile, pane: int) -> Shown:
    """Values by family and by the labels behind those of model and profile; only families that have any."""
    found: Shown = {}
    for samples in collected(one, profile, pane):
        for labels, value in samples.values:
            assert labels[:3] == ("m", "7", profile.short_digest)
            assert math.isfinite(value)
            assert value >= 0
            found.setdefault(samples.family.name, {})[labels[3:]] = value
    return found


def test_drift_is_shown_of_the_model_and_the_column_is_named_with_what_happened_to_it_and_when(
    profile: Profile,
) -> None:
    one = watch(monitor(profile), range(60))
    calm = shown(one, profile, 60)
    found = shown(watch(one, range(60, 75), times=3.0), profile, 75)
    threshold = math.log(30 * 24 * 60)
    assert calm["model_drift_evidence_nats"][()] < threshold / 2 < threshold <= found["model_drift_evidence_nats"][()]
    assert found["model_drift_evidence_threshold_nats"] == {(): pytest.approx(threshold)}
    assert "model_feature_drift_info" not in calm
    assert "model_feature_drift_onset_timestamp_seconds" not in calm
    assert found["model_feature_drift_info"] == {("amount", "up", "", "sudden"): 1}
    onset = found["model_feature_drift_onset_timestamp_seconds"]
    assert onset == {("amount",): pytest.approx(WALL + 60 * PANE_S, abs=3 * PANE_S)}
    of_features = found["model_feature_drift_evidence_nats"]
    assert max(of_features, key=lambda labels: of_features[labels]) == ("amount",)
    assert set(of_features) == {(name,) for name in FEATURES}
    assert set(found["model_prediction_drift_evidence_nats"]) == {("score",)}
    merged = math.log(
        sum(map(math.exp, [*of_features.values(), *found["model_prediction_drift_evidence_nats"].values()]))
    )
    assert found["model_drift_evidence_nats"][()] == pytest.approx(merged - math.log(len(FEATURES) + 1))


def test_a_bin_that_grew_is_named(profile: Profile) -> None:
    one = watch(monitor(profile), range(60))
    for pane in range(60, 80):
        rows, answers = rows_of(pane)
        said = exchange([row | {"code": 300} for row in rows], answers, pane * PANE_S)
        one.observe(said, DECODER.decode(said))
    (labels,) = shown(one, profile, 80)["model_feature_drift_info"]
    (code,) = [column for column in profile.features if column.name == "code"]
    assert labels[:2] == ("code", "grew")
    assert dict(code.bins())[int(labels[2])] == "300"


def test_neither_the_order_of_rows_nor_the_size_of_batches_changes_anything(profile: Profile) -> None:
    pages = [
        render(collected(watch(monitor(profile), range(20), 1.5, batch, falling), profile, 20))
        for batch, falling in ((100, False), (100, True), (7, False), (1, True))
    ]
    assert len(set(pages)) == 1


def test_what_is_calibrated_is_ready_at_once_and_says_by_whom(profile: Profile) -> None:
    found = shown(watch(monitor(profile), range(2)), profile, 2)
    assert found["model_drift_evidence_ready"] == {(): 1}
    assert found["model_drift_evidence_info"] == {("careful",): 1}
    assert set(found["model_feature_drift_dependence_factor"].values()) == {1.0}
    assert {labels[1:] for labels in found["model_feature_drift_defaults_info"]} == {("overrides", "training")}
    assert found["model_drift_evidence_paused"] == {(): 0}
    assert found["model_drift_evidence_since_timestamp_seconds"][()] == pytest.approx(WALL, abs=PANE_S)
    assert "model_feature_skew_ratio" not in found


QUICK = {"warm_up": 600.0, "warm_up_rows": 1000, "learn": 1800.0}


def test_defaults_are_shown_as_such_until_traffic_has_shown_what_it_is(profile: Profile) -> None:
    one = monitor(profile, NO_OVERRIDES, **QUICK)
    careful = shown(watch(one, range(5)), profile, 5)
    assert careful["model_drift_evidence_ready"] == {(): 0}
    assert ("amount", "default", "training") in careful["model_feature_drift_defaults_info"]
    assert careful["model_feature_drift_dependence_factor"]["amount",] == 5.0
    settled = shown(watch(one, range(5, 20)), profile, 20)
    assert settled["model_drift_evidence_info"] == {("settled",): 1}
    assert settled["model_drift_evidence_ready"] == {(): 0}
    learned = shown(watch(one, range(20, 45)), profile, 45)
    assert learned["model_drift_evidence_info"] == {("learned",): 1}
    assert learned["model_drift_evidence_ready"] == {(): 1}
    assert ("amount", "traffic", "training") in learned["model_feature_drift_defaults_info"]


def test_skew_is_shown_once_the_warm_up_is_over_and_the_column_is_held_against_live_rows(profile: Profile) -> None:
    one = monitor(profile, **QUICK)
    found = shown(watch(one, range(12), times=1.6), profile, 12)
    assert found["model_feature_skew_ratio"]["amount",] > found["model_feature_skew_ratio_critical"]["amount",]
    assert found["model_feature_skew_ratio"]["age",] < found["model_feature_skew_ratio_critical"]["age",]
    assert ("amount", "overrides", "warm_up") in found["model_feature_drift_defaults_info"]
    assert ("age", "overrides", "training") in found["model_feature_drift_defaults_info"]
    assert found["model_drift_evidence_nats"][()] < 1.0


def test_a_delay_is_told_where_there_is_one_to_expect(profile: Profile) -> None:
    quiet, busy = (watch(monitor(profile), range(panes)) for panes in (1, 10))
    delays = shown(busy, profile, 10)["model_drift_expected_delay_seconds"]
    assert 3 * PANE_S <= delays["0.2",] < delays["0.1",] / 2
    none = Overrides(features={"*": Override(tolerance=0.5)}, outputs={"*": Override(tolerance=0.5)})
    never = watch(monitor(profile, none), range(3))
    assert "model_drift_expected_delay_seconds" not in shown(never, profile, 3)
    assert "model_drift_evidence_nats" not in shown(quiet, profile, 0), "no pane is over"


def test_a_column_that_would_need_too_much_tolerance_is_said_to_be_unmonitored(profile: Profile) -> None:
    wild = Overrides(features={"amount": Override(dependence=1.0, wander=0.3)})
    found = shown(watch(monitor(profile, wild), range(3), times=50.0), profile, 3)
    assert found["model_feature_drift_monitored"]["amount",] == 0
    assert found["model_feature_drift_monitored"]["age",] == 1
    assert found["model_feature_drift_evidence_nats"]["amount",] < 1e-9


def test_ignored_columns_are_not_shown_and_do_not_shift_the_others(profile: Profile) -> None:
    without = Overrides(features={"amount": Override(ignore=True), "*": KNOWN}, outputs={"*": KNOWN})
    one = watch(watch(monitor(profile, without), range(20)), range(20, 40), times=3.0)
    found = shown(one, profile, 40)
    assert set(found["model_feature_drift_evidence_nats"]) == {(name,) for name in FEATURES if name != "amount"}
    assert set(found["model_prediction_drift_evidence_nats"]) == {("score",)}
    assert "model_feature_drift_info" not in found
    assert found["model_drift_evidence_nats"][()] < 3


def test_a_planned_event_is_shown_as_a_pause(profile: Profile) -> None:
    sale = Planned(planned_windows([{"name": "sale", "from": "2001-09-08T00:00", "to": "2001-09-10T00:00"}]))
    watching = Watching(Evidence(), lambda at: at + WALL, sale)
    one = watch(Monitor(profile, Windows(), (), Said(CALM), watching), range(3), times=50.0)
    found = shown(one, profile, 3)
    assert found["model_drift_evidence_paused"] == {(): 1}
    assert found["model_drift_evidence_nats"][()] < 1e-9


def test_grouped_rows_depend_on_nothing_and_that_is_said(profile: Profile) -> None:
    one = monitor(profile, NO_OVERRIDES, group_key=grouped_by({"header": "X-Session"}))
    found = shown(watch(one, range(3)), profile, 3)
    assert set(found["model_feature_drift_dependence_factor"].values()) == {1.0}
    assert {labels[1:] for labels in found["model_feature_drift_defaults_info"]} == {("group_key", "training")}
    assert found["model_drift_evidence_ready"] == {(): 0}, "how hours differ is not known yet"


def test_where_nobody_wants_evidence_there_is_none(profile: Profile) -> None:
    assert shown(watch(monitor(profile, enable=False), range(3)), profile, 3) == {}


def test_both_sides_have_each_family_and_none_has_many_series_of_a_column(profile: Profile) -> None:
    assert catalogue.FEATURES.evidence.keys() == catalogue.OUTPUTS.evidence.keys()
    one = watch(monitor(profile, **QUICK), range(12))
    watch(one, range(12, 30), times=4.0)
    of_amount = [
        labels
        for samples in collected(one, profile, 30)
        for labels, _ in samples.values
        if "feature" in samples.family.labels and labels[3] == "amount"
    ]
    assert len(of_amount) == 9, "five always, two with a warm-up behind it, two while it is named"
