"""What is shown of late truth: every number under its name, nothing that is no number, and a bound on classes."""

import math
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from exposed import render
from prometheus_client.parser import text_string_to_metric_families
from shown_truths import WINDOWS, WORDS, estimated, performed, valued

from exporter import catalogue
from exporter.collect import performance
from exporter.collect.labels import LONGEST
from exporter.performance.measures import MEASURES
from exporter.performed import BY, LAG_BOUNDS, MOST_CLASSES, Measure, Performed
from exporter.snapshots import Snapshot

Series = dict[tuple[str, ...], float]
KINDS = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": (), "ranking": ()}


class Scene:
    """Of one model, as far as it is looked at here."""

    labels, profiled = ("m", "1"), ("m", "1", "p")

    def __init__(self, told: Performed | None = None, **more: Any) -> None:
        counts: Any = (None, None, None)
        self.snapshot = replace(Snapshot(*counts), performed=told, **more)


def shown(scene: Scene) -> dict[str, Series]:
    """Numbers by family and by the values of the labels that no model is known by."""
    found: dict[str, Series] = {}
    text = render(performance.collect(scene)).decode()  # type: ignore[arg-type]
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name not in {"model", "model_version"}}
            assert tuple(labels.values()) not in found.setdefault(sample.name, {})
            found[sample.name][tuple(labels.values())] = sample.value
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_measure_stands_under_its_name_with_its_interval_its_bound_and_its_training_value(kind: str) -> None:
    told = performed(kind, KINDS[kind])
    found = shown(Scene(told))
    of = catalogue.PERFORMANCE
    for judged in told.judged:
        where = (judged.by, judged.window)
        assert found["model_performance_samples"][where] == judged.samples
        assert found["model_performance_sufficient"][where] == judged.sufficient
        for one in judged.measures:
            name, labels = f"model_performance_{one.name}", (*one.labels, *where)
            assert found[name][labels] == one.value
            if one.name in of.lower:
                assert (found[f"{name}_lower"][labels], found[f"{name}_upper"][labels]) == (one.lower, one.upper)
            assert (found[f"{name}_bound"][labels] if one.name in of.bound else 1) == (
                one.bound if one.name in of.bound else 1
            )
    for word, name, value in told.training:
        assert found[f"model_performance_{word}_training"]["p", name] == value
    words = {re.sub("_(lower|upper|bound|training)$", "", one.removeprefix("model_performance_")) for one in found}
    assert words & {*of.values} == {*WORDS[kind]}


def test_what_is_counted_since_start_is_shown_with_how_long_truth_took() -> None:
    told = performed("binary", ("no", "yes"))
    found, counted = shown(Scene(told)), told.counted
    assert found["model_performance_info"] == {("binary",): 1}
    for name, value in (("predictions_opened", counted.opened), ("truths_joined", counted.joined),
                        ("truths_unusable", counted.unusable)):  # fmt: skip
        assert found[f"model_{name}_total"] == {(): value}
    assert found["model_performance_outcomes_total"] == {(a, b): rows for a, b, rows in counted.confusion}
    lag = found["model_truth_lag_seconds_bucket"]
    assert len(lag) == len(LAG_BOUNDS) + 1
    assert lag["+Inf",] == sum(counted.lag) == found["model_truth_lag_seconds_count"][()]
    assert lag["1.0",] == counted.lag[0]


def test_coverage_is_of_what_was_predicted_in_the_window_and_absent_where_nothing_was() -> None:
    told = performed("ranking")
    first = told.judged[0]
    nothing = told.judged[1]._replace(predicted=0, samples=0)
    found = shown(Scene(told._replace(judged=(first, nothing, *told.judged[4:]))))
    assert found["model_performance_coverage_ratio"] == {("1h",): first.samples / first.predicted}


def test_concept_and_target_drift_are_held_against_the_profile() -> None:
    told = performed("regression")
    assert told.concept
    found = shown(Scene(told))
    assert found["model_concept_drift_evidence_nats"] == {("p",): told.concept.nats}
    assert found["model_concept_drift_changes_total"] == {("p",): told.concept.changes}
    assert found["model_target_psi_critical"] == {("p", window): 0.3 for window in WINDOWS}
    assert found["model_target_window_sufficient"] == {("p", window): 1 for window in WINDOWS}
    quiet = shown(Scene(told._replace(concept=told.concept._replace(began_s=math.nan))))
    assert "model_concept_drift_onset_timestamp_seconds" not in quiet
    assert not [name for name in shown(Scene(told._replace(concept=None, target=()))) if "concept" in name]


def test_what_is_not_defined_is_left_out_and_insufficient_windows_are_shown_all_the_same() -> None:
    told = performed("binary", ("no", "yes"))
    undefined = (Measure("roc_auc", math.nan), Measure("accuracy", 0.5), Measure("log_loss", 0.1, math.nan, math.inf))
    few = told.judged[0]._replace(measures=undefined, sufficient=False)
    found = shown(Scene(told._replace(judged=(few,))))
    assert not [name for name in found if name.startswith("model_performance_roc_auc") and "training" not in name]
    assert found["model_performance_accuracy"] == {("prediction", "1h"): 0.5}
    assert "model_performance_accuracy_lower" not in found
    assert found["model_performance_log_loss_upper"] == {("prediction", "1h"): math.inf}
    assert found["model_performance_sufficient"] == {("prediction", "1h"): 0}


def test_of_many_classes_the_first_have_series_whatever_windows_hold() -> None:
    classes = [f"class {at}" for at in range(35)]
    told = performed("multiclass", classes)
    found = shown(Scene(told, estimated=estimated(classes)))
    for name in ("recall", "f1_upper", "roc_auc_of_class_bound", "estimated_precision_lower"):
        at = 1 if "estimated" in name else 0
        assert {labels[at] for labels in found[f"model_performance_{name}"]} == {*classes[:MOST_CLASSES]}
    empty = told.judged[0]._replace(measures=())
    assert performance.named([empty, told.judged[1]]) == performance.named(told.judged) == classes[:MOST_CLASSES]


def test_names_of_classes_are_bounded_as_all_labels_are() -> None:
    long = "x" * 1000
    found = shown(Scene(performed("binary", (long, f"{long}y"))))
    names = {labels[0] for labels in found["model_performance_f1"]}
    assert len(names) == 2
    assert {len(name) for name in names} == {LONGEST}


def test_estimates_are_called_so_and_business_values_are_by_segment() -> None:
    scene = Scene(estimated=estimated(("no", "yes")), valued=valued())
    found = shown(scene)
    assert all(name.startswith(("model_performance_estimated_", "model_business_value_")) for name in found)
    for window in scene.snapshot.estimated:
        for one in window.measures:
            name, labels = f"model_performance_estimated_{one.name}", ("p", *one.labels, window.window)
            assert [found[name + end][labels] for end in ("", "_lower", "_upper")] == [one.value, one.lower, one.upper]
    for one in scene.snapshot.valued:
        labels = (one.name, one.segment, one.segment_value, one.window)
        numbers = [found[f"model_business_value_{word}"][labels]
                   for word in ("mean", "mean_lower", "mean_upper", "summed", "rows")]  # fmt: skip
        assert numbers == [one.mean, one.lower, one.upper, one.total, one.rows]


def test_of_a_model_without_truth_nothing_is_shown() -> None:
    assert shown(Scene()) == {}


def test_each_measure_is_of_one_kind_of_task_and_has_families_for_what_it_may_have() -> None:
    of = catalogue.PERFORMANCE
    words = Counter(word for kind in ("multiclass", "regression", "ranking") for word in WORDS[kind])
    assert words == Counter(dict.fromkeys(of.values, 1))
    assert {word: (kind.labels, kind.interval, kind.bound) for word, kind in MEASURES.items()} == {
        word: (family.labels[2:-2], word in of.lower, word in of.bound) for word, family in of.values.items()
    }
    assert of.lower.keys() == of.upper.keys()
    assert {*of.bound, *of.lower, *of.training} <= {*of.values}
    assert {*catalogue.ESTIMATED.values} <= {*of.lower}
    assert {labels[-2:] for labels in (one.labels for one in of.values.values())} == {("by", "window")}
    assert BY == ("prediction", "arrival")
