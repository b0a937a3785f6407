"""A model whose training data know the truth: scores are estimates, truths may drift, errors are evidence."""

from itertools import count
from typing import Any

import numpy as np
import pytest
from hindsight_scenes import KINDS, answered, table
from monitor_scenes import write_csv

from exporter.costing import Cost
from exporter.decode import Decoder
from exporter.hindsight import Performance
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.predicting import Hindsight
from exporter.monitor.said import Said
from exporter.performed import Performed
from exporter.profile.build import Plan, build
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.truths import Joined, Owner

WINDOWS = Windows(pane=1.0, lengths=(60.0,))
SETTINGS = Performance(windows=(3600.0,))
NUMBERS = count(1)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    kind, columns = KINDS["binary"], table(KINDS["binary"], 4000)
    columns["y"] = kind.truths(np.random.default_rng(4), columns["p"])
    source = write_csv(tmp_path_factory.mktemp("profile") / "train.csv", columns)
    return build(Plan(source, ["p"], target="y"))[0]


def watching(profile: Profile, *, feedback: bool = True) -> Monitor:
    return Monitor(profile, WINDOWS, (), Said(), Watching(hindsight=Hindsight(feedback, SETTINGS)))


def see(monitor: Monitor, at: float, rows: int, seed: int) -> list[Any]:
    answers = KINDS["binary"].answers(np.random.default_rng(seed), rows)
    one = answered(answers, at, f"r{seed}")
    monitor.observe(one, Decoder().decode(one))
    monitor.flush()
    return answers


def told(monitor: Monitor, truths: list[Any], at: float) -> list[Joined]:
    """What waits, with its truth."""
    assert monitor.performing
    owner = Owner("m", "1", monitor.performing.task.written)
    return [
        Joined(next(NUMBERS), owner, one.at_ms, round(at * 1000), one.content, b"%d" % truth, b"")
        for one, truth in zip(monitor.performing.take()[0], truths, strict=True)
    ]


def performed(monitor: Monitor, at: float) -> Performed:
    found = monitor.snapshot(at).performed
    assert found
    return found


def test_scores_say_of_themselves_how_good_they_are_whether_anybody_tells_the_truth_or_not(profile: Profile) -> None:
    for feedback in (False, True):
        monitor = watching(profile, feedback=feedback)
        answers = see(monitor, 10.0, 500, 1)
        (found,) = monitor.snapshot(11.0).estimated
        accuracy = next(one for one in found.measures if one.name == "accuracy")
        assert found.samples == 500
        assert accuracy.value == pytest.approx(np.maximum(answers, 1 - np.array(answers)).mean(), abs=0.05)
        assert (monitor.performing is None) != feedback


def test_truths_that_are_others_than_in_training_and_errors_are_told(profile: Profile) -> None:
    monitor, random = watching(profile), np.random.default_rng(5)
    for lump in range(20):
        answers = see(monitor, 10.0 + lump, 300, lump)
        truths = KINDS["binary"].truths(random, answers) if lump < 10 else [1] * len(answers)
        assert monitor.performing
        monitor.performing.join(told(monitor, truths, 10.5 + lump), 10.5 + lump)
        if lump == 9:
            calm = performed(monitor, 19.9)
    found = performed(monitor, 31.0)
    assert calm.target[0].total_variation < calm.target[0].total_variation_critical
    assert found.target[0].total_variation > found.target[0].total_variation_critical
    assert found.target[0].samples == 6000
    assert calm.concept
    assert found.concept
    assert calm.concept.nats < found.concept.nats
    assert found.concept.nats > found.concept.threshold
    assert {one.name for one in found.judged[0].measures} >= {"roc_auc", "log_loss", "f1"}
    assert ("accuracy", "accuracy") in {one[:2] for one in found.training}


def test_evidence_and_truths_go_on_in_another_run_and_evidence_counts_nothing_twice(profile: Profile) -> None:
    earlier, later = watching(profile), watching(profile)
    rows = []
    for lump in range(8):
        answers = see(earlier, 10.0 + lump, 100, lump)
        rows += told(earlier, [1] * len(answers), 10.5 + lump)
    assert earlier.performing
    assert later.performing
    earlier.performing.join(rows[:500], 30.0)
    before = performed(earlier, 31.0)
    later.put_back({name: array.copy() for name, array in earlier.held(31.0)}, 0.0, 31.0)
    assert repr(performed(later, 31.0).concept) == repr(before.concept)
    assert performed(later, 31.0).target == before.target
    later.performing.rejoin(rows, 31.0)
    assert repr(performed(later, 31.0).concept) == repr(before.concept)
    assert performed(later, 31.0).target[0].samples == len(rows)
    assert [one.samples for one in performed(later, 31.0).judged] == [len(rows)] * 2


def test_what_is_not_known_to_be_predicted_is_said(profile: Profile, caplog: pytest.LogCaptureFixture) -> None:
    settings = Performance(windows=(3600.0,), output="q")
    monitor = Monitor(profile, WINDOWS, (), Said(), Watching(hindsight=Hindsight(True, settings)))
    assert monitor.performing is None
    assert "performance.output: no output is called 'q'" in caplog.text


def test_windows_shorter_than_a_pane_are_no_reason_to_fail(profile: Profile) -> None:
    monitor = Monitor(
        profile, Windows(pane=7200.0, lengths=(7200.0,)), (), Said(), Watching(hindsight=Hindsight(False, SETTINGS))
    )
    see(monitor, 10.0, 5, 1)
    assert monitor.snapshot(11.0).estimated[0].samples == 5


def test_there_is_no_evidence_where_a_setting_judges_otherwise_than_the_training_was(profile: Profile) -> None:
    settings = Performance(windows=(3600.0,), threshold=0.3)
    one = Monitor(profile, WINDOWS, (), Said(), Watching(hindsight=Hindsight(True, settings)))
    see(one, 1.0, 10, 1)
    found = performed(one, 2.0)
    assert (found.task, found.concept) == ("binary", None)


def test_costs_of_classes_that_the_model_does_not_have_are_logged(
    profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Performance(costs=(Cost("fraud", "0", 3.0),))
    Monitor(profile, WINDOWS, (), Said(), Watching(hindsight=Hindsight(True, settings)))
    assert "performance.costs[0].actual: there is no class fraud" in caplog.text
