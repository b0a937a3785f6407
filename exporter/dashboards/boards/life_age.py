"""Of the life board: how old the model is, what has moved since it was deployed, and when it is due for training."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.aged import CALENDAR
from exporter.dashboards.looks import CRITICAL, DASHED, PLAIN, by_pattern
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import of, recorded

_SMALL: Final = {"colorMode": "none"}
_T: Final = c.TREND


def panels() -> Iterator[Panel]:
    """Times, then what has become of them."""
    yield _when("Trained", "When the model was trained, as its profile says.", f"max({of(c.TRAINED)})",
                "the profile does not say")  # fmt: skip
    yield _when("Newest row it was trained on", "What came into the world since then, the model has never seen.",
                f"max({of(c.PROFILE_TIME)})", "the profile does not say")  # fmt: skip
    yield _when("Deployed", "Since when this version is deployed, as settings say (staleness.deployed_at), else since"
                " its first answer here. Of replicas that know it otherwise, the oldest.",
                f"min({of(c.AGE.deployed)})", "it has not answered yet")  # fmt: skip
    yield _when("Due for training", "By its calendar (staleness.retrain_every), or sooner where its errors grow beyond"
                " doubt and reach what they may be. Ticket once it is over, a week before it is told as information.",
                f"min({recorded('model_reason:model_retrain_due_seconds:left', model_version='$version')}) + time()",
                "nobody has said how old it may become, and its errors do not certainly grow")  # fmt: skip
    yield _age()
    yield _moved()
    yield _errors()
    yield _trend()


def _when(title: str, text: str, expr: str, unknown: str) -> Panel:
    return Panel("stat", title, text, "dateTimeFromNow", [Query(f"({expr}) * 1000", instant=True)], 6, 5,
                 PLAIN | {"noValue": unknown}, _SMALL)  # fmt: skip


def _age() -> Panel:
    due = of(c.AGE.due, reason=CALENDAR)
    return Panel("timeseries", "Age, and what it may become", "Time since training and since deployment. Dashed:"
                 " what staleness.retrain_every says, after the training, or after the deployment where the profile"
                 " does not say that. Old alone is no ticket, unless that line is crossed; old and drifting is one.",
                 "s", [
                     Query(f"time() - max({of(c.TRAINED)})", "since the training"),
                     Query(f"time() - min({of(c.AGE.deployed)})", "since the deployment"),
                     Query(f"max({due}) - (max({of(c.TRAINED)}) or min({of(c.AGE.deployed)}))",
                           "critical: retrain every"),
                 ], 12, 9, PLAIN | {"min": 0, "noValue": "nobody knows when it was trained or deployed"},
                 overrides=[CRITICAL])  # fmt: skip


def _moved() -> Panel:
    features, outputs = c.FEATURES_SINCE_DEPLOY, c.OUTPUTS_SINCE_DEPLOY
    critical = " or ".join(f"max({of(one.critical)})" for one in (features, outputs))
    return Panel("timeseries", "Moved since the deployment", "Share of all values since the deployment that lie in"
                 " another bin than the training's, of the features and outputs that are farthest beyond what chance"
                 " reaches (dashed), as the average over replicas. What moves and comes back cancels; what stays moved"
                 " adds up. With a tenth beyond it an old model is stale.", "percentunit", [
                     Query(f"topk(5, avg by (feature) ({of(features.most)}))", "{{feature}}"),
                     Query(f"topk(5, avg by (output) ({of(outputs.most)}))", "output {{output}}"),
                     Query(critical, "critical"),
                 ], 12, 9, PLAIN | {"min": 0, "noValue": "nothing has moved beyond chance"},
                 overrides=[CRITICAL])  # fmt: skip


_UNTOLD: Final = {"noValue": "fewer than seven days have truths enough"}


def _errors() -> Panel:
    return Panel("timeseries", "Errors of late, and what they may be", "Height of the line through the errors of days"
                 " since the deployment, by when was predicted: the share of wrong ones of classes, the mean size of"
                 " errors of numbers. Dashed: what they were in training and what is tolerated on top. Where the"
                 " lines meet, the model is due.", "none", [
                     Query(f"avg by (measure) ({of(_T.level)})", "{{measure}}"),
                     Query(f"max by (measure) ({of(_T.limit)})", "critical: {{measure}} in training, and tolerated"),
                 ], 12, 9, PLAIN | {"min": 0} | _UNTOLD, overrides=[CRITICAL])  # fmt: skip


def _trend() -> Panel:
    ends = by_pattern("/^(from|to)$/", custom_lineStyle=DASHED)
    return Panel("timeseries", "Trend of errors", "By how much errors grow a day, with the interval that has the true"
                 " slope 95 times of 100. Above 0, interval and all: the model becomes worse. One that holds 0 says"
                 " nothing.", "none", [
                     Query(f"avg({of(_T.per_day)})", "a day"), Query(f"avg({of(_T.lower)})", "from"),
                     Query(f"avg({of(_T.upper)})", "to"),
                 ], 12, 9, PLAIN | _UNTOLD, overrides=[ends])  # fmt: skip
