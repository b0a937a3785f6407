"""Of the life board: signs of feedback loops, each of which says what it cannot prove."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import kinds, tables
from exporter.dashboards.looks import CRITICAL, NAMES, PLAIN, SHARE, UNJUDGED, by_name
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import WINDOW, of
from exporter.families import FLEET, PROFILED
from exporter.rules import files

_SPAN: Final = str(files.defaults()["loops.truth_window"])
"""The window that the rules look at."""
_SAME: Final = ", ".join((*FLEET, "instance", *PROFILED))
_NOT_TOLD: Final = {"noValue": "no truth has been told (POST /feedback)"}


def panels() -> Iterator[Panel]:
    """Alike, selected, following, apart from a holdout, trained on itself."""
    yield _alike()
    yield _selected()
    yield _following()
    yield _apart()
    yield _influenced()


def _alike() -> Panel:
    entropy, critical = (of(family, **WINDOW) for family in (c.SPREAD.entropy, c.SPREAD.entropy_critical))
    queries = [
        Query(f"topk(10, min by (output) ({entropy}))", "{{output}}"),
        Query(f"topk(10, max by (output) ({critical}))", "critical: {{output}}"),
    ]
    return Panel(
        "timeseries", "Do predictions become more alike?",
        "How evenly predictions lie over their bins (entropy; 1 is evenly, 0 is one answer for all); the worst replica."
        " Below its critical line it is no chance that they are more alike than the training data's. That is what a"
        " model does which is trained on what it decided; but so it does where its inputs have become alike. Look at"
        " the features first.",
        "none", queries, 12, 9, PLAIN | SHARE, overrides=[CRITICAL],
    )  # fmt: skip


def _selected() -> Panel:
    rows = of(c.LOOPS.predictions, window=_SPAN)
    told = f"{of(c.LOOPS.coverage, window=_SPAN)} * {rows}"
    bars = [Query(f"sum by (score_bin) ({told}) / (sum by (score_bin) ({rows}) > 0)", "with truth")]
    return Panel(
        "barchart", "Of which predictions is the truth known?",
        f"Share of the predictions of the last {_SPAN} whose truth has come, by what was predicted. Uneven bars: truths"
        " are told of some alone, as where nobody learns what those would have done who were turned down; measures are"
        " of the others, and so is what the next model learns. It does not prove that somebody chose: truths of one"
        " kind may just come later.",
        "percentunit", bars, 12, 9, PLAIN | SHARE | _NOT_TOLD, {"xField": "score_bin"},
        overrides=[by_name("score_bin", **NAMES)],
        transformations=[*tables.columns(bars, {"score_bin": "score_bin"}), kinds.in_order("score_bin")],
    )  # fmt: skip


def _following() -> Panel:
    size, critical, info = of(c.RETURNED.size), of(c.RETURNED.critical), of(c.LOOPS.info)
    by = f"on ({_SAME}) group_left ()"
    queries = [
        Query(f"topk(10, max by (output, feature) ({info} * {by} {size}))", "{{feature}} after {{output}}"),
        Query(f"min({critical})", "critical"),
    ]
    return Panel(
        "timeseries", "Do inputs follow what was predicted?",
        "The closest correlation of predictions with a feature of the next pane, time of day and habits taken out."
        " Above the critical line for hours: predictions may come back as inputs. It cannot tell that from something"
        " unmeasured that moves both, and it does not see what comes back within a pane, after hours, or in words.",
        "none", queries, 12, 9, PLAIN | SHARE | {"noValue": "not enough panes yet"}, overrides=[CRITICAL],
    )  # fmt: skip


def _apart() -> Panel:
    value, lower, upper = (of(family, window=_SPAN) for family in (c.GAP.value, c.GAP.lower, c.GAP.upper))
    enough = f"{of(c.GAP.sufficient, window=_SPAN)} == 1"
    queries = [
        Query(f"avg({one} and on ({_SAME}, window) {enough})", said)
        for one, said in ((value, "gap"), (lower, "from"), (upper, "to"))
    ]
    return Panel(
        "timeseries", "What turns out where nobody follows the model?",
        f"Mean truth of exposed predictions minus that of the holdout (loops.holdout), of the last {_SPAN}, with its"
        " 95 % interval. Far from 0: the model's decisions make its truths. That may be their purpose, and it proves"
        " nothing where the holdout was not drawn by lot, or where truths are told of some alone.",
        "none", queries, 8, 9, PLAIN | {"noValue": "no holdout is kept (loops.holdout), or it has too few truths"},
    )  # fmt: skip


def _influenced() -> Panel:
    return Panel(
        "stat", "Training data that the model had a hand in",
        "Share of the rows whose inputs or truths came about by the model's own decisions, as a column of the training"
        " data says (profile build --influenced). Much of it: the model learns from itself. It says what that column"
        " says, and nothing of how far a decision changed a row.",
        "percentunit", [Query(f"max({of(c.PROFILE_INFLUENCED)})", instant=True)], 4, 9,
        PLAIN | {"noValue": "the profile does not say"}, UNJUDGED,
    )  # fmt: skip
