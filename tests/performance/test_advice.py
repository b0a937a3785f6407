"""`check` says what performance can be had of a model, and what is missing for the rest."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from exporter.costing import Cost
from exporter.guarantees import Evidence
from exporter.hindsight import Performance
from exporter.performance.advice import told
from exporter.profile import Plan, build_frame
from exporter.reference import Profile

ROWS = 2000
RANDOM = np.random.default_rng(3)
SHARE = RANDOM.random(ROWS)
COLUMNS = {"x": RANDOM.normal(size=ROWS), "p": SHARE, "bought": (RANDOM.random(ROWS) < SHARE).astype(int)}


@pytest.fixture(scope="module")
def profile() -> Profile:
    return build_frame(COLUMNS, Plan(predictions=["p"], target="bought", performance={"val_auc": 0.9, "seconds": 7}))[0]


def lines(profile: Profile, evidence: Evidence | None = None, **settings: Any) -> dict[str, str]:
    """By what they begin with; what is predicted is without."""
    first, *others = told(profile, Performance(**settings), evidence or Evidence())
    return {"": first, **dict(line.split(": ", 1) for line in others)}


def test_a_profile_that_knows_the_truth_has_all(profile: Profile) -> None:
    found = lines(profile)
    assert found[""] == "binary of 0, 1, predicted by p"
    assert found["estimates without truth"] == "yes"
    assert found["evidence of concept drift"].endswith("% were wrong in training, 4.31% more are tolerated")
    assert "roc_auc, val_auc (roc_auc)" in found["held against the training"]
    assert "seconds" not in found["held against the training"]


def test_without_a_truth_it_is_said_what_is_missing() -> None:
    plan = Plan(predictions=["p"])
    found = lines(build_frame({name: COLUMNS[name] for name in ("x", "p")}, plan)[0])
    wanted = "none, the profile has no truth (profile build --target)"
    assert (found["estimates without truth"], found["evidence of concept drift"]) == (wanted, wanted)
    assert found["held against the training"].startswith("nothing, ")


def test_what_is_judged_otherwise_than_in_training_is_said(profile: Profile) -> None:
    found = lines(profile, threshold=0.3)
    assert found["estimates without truth"] == "yes", "of the threshold that counts now"
    assert found["evidence of concept drift"].startswith("none, the settings judge otherwise")
    found = lines(profile, positive="0")
    assert found["estimates without truth"] == found["evidence of concept drift"]


def test_what_nobody_wants_or_the_training_does_not_say_is_told(profile: Profile) -> None:
    assert lines(profile, Evidence(enable=False))["evidence of concept drift"] == "none, evidence.enable is false"
    assert profile.target
    bare = replace(profile, target=profile.target._replace(calibrations=(), errors=()))
    found = lines(bare)
    assert found["estimates without truth"] == "none, the scores of the training data say nothing about its truth"
    assert found["evidence of concept drift"].startswith("none, no row of the training data has both")


def test_classes_alone_have_no_estimates() -> None:
    frame = {"x": COLUMNS["x"], "said": COLUMNS["bought"], "bought": COLUMNS["bought"]}
    found = lines(build_frame(frame, Plan(predictions=["said"], target="bought"))[0])
    assert found["estimates without truth"] == "none, no probabilities are answered"


def test_what_is_not_known_is_all_there_is_to_say(profile: Profile) -> None:
    assert [*told(profile, Performance(output="q"), Evidence())] == [
        "not known: performance.output: no output is called 'q'"
    ]


def test_costs_of_classes_that_there_are_not_are_said(profile: Profile) -> None:
    found = [*told(profile, Performance(costs=(Cost("1", "no", 3.0),)), Evidence())]
    assert "performance.costs[0].predicted: there is no class no" in found[1]


def test_segments_that_the_profile_knows_the_errors_of_are_named(profile: Profile) -> None:
    assert "segments held against theirs" not in lines(profile)
    plan = Plan(predictions=["p"], target="bought", segments={"x": (0.0,)})
    divided = build_frame(COLUMNS, plan)[0]
    assert lines(divided)["segments held against theirs"] == "x"
    assert lines(divided, positive="0")["segments held against theirs"].startswith("none, the settings judge otherwise")
    older = replace(divided, segments=tuple(one._replace(errors=()) for one in divided.segments))
    assert lines(older)["segments held against theirs"].startswith("none, the profile was built before")
    assert lines(replace(older, target=None))["segments held against theirs"].startswith(
        "none, the profile has no truth"
    )
