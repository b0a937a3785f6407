"""The families of how old a model is: since when it is deployed, what has changed since, and when it is due."""

from typing import NamedTuple

from exporter.families import FEATURE, GAUGE, MODEL, PROFILED, Family


class SinceDeploy(NamedTuple):
    """All that came of one side since the version was deployed; the side's label comes behind the model's."""

    variation: Family
    critical: Family
    most: Family
    excess: Family
    moved: Family
    rows: Family


class Age(NamedTuple):
    """Of a model and version."""

    deployed: Family
    due: Family
    since: Family


class Trend(NamedTuple):
    """How a mean error goes from day to day; fields are called as those of `aged.Trend`."""

    per_day: Family
    lower: Family
    upper: Family
    level: Family
    limit: Family
    samples: Family
    days: Family


def _model(name: str, text: str, *labels: str) -> Family:
    return Family(f"model_{name}", GAUGE, (*MODEL, *labels), text)


# fmt: off
def of_age() -> Age:
    """The families of times."""
    return Age(
        deployed=_model("deployed_timestamp_seconds", "Unix time at which this version of the model was deployed, as staleness.deployed_at says; else of its first answer here, kept in state.directory. Without either it begins anew with every pod. Absent before the first answer."),
        due=_model("retrain_due_timestamp_seconds", "Unix time from which on the model is due for training. `reason`: by the `calendar`, staleness.retrain_every after it was trained, or deployed where the profile does not say that; by `decay`, when the line through its errors reaches what they were in training and what is tolerated on top, from the first day of the line on and a year ahead at the most, and absent unless they certainly rise.", "reason"),
        since=Family("model_since_deploy_timestamp_seconds", GAUGE, PROFILED, "Unix time since which rows of this version are counted that are compared with this reference, over all restarts that state.directory has outlived. Absent before the first answer."),
    )


def of_since_deploy(side: str, label: str) -> SinceDeploy:
    """The families of one side, whose names have `side` in them and whose label is `label`."""
    name = f"model_{side}_since_deploy"
    columns = (*PROFILED, label)
    what = "features" if side == FEATURE else "outputs"
    return SinceDeploy(
        variation=Family(f"{name}_total_variation", GAUGE, columns, "Share of all its values since model_since_deploy_timestamp_seconds that lie in another bin than the reference's: half the sum of |p-r|. What moved here and there and back again cancels; what stays moved adds up."),
        critical=Family(f"{name}_total_variation_critical", GAUGE, columns, f"What the largest of all {what}' total variation since the deployment exceeds at most once in 1000 times without drift, at that many values."),
        most=Family(f"{name}_most_moved_ratio", GAUGE, columns, f"Total variation since the deployment of the five {what} that are farthest beyond its _critical; none where nothing is."),
        excess=Family(f"{name}_excess_ratio", GAUGE, PROFILED, f"By how much the total variation since the deployment is beyond its _critical, and beyond what overrides tolerate, of the one of all {what} that is farthest beyond; 0 where none is."),
        moved=Family(f"{name}_moved", GAUGE, PROFILED, f"Number of {what} that have a total variation since the deployment beyond its _critical, those without series of their own among them."),
        rows=Family(f"{name}_rows", GAUGE, PROFILED, "Rows of which these are, missing values included: of the column that has most."),
    )


_MEASURE = "`measure` is the share of wrong ones of classes (error_ratio), the mean size of errors of numbers (mae), the share of rankings with nothing relevant among the first ones (miss_ratio)."


def of_trend() -> Trend:
    """The families of the trend of errors."""
    return Trend(
        per_day=_model("performance_trend_daily", f"By how much the error grows a day: slope of a line through the errors of the days of prediction since the deployment, staleness.trend back at the most; above 0 the model becomes worse. {_MEASURE} Absent of fewer than seven days with ten truths each, or where all errors are equal.", "measure"),
        lower=_model("performance_trend_daily_lower", "Where the interval of model_performance_trend_daily begins: it holds the true slope 95 times of 100. Above 0 the model certainly becomes worse.", "measure"),
        upper=_model("performance_trend_daily_upper", "Where the interval of model_performance_trend_daily ends: it holds the true slope 95 times of 100.", "measure"),
        level=_model("performance_trend_level", "Height of the line of model_performance_trend_daily on its last day: the error of late, in the unit of the measure.", "measure"),
        limit=_model("performance_trend_limit", "What the error of the trend may be: the training's, and what is tolerated on top (performance.tolerance; of numbers staleness.tolerance of it). Absent where the profile does not say what it was.", "measure"),
        samples=_model("performance_trend_samples", "Predictions with truth that the trend is of.", "measure"),
        days=_model("performance_trend_panes", "Days that the trend is of: those that are over, have ten truths, and half of the usual share of truths. Of a shorter staleness.trend than 90d ninetieths of it.", "measure"),
    )
# fmt: on
