"""The benchmark of diagnoses in small: each kind of fault, planted in car loans."""

from collections import Counter

from diagnosis import CONTROLS, FAULTS, runs


def test_planted_faults_are_called_by_their_names_and_nothing_is_said_of_controls() -> None:
    found: dict[str, Counter[str]] = {kind: counts for kind, _, counts in runs(range(1), 1500, tables="loans")}
    assert found.keys() == {*FAULTS, *CONTROLS}
    faults = sum((found[kind] for kind in FAULTS), Counter[str]())
    assert faults["wrong"] == 0
    assert faults["right"] >= 0.9 * faults.total(), found
    assert found["no fault"]["wrong"] == 0
