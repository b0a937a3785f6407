"""Pages stay within the series that they may have, nothing is lost from their sums, and nothing comes and goes."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

import numpy as np
import pytest
from full_pages import page, sizes
from made_profiles import profile_of
from prometheus_client.parser import text_string_to_metric_families

from exporter import catalogue, collect
from exporter.allowance import MOST, Metrics
from exporter.budget.order import UNITS
from exporter.budget.shape import Shape
from exporter.collect.rendered import TEXT, Rendered
from exporter.collect.scene import Scene
from exporter.condition import Health, ServerVitals
from exporter.decode.turned import Turned
from exporter.handoff import report
from exporter.monitor import Monitor
from exporter.monitor.said import NOTHING_SAID, Said
from exporter.override import Override, Overrides
from exporter.records import Body, Capture, Exchange, Observation, Table
from exporter.reference import Profile
from exporter.sections import Windows

WINDOWS = Windows(pane=1.0, lengths=(5.0, 20.0), rows=(200,))
COUNTERS = [
    f"model_{side}_{word}_total"
    for side in ("feature", "prediction")
    for word in ("values", "missing_values", "nonfinite_values", "out_of_range_values", "type_error_values")
]
NO_BODY = Body(0, Capture.WHOLE, b"")


def seen(rows: Any, at: float, status: int = 200) -> tuple[Exchange, Observation]:
    ended = round(at * 1e9)
    exchange = Exchange(ended, ended, 10**6, status, "POST", "/v1/models/m:predict", {}, {}, NO_BODY, NO_BODY)
    answers = np.linspace(0, 1, len(rows))[:, None]
    tables = [Table(len(one), None, Turned(one, one.shape[1])) for one in (rows, answers)]
    return exchange, Observation(*tables, "instances", "m", "1", "id")


def monitor(columns: int, seconds: int = 8, said: Said = NOTHING_SAID, batch: int = 40) -> Monitor:
    """Rows of which some are missing, infinite and far out."""
    found = Monitor(profile_of(columns), WINDOWS, (), said)
    random = np.random.default_rng(2)
    for second in range(seconds):
        rows = random.lognormal(0.5, size=(40, columns))
        rows[random.random(rows.shape) < 0.05] = np.nan
        rows[random.random(rows.shape) < 0.05] = np.inf
        rows[random.random(rows.shape) < 0.05] = 1e9
        for start in range(0, 40, batch):
            found.observe(*seen(rows[start : start + batch], second + 0.5))
    found.flush()
    return found


def scene(watched: Monitor, profile: Profile, now: float = 8.0, version: str = "1") -> Scene:
    health = Health(0.0, 0, report.relay([], 0, 0), snapshot_wall_s=now)
    return Scene("m", version, profile, watched.snapshot(now), ServerVitals(watched=True), health)


def limited(most: int, **more: Any) -> collect.Renderer:
    return collect.Renderer(Shape(Metrics(max_series=most, **more), WINDOWS))


def read(rendered: Rendered) -> Iterator[Any]:
    text = b"".join(rendered.pieces(TEXT)).decode()
    return (sample for family in text_string_to_metric_families(text) for sample in family.samples)


def sums(rendered: Rendered) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for sample in read(rendered):
        if sample.name in COUNTERS:
            found[sample.name] += sample.value
    return found


def value(rendered: Rendered, name: str) -> float:
    (found,) = (sample.value for sample in read(rendered) if sample.name == name)
    return float(found)


WATCHED = monitor(60)


@pytest.mark.parametrize("most", [1000, 1500, 3000, 6000])
def test_a_page_is_within_its_limit_and_says_what_it_has(most: int) -> None:
    rendered = limited(most).render(page([scene(WATCHED, profile_of(60))]))
    lines = sum(1 for _ in read(rendered))
    assert sum(sizes(rendered).values()) == lines == value(rendered, "inference_exporter_page_series") <= most
    assert value(rendered, "inference_exporter_max_series") == most
    dropped = {
        one.labels["family"]: one.value for one in read(rendered) if one.name == "inference_exporter_dropped_series"
    }
    assert dropped
    assert all(count > 0 for count in dropped.values())
    assert {*dropped} <= {family.name for family in catalogue.families()}


@pytest.mark.parametrize("batch", [40, 7])
def test_sums_stay_true_when_columns_have_no_series_of_their_own(batch: int) -> None:
    watched, profile = monitor(60, batch=batch), profile_of(60)
    whole = limited(MOST).render(page([scene(watched, profile)]))
    cut = limited(1500).render(page([scene(watched, profile)]))
    features = {one.labels["feature"] for one in read(cut) if one.name == "model_feature_values_total"}
    assert "_other" in features
    assert 2 < len(features) < 60
    assert "_other" not in {one.labels.get("feature") for one in read(whole)}
    assert sums(cut) == sums(whole)
    assert all(sums(whole)[name] > 0 for name in COUNTERS[1:4])


def test_columns_that_are_ignored_are_not_among_the_others() -> None:
    said = Said(Overrides(features={"f1*": Override(ignore=True)}))
    watched, profile = monitor(60, said=said), profile_of(60)
    cut = limited(1500).render(page([scene(watched, profile)]))
    names = {one.labels["feature"] for one in read(cut) if "feature" in one.labels}
    assert not any(name.startswith("f1") for name in names)
    assert sums(cut) == sums(limited(MOST).render(page([scene(watched, profile)])))


def test_what_is_left_out_does_not_change_while_windows_fill() -> None:
    renderer, profile = limited(3000), profile_of(60)
    seconds = [1, 4, 8]
    pages = [renderer.render(page([scene(monitor(60, at), profile, float(at))])) for at in seconds]
    lost = [
        {one.labels["family"]: one.value for one in read(of) if one.name == "inference_exporter_dropped_series"}
        for of in pages
    ]
    assert lost[0] == lost[1] == lost[2] != {}
    names = [{name for name in sizes(of) if name.startswith("model_")} for of in pages]
    assert names[0] == names[1] == names[2]


def test_what_nobody_foresaw_is_cut_for_good_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A server that answers with every code there is."""
    renderer, one = limited(1000), scene(WATCHED, profile_of(60))
    before = renderer.render(page([one]))
    traffic = replace_codes(one, 500)
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        flooded, again, calm = (renderer.render(page([of])) for of in (traffic, traffic, one))
    for rendered in (flooded, again, calm):
        assert value(rendered, "inference_exporter_page_series") <= 1000
    gone = {name for name, series in sizes(before).items() if series} - {*sizes(flooded)}
    assert gone
    assert "model_requests_total" not in gone
    assert {*sizes(flooded)} == {*sizes(again)} == {*sizes(calm)}
    assert len(caplog.records) == 1
    assert "--max-series" in caplog.text
    assert {one.labels["family"] for one in read(again) if one.name == "inference_exporter_dropped_series"} >= gone
    other = renderer.render(page([scene(monitor(61), profile_of(61))]))
    assert {*sizes(other)} >= gone


def replace_codes(one: Scene, codes: int) -> Scene:
    traffic = one.snapshot.traffic._replace(codes={str(100 + at): at for at in range(codes)})
    return replace(one, snapshot=replace(one.snapshot, traffic=traffic))


def test_a_family_has_no_more_series_than_one_may_and_no_label_of_a_column_is_half_there() -> None:
    renderer = limited(MOST, max_series_per_family=100)
    rendered = renderer.render(page([replace_codes(scene(WATCHED, profile_of(60)), 300)]))
    assert max(sizes(rendered).values()) <= 100
    bins: dict[str, int] = defaultdict(int)
    for one in read(rendered):
        if one.name == "model_feature_bin_total":
            bins[one.labels["feature"]] += 1
    assert bins == dict.fromkeys(("f0", "f1", "f2", "f3", "f4", "f5"), 16)


def test_a_familys_own_limit_takes_nothing_from_sums_where_the_page_has_fewer_columns() -> None:
    one = scene(monitor(130, 3), profile_of(130), 3.0)
    without, within = (limited(1500, max_series_per_family=most).render(page([one])) for most in (0, 100))
    assert sums(within) == sums(without) == sums(limited(MOST).render(page([one])))


@pytest.mark.parametrize("off", ["*", "inference_exporter_*_series", "inference_exporter_dropped_series"])
def test_what_a_page_says_of_itself_can_be_switched_off_as_well(off: str) -> None:
    one = scene(WATCHED, profile_of(60))
    rendered = limited(1500, disable=(off,)).render(page([one]))
    names = {name for name, series in sizes(rendered).items() if series}
    assert not [name for name in names if fnmatch(name, off)]
    if off == "inference_exporter_dropped_series":
        assert value(rendered, "inference_exporter_page_series") == sum(sizes(rendered).values()) <= 1500


def test_families_that_are_switched_off_are_nowhere_and_not_missed() -> None:
    one = scene(WATCHED, profile_of(60))
    off = limited(MOST, disable=("model_feature_psi*", "inference_exporter_ring_*")).render(page([one]))
    whole = limited(MOST).render(page([one]))
    gone = {"model_feature_psi", "model_feature_psi_critical", "inference_exporter_ring_fill_ratio"}
    gone |= {"inference_exporter_ring_queued_bytes", "inference_exporter_ring_size_bytes"}
    assert {*sizes(whole)} - {*sizes(off)} == gone
    assert not [one for one in read(off) if one.name == "inference_exporter_dropped_series"]


@pytest.mark.parametrize(("who", "host"), [("never", "m-0"), ("leader", "m-1")])
def test_who_does_not_show_the_reference_shows_all_else(who: str, host: str) -> None:
    one = scene(WATCHED, profile_of(60))
    shape = Shape(Metrics(max_series=MOST, expose_reference=who), WINDOWS)
    whole = sizes(limited(MOST).render(page([one])))
    found = sizes(collect.Renderer(shape, host).render(page([one])))
    assert {name for name in whole if name not in found and whole[name]} == {
        f"model_{side}_{word}" for side in ("feature", "prediction")
        for word in ("reference_ratio", "bin_info", "bin_step_ratio", "reference_quantile")
    }  # fmt: skip
    assert found["model_feature_reference_samples"] == found["model_feature_reference_missing_ratio"] == 60


def test_a_page_that_must_leave_out_nearly_all_still_says_whether_a_model_has_drifted() -> None:
    scenes = [scene(WATCHED, profile_of(60), version=str(at)) for at in range(12)]
    rendered = limited(1000).render(page(scenes))
    assert value(rendered, "inference_exporter_page_series") <= 1000
    kept = sizes(rendered)
    assert kept["model_drift_evidence_nats"] == kept["model_drift_evidence_threshold_nats"] == 12
    assert not {name for unit in UNITS for name in unit} & {name for name, series in kept.items() if series}
