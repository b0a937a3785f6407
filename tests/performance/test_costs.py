"""What wrong answers cost: as it is set, as it is refused, and as a matrix of the task's classes."""

import json
from typing import Any

import pytest
from joined_rows import BINARY, LABELS, REGRESSION, drawn, numbers

from exporter.config import from_document, from_environment, resolve, to_document
from exporter.costing import MOST, Cost, costs
from exporter.errors import ConfigError
from exporter.performance.costs import matrix, refuse_unknown
from exporter.performance.task import Task

SAID = [{"actual": "yes", "predicted": "no", "cost": 20}, {"actual": "no", "predicted": "yes", "cost": 1.5}]
MEANT = (Cost("yes", "no", 20.0), Cost("no", "yes", 1.5))


def test_costs_are_said_as_a_list_of_pairs_of_classes() -> None:
    assert resolve(("file", {"performance.costs": SAID})).performance.costs == MEANT


def test_outside_of_the_file_they_are_json() -> None:
    layer = from_environment({"INFERENCE_EXPORTER_PERFORMANCE_COSTS": json.dumps(SAID)})
    assert resolve(("environment", layer)).performance.costs == MEANT


def test_they_travel_to_other_processes() -> None:
    settings = resolve(("file", {"performance.costs": SAID}))
    assert from_document(json.loads(json.dumps(to_document(settings)))) == settings


def test_classes_are_spelled_as_they_are_elsewhere() -> None:
    found = costs([{"actual": True, "predicted": False, "cost": 1}, {"actual": 3, "predicted": "other", "cost": -2}])
    assert found == (Cost("true", "false", 1.0), Cost("3", "other", -2.0))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("nonsense", "performance.costs: must be JSON such as"),
        ({"yes": 3}, "performance.costs: must be a list of mappings"),
        ([3], r"performance.costs\[0\]: must be a mapping with actual, predicted and cost"),
        ([{"actual": "yes", "predicted": "no"}], r"costs\[0\].cost: must be a number of at most 1e\+12, not nothing"),
        ([{"actual": "yes", "predicted": "no", "cost": float("nan")}], "must be a number"),
        ([{"actual": "yes", "predicted": "no", "cost": True}], "must be a number"),
        ([{"actual": "yes", "predicted": "no", "cost": 1e13}], "must be a number"),
        ([*SAID, {"actual": "", "predicted": "no", "cost": 1}], r"costs\[2\].actual: must be the name of a class"),
        ([{"actual": 1.5, "predicted": "no", "cost": 1}], r"costs\[0\].actual: must be the name of a class"),
        ([{"actual": "yes", "predicted": "no", "price": 1}], r"costs\[0\].price: unknown key"),
        ([{"actual": "yes", "predict": "no", "cost": 1}], r"costs\[0\].predict: unknown key, did you mean predicted\?"),
        ([*SAID, SAID[0]], "two of them are of one pair of classes"),
        ([{"actual": str(at), "predicted": "no", "cost": 1} for at in range(MOST + 1)], "must not be more than 441"),
    ],
)
def test_what_is_no_cost_is_refused_with_the_path_to_it(said: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        resolve(("file", {"performance.costs": said}))


def test_pairs_that_are_not_said_cost_nothing() -> None:
    assert matrix(MEANT, LABELS).tolist() == [[0, 1.5, 0], [20, 0, 0], [0, 0, 0]]
    assert matrix((Cost("yes", "other", 7.0),), LABELS).tolist() == [[0, 0, 0], [0, 0, 7], [0, 0, 0]]


def test_truth_values_are_found_however_they_are_written() -> None:
    task = Task("binary", label="answer", classes=("false", "true"))
    assert matrix((Cost("True", "FALSE", 2.0),), task)[1, 0] == 2


def test_classes_that_the_model_does_not_have_are_refused_with_the_nearest() -> None:
    refuse_unknown((*MEANT, Cost("other", "yes", 1.0)), BINARY)
    with pytest.raises(
        ConfigError, match=r"performance.costs\[1\].predicted: there is no class yess, did you mean yes\?"
    ):
        refuse_unknown((MEANT[0], Cost("no", "yess", 1.0)), BINARY)


def test_of_numbers_nothing_costs_anything() -> None:
    refuse_unknown((), REGRESSION)
    with pytest.raises(ConfigError, match="whose task is regression"):
        refuse_unknown(MEANT, REGRESSION)


def test_costs_of_another_model_s_classes_alone_make_no_measure() -> None:
    rows = drawn(LABELS, 50)
    assert "cost_per_thousand" in {one[0] for one in numbers(LABELS, rows, costs=MEANT)}
    assert "cost_per_thousand" not in {one[0] for one in numbers(LABELS, rows, costs=(Cost("fraud", "honest", 1.0),))}
