"""Of the board of predictions: how good the model turned out to be."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import kinds, tables
from exporter.dashboards.looks import BLANK, DASHED, NAMES, PLAIN, UNJUDGED, by_name, by_pattern
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import of
from exporter.dashboards.truths import ARRIVED, NOT_TOLD, SPAN, beside_training, by_measure, in_training, known

_P: Final = c.PERFORMANCE
_E: Final = c.ESTIMATED
_FIRST: Final = ("accuracy", "f1_macro", "roc_auc", "rmse", "mae", "ndcg")
"""What people ask for first, of each task."""
_SHARES: Final = ("accuracy", "balanced_accuracy", "f1_macro", "roc_auc", "pr_auc", "r2", "hit_rate", "ndcg")
_LOSSES: Final = ("log_loss", "brier", "rmse", "mae", "mape")
_TRAINING: Final = by_pattern("/in training$/", custom_lineStyle=DASHED)
_LAST: Final = f"Of the truths that came within {SPAN}, as the average over replicas."


def now() -> Iterator[Panel]:
    """Measures beside the training's."""
    first = [Query(known(_P.values[word], **ARRIVED), word, instant=True) for word in _FIRST]
    yield Panel("stat", "How good it is, by its truths", f"The measures that people ask for first. {_LAST} Grey: not"
                " enough truths. Whether that is worse than in training stands below.", "none", first, 8, 5,
                PLAIN | NOT_TOLD | {"decimals": 3}, UNJUDGED | {"textMode": "value_and_name"})  # fmt: skip
    yield Panel("stat", "Truths by now", f"Predictions that have their truth: how many told it within {SPAN}, and what"
                " share of those made in each window have theirs by now. Little coverage: those that came first may be"
                " of one kind.", "short", [
                    Query(f"sum({of(_P.samples, **ARRIVED)})", f"within {SPAN}", instant=True),
                    Query(f"max by (window) ({of(_P.coverage)})", "of {{window}}", instant=True),
                ], 8, 5, PLAIN | NOT_TOLD, UNJUDGED | {"textMode": "value_and_name"},
                [by_pattern("/^of /", unit="percentunit")])  # fmt: skip
    nats, threshold = of(c.CONCEPT.nats), of(c.CONCEPT.threshold)
    yield Panel("stat", "Evidence that it is wrong more often", "Of the page line: from 1 on it pages. Evidence of the"
                " replica with most that the model is wrong more often than in training and what is tolerated. Nothing"
                " where the profile has no truth (profile build --target).", "none",
                [Query(f"max({nats} / {threshold})", instant=True)], 8, 5,
                PLAIN | {"decimals": 2, "noValue": "the profile has no truth, or none came"}, UNJUDGED)  # fmt: skip
    yield _against_training()
    shares = beside_training(_SHARES)
    yield Panel("timeseries", "Measures of which more is better", f"{_LAST} Dashed: in training. Below it by more than"
                " the interval in the table beside: truth says that the model has become worse.", "none", shares, 12, 9,
                PLAIN | NOT_TOLD, overrides=[_TRAINING])  # fmt: skip


def _against_training() -> Panel:
    queries = [Query(by_measure(_P.values, **ARRIVED), "now"), Query(by_measure(_P.lower, **ARRIVED), "from"),
               Query(by_measure(_P.upper, **ARRIVED), "to"), Query(in_training(), "in training")]  # fmt: skip
    return Panel(
        "table", "Measures against the training",
        f"{_LAST} From and to: the 95 % interval, which has the true value but once in twenty times. A measure is worse"
        " than in training where all of its interval is; log_loss, brier and errors of numbers are better where they"
        " are smaller.", "none", queries, 12, 9, PLAIN | NOT_TOLD | {"decimals": 3}, {},
        [BLANK], [*tables.columns(queries, {"measure": "measure"}), tables.only_with("now")],
    )  # fmt: skip


def parts() -> Iterator[Panel]:
    """Classes, scores, errors."""
    yield _classes()
    yield _confusion()
    yield _reliability()
    losses = beside_training(_LOSSES)
    yield Panel("timeseries", "Losses and errors", f"{_LAST} Smaller is better; of numbers in their own unit."
                " Dashed: in training.", "none", losses, 12, 9, PLAIN | NOT_TOLD | {"min": 0},
                overrides=[_TRAINING])  # fmt: skip
    ranks = known(_P.values["residual_quantile"], "rank", **ARRIVED)
    yield Panel("timeseries", "Errors of numbers", f"Prediction minus truth: quantiles by rank, and the mean (bias)."
                f" {_LAST} All above 0: the model says too much.", "none",
                [Query(ranks, "rank {{rank}}"), Query(known(_P.values["bias"], **ARRIVED), "mean")], 12, 9,
                PLAIN | {"noValue": "no numbers are predicted, or not enough truths came"})  # fmt: skip


def without() -> Iterator[Panel]:
    """Estimates, beside what turned out."""
    words = ("accuracy", "f1_macro", "roc_auc")
    estimated = [
        Query(f"max({of(family[word], window=SPAN)})", f"{word}, {said}")
        for word in words
        for family, said in ((_E.values, "estimated"), (_E.lower, "from"), (_E.upper, "to"))
    ]
    realised = [Query(known(_P.values[word], **ARRIVED), f"{word}, by truths") for word in words]
    thin = by_pattern("/, (from|to)$/", custom_lineStyle=DASHED, custom_lineWidth=1)
    yield Panel("timeseries", "Estimated without truth, beside what turned out", f"What scores alone say of the"
                f" predictions of {SPAN} (CBPE), with its interval of sampling, and what truths said. An estimate: it"
                " holds while scores are as right as in training and what is asked alike turns out alike. It sees"
                " harder inputs, never a changed world. Lines that part: do not believe the estimate.", "none",
                [*estimated, *realised], 24, 9,
                PLAIN | {"noValue": "no calibration in the profile (profile build --target), or no truth"},
                overrides=[thin])  # fmt: skip


def _classes() -> Panel:
    queries = [Query(known(_P.values[word], "class", **ARRIVED), word)
               for word in ("f1", "precision", "recall", "roc_auc_of_class")]  # fmt: skip
    return Panel(
        "table", "Classes, by their truths",
        f"{_LAST} Precision: of those said to be of the class the right ones. Recall: of those that were of it the ones"
        " found. A class whose recall fell is missed now.", "none",
        [Query(f"bottomk(25, {one.expr})", one.legend) if not place else one for place, one in enumerate(queries)],
        8, 9, PLAIN | {"decimals": 3, "noValue": "no classes are predicted, or not enough truths came"},
        {"sortBy": [{"desc": False, "displayName": "f1"}]}, [BLANK, by_name("class", **NAMES)],
        tables.columns(queries, {"class": "class"}),
    )  # fmt: skip


def _confusion() -> Panel:
    rows = f"sum by (actual, predicted) ({of(_P.values['confusion_rows'], **ARRIVED)})"
    queries = [Query(f"topk(25, {rows})", "rows"),
               Query(f"{rows} / on (actual) group_left () (sum by (actual) ({rows}) > 0)", "of actual")]  # fmt: skip
    return Panel(
        "table", "What was said of what was true",
        f"The confusion matrix, its largest cells first: predictions by the class that turned out and the one that was"
        f" said, of all replicas; truths that came within {SPAN}. The largest cell of two different classes is the"
        " mistake to look at.", "short", queries, 8, 9,
        PLAIN | {"noValue": "no classes are predicted, or no truth came"}, tables.worst_first("rows"),
        [BLANK, by_name("of actual", unit="percentunit"), by_pattern("/^(actual|predicted)$/", **NAMES)],
        [*tables.columns(queries, {"actual": "actual", "predicted": "predicted"}), tables.only_with("rows")],
    )  # fmt: skip


def _reliability() -> Panel:
    words = {"reliability_score": "mean score", "reliability_true_ratio": "true"}
    bars = [Query(f"avg by (bin) ({of(_P.values[word], **ARRIVED)})", said) for word, said in words.items()]
    return Panel(
        "barchart", "What scores promise and what is true",
        f"Reliability of scores, bin by bin: their mean, and the share that turned out to be true; truths that came"
        f" within {SPAN}. Equal bars: a score of 0.8 is right eight times of ten. True ones lower: the model promises"
        " too much.", "percentunit", bars, 8, 9, PLAIN | {"noValue": "no scores are answered, or no truth came"},
        {"xField": "bin"}, [by_name("bin", **NAMES)],
        [*tables.columns(bars, {"bin": "bin"}), kinds.in_order("bin")],
    )  # fmt: skip
