"""What every measure promises, for everything in the table."""

import math

import numpy as np
import pytest
from joined_rows import BINARY, LABELS, MANY, MULTICLASS, RANKING, REGRESSION, TASKS, drawn, numbers

from exporter.costing import Cost
from exporter.performance.measures import MEASURES, measured
from exporter.performance.tally import Tally
from exporter.performance.task import Rows, Task
from exporter.performed import Measure

Key = tuple[str, ...]
COSTS = (Cost("yes", "no", 20.0), Cost("a", "b", 3.0), Cost("c00", "c01", 1.0))
ALL = [pytest.param(task, id=name) for name, task in TASKS.items()]
OF_LABELS = {name for name in MEASURES if name.startswith(("accuracy", "balanced", "precision", "recall", "f1"))}
ONE_OF_TWO = {"log_loss", "brier", "calibration_error", "calibration_in_the_large", "roc_auc", "pr_auc"}
RELIABILITY = {"reliability_rows", "reliability_score", "reliability_true_ratio"}
OF_PAIRS = {"confusion_rows", "cost_per_thousand"}
OF_CLASS = {"roc_auc_of_class", "pr_auc_of_class"}
OF_TASK = {
    "binary": OF_LABELS | ONE_OF_TWO | RELIABILITY | OF_PAIRS,
    "labels": OF_LABELS | OF_PAIRS,
    "multiclass": OF_LABELS | ONE_OF_TWO | RELIABILITY | OF_PAIRS | OF_CLASS,
    "many": OF_LABELS,
    "regression": {"mae", "rmse", "mape", "r2", "bias", "residual_quantile"},
    "ranking": {"hit_rate", "ndcg"},
}


def found(task: Task, rows: Rows, dependence: float = 1.0) -> dict[Key, Measure]:
    every = measured(task, Tally(task).of(rows), COSTS, dependence)
    assert len({(one.name, one.labels) for one in every}) == len(every)
    return {(one.name, *one.labels): one for one in every}


@pytest.mark.parametrize(("name", "task"), TASKS.items())
def test_each_task_has_its_measures_and_no_others(name: str, task: Task) -> None:
    assert {key[0] for key in found(task, drawn(task, 500))} == OF_TASK[name]


def test_every_measure_is_of_some_task() -> None:
    assert set().union(*OF_TASK.values()) == MEASURES.keys()


@pytest.mark.parametrize("task", ALL)
def test_measures_have_the_labels_and_the_ends_that_the_table_says(task: Task) -> None:
    for key, one in found(task, drawn(task, 2000)).items():
        kind = MEASURES[one.name]
        assert len(one.labels) == len(kind.labels), key
        assert math.isnan(one.bound) != kind.bound, key
        assert kind.interval or (math.isnan(one.lower) and math.isnan(one.upper)), key


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("task", ALL)
def test_values_lie_within_their_intervals(task: Task, weights: bool) -> None:
    for size in (30, 200, 2000):
        for key, one in found(task, drawn(task, size, weights=weights)).items():
            below, above = one.lower - 1e-12, one.upper + 1e-12
            away = one.bound if one.name == "residual_quantile" else 0.0
            assert math.isnan(one.lower) or below - away <= one.value <= above + away, (size, key)


@pytest.mark.parametrize("task", ALL)
def test_more_rows_of_the_same_kind_make_it_surer(task: Task) -> None:
    few, many = found(task, drawn(task, 1000)), found(task, drawn(task, 16_000))
    for key in few.keys() & many.keys():
        wide, narrow = (side[key].upper - side[key].lower for side in (few, many))
        assert math.isnan(wide) or narrow < 0.6 * wide, key


@pytest.mark.parametrize("task", ALL)
def test_rows_that_depend_on_each_other_make_it_less_sure_and_change_nothing_else(task: Task) -> None:
    rows = drawn(task, 5000)
    alone, together = found(task, rows), found(task, rows, 4.0)
    for key, one in alone.items():
        same = together[key].value == one.value or math.isnan(one.value)
        assert same or one.name == "calibration_error", key  # from which more chance is taken away
        if one.upper > one.lower:
            assert together[key].upper - together[key].lower > 1.4 * (one.upper - one.lower), key


@pytest.mark.parametrize("task", ALL)
def test_equal_weights_are_no_weights(task: Task) -> None:
    rows = drawn(task, 700)
    even, heavy = found(task, rows), found(task, rows._replace(weight=np.full(700, 2.5)))
    for key, one in even.items():
        ours = heavy[key]
        for at in (1, 2, 3, 4):
            assert ours[at] == pytest.approx(one[at], rel=1e-9, abs=1e-12, nan_ok=True), key


@pytest.mark.parametrize("task", ALL)
def test_no_rows_and_rows_without_weight_tell_nothing(task: Task) -> None:
    rows = drawn(task, 20)
    for none in (Rows(*(part[:0] for part in rows)), rows._replace(weight=np.zeros(20))):
        for key, one in found(task, none).items():
            if one.name not in {"confusion_rows", "reliability_rows"} | OF_LABELS:
                assert math.isnan(one.value), key
            assert math.isnan(one.lower) or one.lower == 0, key


@pytest.mark.parametrize("task", ALL)
def test_one_row_is_enough_for_a_value_and_says_how_little_it_is(task: Task) -> None:
    for key, one in found(task, drawn(task, 1)).items():
        assert not one.upper - one.lower < 0.3, key


def test_of_rows_of_one_class_areas_are_not_there_and_the_rest_is() -> None:
    rows = drawn(BINARY, 50)
    ours = numbers(BINARY, rows._replace(true=np.zeros(50)))
    assert math.isnan(ours["roc_auc",])
    assert math.isnan(ours["pr_auc",])
    assert ours["recall", "yes"] == 0
    assert ours["log_loss",] > 0


def test_a_class_that_was_neither_true_nor_predicted_is_not_there() -> None:
    rows = Rows(np.zeros((9, 1)), np.zeros(9), np.ones(9))
    ours = numbers(LABELS, rows)
    assert math.isnan(ours["precision", "yes"])
    assert ours["f1_macro",] == 1.0


@pytest.mark.parametrize("task", [BINARY, LABELS, MULTICLASS], ids=["binary", "labels", "multiclass"])
def test_perfect_answers_are_not_called_certain(task: Task) -> None:
    rows = drawn(task, 400)
    said = rows.said.copy()
    said[:, 0] = rows.true
    if task.scores:
        codes = np.arange(1, 2) if task.kind == "binary" else np.arange(len(task.classes))
        said[:, 1:] = np.where(rows.true[:, None] == codes, 0.97, 0.01)
    for key, one in found(task, rows._replace(said=said)).items():
        if one.name in OF_LABELS or one.name in {"roc_auc", "pr_auc"}:
            assert one.value == pytest.approx(1, rel=1e-14), key
            assert one.lower < 0.9999, key


def test_of_many_classes_means_have_an_interval_where_classes_do_not_depend_on_each_other() -> None:
    ours = found(MANY, drawn(MANY, 5000))
    sure = {key[0] for key, one in ours.items() if len(key) == 1 and one.upper > one.lower}
    assert sure == {"accuracy", "balanced_accuracy", "precision_macro", "recall_macro"}


def test_costs_are_those_of_the_wrong_ones_per_thousand() -> None:
    true, said = np.repeat([1.0, 1.0, 0.0, 0.0], 25), np.tile([0.0, 1.0], 50)
    one = found(LABELS, Rows(said[:, None], true, np.ones(100)))["cost_per_thousand",]
    cost = 20.0 * ((true == 1) & (said == 0))
    assert one.value == pytest.approx(1000 * cost.mean())
    assert one.upper - one.value == pytest.approx(1.96 * 1000 * cost.std(ddof=1) / 10, rel=1e-4)


def test_without_costs_there_is_no_cost() -> None:
    assert ("cost_per_thousand",) not in numbers(LABELS, drawn(LABELS, 10))


def test_an_overconfident_model_promises_too_much() -> None:
    rows = drawn(BINARY, 20_000)
    odds = np.log(rows.said[:, 1] / (1 - rows.said[:, 1]))
    bold = rows._replace(said=np.column_stack((rows.said[:, 0], 1 / (1 + np.exp(-3 * odds)))))
    calm, loud = found(BINARY, rows), found(BINARY, bold)
    assert loud["calibration_error",].lower > calm["calibration_error",].upper


def test_calibration_is_not_called_bad_for_chance_alone() -> None:
    random = np.random.default_rng(3)
    seen = []
    for _ in range(200):
        score = random.beta(1.0, 3.0, 500)
        rows = Rows(np.column_stack((score >= 0.5, score)), (random.random(500) < score) * 1.0, np.ones(500))
        seen.append(found(BINARY, rows)["calibration_error",])
    assert np.mean([one.value == 0 for one in seen]) > 0.4
    assert np.mean([one.lower > 0 for one in seen]) < 0.06


def test_r2_has_no_interval_where_nothing_is_left_of_the_digits() -> None:
    random = np.random.default_rng(1)
    true = random.normal(1e6, 1.0, 500)
    rows = Rows((true + random.normal(0.0, 0.1, 500))[:, None], true, np.ones(500))
    near, far = (found(Task("regression", centre=centre), rows)["r2",] for centre in (1e6, 0.0))
    assert near.lower < near.value < near.upper
    assert far.value == pytest.approx(near.value, rel=1e-9)
    assert math.isnan(far.lower)


def test_quantiles_beyond_the_bins_are_not_told() -> None:
    rows = Rows(np.linspace(-1e6, 1e6, 101)[:, None], np.zeros(101), np.ones(101))
    ours = found(Task("regression"), rows)
    assert math.isnan(ours["residual_quantile", "0.05"].value)
    assert ours["residual_quantile", "0.5"].value == 0


@pytest.mark.parametrize("task", [REGRESSION, RANKING], ids=["regression", "ranking"])
def test_wild_rows_leave_numbers_finite(task: Task) -> None:
    rows = drawn(task, 50)
    rows.true[:3] = 1e300
    for key, one in found(task, rows).items():
        assert math.isnan(one.value) or math.isfinite(one.value), key
