"""What scores alone say about a classifier: as the plain computation says, and true where the scores are."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from exporter.performance.estimates import Estimates, estimable
from exporter.performance.task import Task
from exporter.performed import Measure
from exporter.profile import Plan, build_frame
from exporter.reference import Column
from exporter.target import Calibration, Target

BINARY = Task("binary", "", ("score",), ("no", "yes"), 0.4)
MULTI = Task("multiclass", "said", ("a", "b", "c"), ("a", "b", "c"))
BENT = ((0.0, 0.2, 0.5, 0.9), (0.05, 0.1, 0.6, 0.95))
EVEN = ((0.0, 1.0), (0.0, 1.0))


def target_of(task: Task, line: Sequence[Sequence[float]] = EVEN, rows: int = 10**9) -> Target:
    lines = tuple(Calibration(name, tuple(line[0]), tuple(line[1])) for name in task.scores)
    column = Column("y", "categorical", (rows, 0, 0, 0), categories=("a",))
    return Target(column, task.kind, task.label, task.scores, task.classes, task.threshold, lines, (), (rows, 0))


def by_name(measures: Sequence[Measure]) -> dict[str, Measure]:
    return {".".join((one.name, *one.labels)): one for one in measures}


def estimated(task: Task, said: np.ndarray, target: Target) -> dict[str, Measure]:
    estimates = Estimates(task, target)
    return by_name(estimates.measures(estimates.of(said)))


def binary(scores: np.ndarray) -> np.ndarray:
    return np.column_stack((np.full(len(scores), np.nan), scores))


def expected_f1(hits: np.ndarray, said: np.ndarray, true: np.ndarray) -> np.ndarray:
    return np.asarray(2 * hits / (said + true))


def test_of_two_classes_it_is_the_expected_confusion_matrix() -> None:
    random = np.random.default_rng(1)
    scores = random.beta(0.5, 1, 5000)
    found = estimated(BINARY, binary(scores), target_of(BINARY, BENT))
    p, said = np.interp(scores, *BENT), scores >= 0.4
    tp, fp, fn, tn = (p * said).sum(), ((1 - p) * said).sum(), (p * ~said).sum(), ((1 - p) * ~said).sum()
    plain = {
        "accuracy": (tp + tn) / len(p), "precision.yes": tp / (tp + fp), "recall.yes": tp / (tp + fn),
        "f1.yes": 2 * tp / (2 * tp + fp + fn), "precision.no": tn / (tn + fn), "recall.no": tn / (tn + fp),
        "f1.no": 2 * tn / (2 * tn + fp + fn),
        "log_loss": -(p * np.log(scores) + (1 - p) * np.log1p(-scores)).mean(),
        "brier": (p * (1 - scores) ** 2 + (1 - p) * scores**2).mean(),
    }  # fmt: skip
    plain |= {f"{name}_macro": (plain[f"{name}.yes"] + plain[f"{name}.no"]) / 2
              for name in ("precision", "recall", "f1")}  # fmt: skip
    assert {name: one.value for name, one in found.items() if name != "roc_auc"} == pytest.approx(plain, abs=1e-9)


def test_the_area_is_that_of_weighted_rows_within_its_bound() -> None:
    scores = np.random.default_rng(2).beta(0.5, 1, 5000)
    p = np.interp(scores, *BENT)
    found = estimated(BINARY, binary(scores), target_of(BINARY, BENT))["roc_auc"]
    twice = np.concatenate((scores, scores))
    plain = metrics.roc_auc_score(np.repeat([1, 0], len(p)), twice, sample_weight=np.concatenate((p, 1 - p)))
    assert abs(found.value - plain) <= found.bound < 0.01


def test_of_several_classes_probabilities_add_up_to_one_again() -> None:
    random = np.random.default_rng(3)
    scores = random.dirichlet((1, 2, 3), 4000)
    labels = scores.argmax(axis=1)
    labels[:100] = 3  # of no class that is known
    found = estimated(MULTI, np.column_stack((labels, scores)), target_of(MULTI, BENT))
    p = np.interp(scores, *BENT)
    p /= p.sum(axis=1, keepdims=True)
    one_hot = labels[:, None] == np.arange(3)
    hits, said, true = (p * one_hot).sum(axis=0), one_hot.sum(axis=0), p.sum(axis=0)
    plain = {"accuracy": hits.sum() / len(p)}
    for name, values in (("precision", hits / said), ("recall", hits / true), ("f1", expected_f1(hits, said, true))):
        plain |= {f"{name}.{one}": value for one, value in zip("abc", values, strict=True)}
        plain[f"{name}_macro"] = values.mean()
    plain["log_loss"] = -(p * np.log(scores)).sum(axis=1).mean()
    plain["brier"] = ((scores**2).sum(axis=1) + 1 - 2 * (p * scores).sum(axis=1)).mean()
    assert {name: one.value for name, one in found.items() if name != "roc_auc"} == pytest.approx(plain, abs=1e-9)
    areas = [
        metrics.roc_auc_score(np.repeat([1, 0], len(p)), np.tile(scores[:, at], 2),
                              sample_weight=np.concatenate((p[:, at], 1 - p[:, at])))
        for at in range(3)
    ]  # fmt: skip
    assert abs(found["roc_auc"].value - np.mean(areas)) <= found["roc_auc"].bound < 0.02


def test_order_and_batches_make_no_difference() -> None:
    random = np.random.default_rng(4)
    said = binary(random.random(1000))
    estimates = Estimates(BINARY, target_of(BINARY, BENT))
    parts = np.array_split(random.permutation(said), 7)
    assert (sum(map(estimates.of, parts)) == estimates.of(said)).all()
    assert estimates.samples(estimates.of(said)) == 1000


def test_answers_without_all_of_their_scores_are_left_out() -> None:
    estimates = Estimates(MULTI, target_of(MULTI))
    said = np.array([[0, 0.5, 0.3, 0.2], [1, np.nan, 0.5, 0.5], [np.nan, 0.2, 0.2, 0.6], [2, 0.1, 0.2, np.inf]])
    assert estimates.samples(estimates.of(said)) == 1
    nothing = estimates.of(np.zeros((0, 4)))
    assert estimates.samples(nothing) == 0
    assert estimates.measures(nothing) == ()


def test_certain_and_one_sided_scores_are_no_trouble() -> None:
    found = estimated(BINARY, binary(np.array([0.0, 0.0, 0.0])), target_of(BINARY))
    assert found["accuracy"] == Measure("accuracy", 1, 1, 1)
    assert found["precision.yes"].value == found["recall.yes"].value == found["f1.yes"].value == 0
    assert np.isnan(found["roc_auc"].value)
    assert found["log_loss"].value == pytest.approx(0, abs=1e-9)


def test_only_calibrated_scores_of_the_same_task_are_believed() -> None:
    target = target_of(BINARY)
    assert estimable(BINARY, target)
    assert estimable(replace(BINARY, threshold=0.9), target)
    assert not estimable(BINARY, None)
    assert not estimable(BINARY, target._replace(calibrations=()))
    assert not estimable(replace(BINARY, classes=("yes", "no")), target)
    assert not estimable(MULTI, target)


# --- what they are worth

PLAN = Plan(predictions=["score"], target="y", threshold=0.4)
MEASURES = ("accuracy", "precision.yes", "recall.yes", "f1.yes", "precision.no", "roc_auc", "log_loss", "brier")


def realised(scores: np.ndarray, true: np.ndarray) -> dict[str, float]:
    said = scores >= BINARY.threshold
    hits, right = (said & true).sum(), said == true
    return {
        "accuracy": right.mean(), "precision.yes": hits / said.sum(), "recall.yes": hits / true.sum(),
        "f1.yes": 2 * hits / (said.sum() + true.sum()), "precision.no": (~said & ~true).sum() / (~said).sum(),
        "roc_auc": metrics.roc_auc_score(true, scores),
        "log_loss": -np.log(np.where(true, scores, 1 - scores)).mean(), "brier": ((scores - true) ** 2).mean(),
    }  # fmt: skip


def covered(shift: float, turned: float, runs: int = 150, rows: int = 1000) -> dict[str, float]:
    """How often intervals have the realised value, features having moved by `shift`; `turned` is how far truth has."""
    random = np.random.default_rng(5)
    hits = dict.fromkeys(MEASURES, 0)
    for _ in range(runs):
        x = random.normal(shift, 1, rows)
        scores = 1 / (1 + np.exp(-1.5 * x))
        true = random.random(rows) < 1 / (1 + np.exp(-1.5 * x + turned))
        found, real = estimated(BINARY, binary(scores), target_of(BINARY)), realised(scores, true)
        for name in MEASURES:
            hits[name] += found[name].lower <= real[name] <= found[name].upper
    return {name: count / runs for name, count in hits.items()}


def test_where_features_move_and_scores_stay_calibrated_intervals_have_the_realised_value() -> None:
    for shift in (0.0, 1.0, -1.0):
        shares = covered(shift, 0.0)
        assert min(shares.values()) >= 0.88, shares
        assert np.mean([*shares.values()]) == pytest.approx(0.95, abs=0.025), shares


def test_so_they_do_with_a_calibration_that_a_build_has_found() -> None:
    random, hits, runs = np.random.default_rng(11), dict.fromkeys(MEASURES, 0), 40
    for _ in range(runs):
        x = random.normal(0, 1, 5000)
        p = 1 / (1 + np.exp(-1.5 * x))
        words = np.where(random.random(5000) < p, "yes", "no").astype(object)
        target = build_frame({"x": x, "score": p**2, "y": words}, PLAN)[0].target
        assert target
        p = 1 / (1 + np.exp(-1.5 * random.normal(0.7, 1, 1000)))
        true = random.random(1000) < p
        found, real = estimated(BINARY, binary(p**2), target), realised(p**2, true)
        for name in MEASURES:
            hits[name] += found[name].lower <= real[name] <= found[name].upper
    assert min(hits.values()) >= 0.8 * runs, hits
    assert np.mean([*hits.values()]) >= 0.9 * runs, hits


def test_where_the_truth_goes_otherwise_with_the_features_they_do_not() -> None:
    shares = covered(0.0, 1.0, runs=50)
    assert max(shares[name] for name in ("accuracy", "precision.yes", "f1.yes")) < 0.1, shares


def test_intervals_grow_where_the_calibration_rests_on_few_rows() -> None:
    task, line = BINARY, Calibration("score", (0.1, 0.5, 0.9), (0.1, 0.5, 0.9), (5000, 5000, 20))
    target = target_of(task)._replace(calibrations=(line,), errors=(9020, 1000))
    random = np.random.default_rng(8)
    widths = []
    for low in (0.1, 0.8):
        scores = random.uniform(low, low + 0.1, 500)
        known, plain = (
            estimated(task, binary(scores), one)["accuracy"]
            for one in (target, target._replace(calibrations=(line._replace(rows=()),)))
        )
        widths.append((known.upper - known.lower) / (plain.upper - plain.lower))
    assert widths[0] < 1.1
    assert widths[1] > 2


def test_a_small_training_table_widens_the_intervals() -> None:
    said = binary(np.random.default_rng(6).random(500))
    wide, narrow = (estimated(BINARY, said, target_of(BINARY, rows=rows))["accuracy"] for rows in (500, 10**9))
    assert wide.value == narrow.value
    assert wide.upper - wide.lower == pytest.approx((narrow.upper - narrow.lower) * np.sqrt(2), rel=1e-6)
