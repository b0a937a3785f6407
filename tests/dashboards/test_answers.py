"""What is looked for in answers is found where it is planted."""

from typing import Any

import board_answers
import pytest
from board_asking import Answer, Series

FINE = {"feature": "amount", "instance": "a"}


def answer(labels: dict[str, str], values: list[float], error: str = "", **said: Any) -> Answer:
    """Of a panel of two lines, of which this is the first."""
    config = {"defaults": {"unit": "percentunit"} | said, "overrides": [
        {"matcher": {"id": "byName", "options": "amount on a"}, "properties": [{"id": "unit", "value": "s"}]},
    ]}  # fmt: skip
    target = {"expr": "up", "format": "time_series", "legendFormat": "{{feature}} on {{instance}}", "refId": "A"}
    link = {"title": "there", "url": "/d/model-feature?var-feature=${__field.labels.feature}"}
    panel = {"title": "One", "type": "timeseries", "fieldConfig": config, "targets": [target], "links": [link]}
    return Answer("healthy", "model-health", "One", "A", panel, target, [Series(labels, values)], error)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (answer(FINE, [0.0], error="many-to-many matching not allowed"), "many-to-many"),
        (answer(FINE, [float("nan")]), "is no number"),
        (answer(FINE, [float("inf")]), "is no number"),
        (answer(FINE, [-1.0]), "not within Look(unit='s'"),
        (answer(FINE | {"instance": "b"}, [0.5, 1.5]), "[1.5] is not within"),
        (answer(FINE | {"instance": "b"}, [0.5], max=0.4), "[0.5] is not within"),
        (answer({"feature": "amount"}, [0.5]), "no label instance, which its legend says"),
        (answer({"instance": "a"}, [0.5]), "no label feature, which a link says"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(given: Answer, text: str) -> None:
    found = [*board_answers.faults(given)]
    assert any(text in one for one in found), found


def test_what_is_as_it_should_be_is_left_alone() -> None:
    assert [*board_answers.faults(answer(FINE, [3.5]))] == []
    assert [*board_answers.faults(answer(FINE | {"instance": "b"}, [0.5, -0.5]))] == []


def test_columns_are_those_that_transformations_leave() -> None:
    given = answer(FINE, [0.5])
    moved = {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": {"Value": "score"}}}
    panel = given.panel | {"type": "table", "transformations": [moved], "links": [{"url": "${__data.fields.output}"}]}
    assert board_answers.columns(panel, [given]) == {"feature", "instance", "score"}
    assert len([*board_answers.of_rows(panel, [given])]) == 1
