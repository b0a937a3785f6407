"""What to do, by what is known: the table of docs/retraining.md."""

from dataclasses import dataclass

import pytest

from exporter.retrain.advice import WATCH, Facts, advise
from exporter.retraining import FIX, RETRAIN, REWORK


@dataclass(frozen=True)
class Case:
    said: str
    facts: Facts
    advice: str


CASES = [
    Case("a changed unit, whatever else", Facts(True, True, ever_good=False, faults=("amount looks ×100",)), FIX),
    Case("drift, and nobody knows of truth", Facts(True, None), RETRAIN),
    Case("drift, and it is as good as ever", Facts(True, False), WATCH),
    Case("drift, and its scores say it is as good", Facts(True, None, estimated_worse=False), WATCH),
    Case("drift, and its scores say it is worse", Facts(True, None, estimated_worse=True), RETRAIN),
    Case("drift, its scores say it is worse, truths say no", Facts(True, False, estimated_worse=True), WATCH),
    Case("drift from a provisional reference", Facts(True, None, provisional=True), WATCH),
    Case("drift and worse", Facts(True, True, ever_good=True), RETRAIN),
    Case("worse, inputs as in training", Facts(False, True, ever_good=True), RETRAIN),
    Case("worse, and nobody knows of earlier", Facts(False, True), RETRAIN),
    Case("worse, and it was never good", Facts(False, True, ever_good=False), REWORK),
    Case("worse and drift, and it was never good", Facts(True, True, ever_good=False), REWORK),
    Case("nothing", Facts(False, None), WATCH),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.said)
def test_the_advice_follows_from_what_is_known(case: Case) -> None:
    found = advise(case.facts)
    assert found.advice == case.advice
    assert len(found.why) > 20


def test_broken_data_are_never_trained_on() -> None:
    for drift in (True, False):
        for worse in (True, False, None):
            for good in (True, False, None):
                facts = Facts(drift, worse, estimated_worse=worse, ever_good=good, faults=("x is always 0",))
                assert advise(facts).advice == FIX
                assert "x is always 0" in advise(facts).why
