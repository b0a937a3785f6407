"""Of the health board: what its features say, all replicas of the model together."""

from typing import Final

from exporter import catalogue as c
from exporter.config import Settings
from exporter.dashboards import links
from exporter.dashboards.looks import AT, BLUE, GREEN, NAMES, ORANGE, RED, by_name, spans, steps
from exporter.dashboards.pieces import Json, Panel, Query
from exporter.dashboards.queries import of, recorded
from exporter.snapshots import IMPACT

FEW: Final = "not enough data, or rules not loaded"
NONE: Final[Json] = {"noValue": "–"}
"""Of a column that has nothing to say of most rows."""
_LINES: Final = 25
"""At most: more cannot be told apart."""
_AT_END: Final = " @ end()"
_BY: Final = "feature, model_version"
_EVERY: Final = {"model_version": "*"}


def _scored(score: str, *, below: str = "", at: str = "") -> str:
    """A pooled score, over another if given: of the last hour, or of the last day where that holds too few values.

    Of the worst replica where no page has room for the bins, which are what adds up.
    """
    least = Settings().windows.minimum_samples
    found = []
    for window in ("1h", "24h"):
        value = recorded(f"feature:model_feature_{score}:fleet{window}") + at
        divided = f" / {recorded(f'feature:model_feature_{below}:fleet{window}')}{at}" if below else ""
        samples = recorded(f"feature:model_feature_bin:increase{window}") + at
        found.append(f"({value}{divided} and {samples} >= {least})")
    found.append(recorded(f"feature:model_feature_{score}{'_over_critical' * bool(below)}:worst") + at)
    # Versions that are gone are in the last hour and day for as long.
    return f"(({' or '.join(found)}) and on (job, model, model_version) {of(c.MODEL_INFO, **_EVERY)}{at})"


def over_critical(at: str = "") -> str:
    """PSI over its critical value."""
    return f"max by ({_BY}) ({_scored('psi', below='psi_critical', at=at)})"


def tested() -> str:
    """One for each feature that has enough values."""
    return over_critical()


def worst(count: int) -> str:
    """Of so many features that have moved most."""
    return f"topk({count}, {over_critical()})"


def moved() -> str:
    """Share of the requests of the feature that moved most beyond chance; 0 of any, where none has."""
    share = f"max by ({_BY}) ({_scored('total_variation')})"
    times = f"max by ({_BY}) ({_scored('total_variation', below='total_variation_critical')})"
    nothing = f'label_replace(0 * max({share}), "feature", "any feature", "", "")'
    return f"topk(1, {share} and {times} > 1) or on () {nothing}"


def table() -> Panel:
    """The features that moved most, with all that says how much, since when and where."""
    f, most = c.FEATURES, worst(_LINES)
    onset = of(f.evidence["drift_onset_timestamp_seconds"], **_EVERY)
    drifted = f"max by ({_BY}, instance) ({recorded('instance_feature:model_feature_psi:sustained')})"
    asked = (
        (over_critical(), "times critical"),
        (f"max by ({_BY}) ({_scored('total_variation')})", "values moved"),
        (f"1000 * min by ({_BY}) ({onset})", "since"),
        (f"count by ({_BY}) ({drifted})", "replicas drifted"),
        (f"topk by ({_BY}) (1, {drifted})", "its PSI"),
        (f"max by ({_BY}) ({of(f.known['importance'], **_EVERY)})", "importance"),
    )
    names = {
        f"Value #{chr(ord('A') + place)}": title for place, (_, title) in enumerate(asked)
    } | {"model_version": "version", "instance": "worst replica"}  # fmt: skip
    order = ["feature", "model_version", *list(names)[:4], "instance", "Value #F"]
    return Panel(
        "table", "Features that moved most", "Worst first, all replicas together: how many times its critical value the"
        " PSI is (beyond 1 is no chance), how many values changed bin, since when evidence says so, and on how many"
        " replicas and on which most it has drifted for ten minutes. Choose a feature to see its bins, or a replica to"
        " see it beside the others.", "none",
        [Query(f"{expr} and on ({_BY}) {most}", title) for expr, title in asked], 15, 12,
        {"noValue": FEW},
        {},
        _columns(),
        [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {
                "excludeByName": {"Time": True, "Value #E": True},
                "indexByName": {name: place for place, name in enumerate(order)},
                "renameByName": names,
            }},
            {"id": "sortBy", "options": {"sort": [{"desc": True, "field": "times critical"}]}},
        ],
    )  # fmt: skip


def _columns() -> list[Json]:
    """What the columns of the table look like, and where they lead."""
    drill = links.to(
        links.FEATURE, "Drill down", feature=links.OF_FIELD % "feature", version=links.OF_FIELD % "version"
    )
    fleet = links.to(links.FLEET, "Beside the other replicas", feature=links.OF_FIELD % "feature")
    times = steps((None, "text"), (1, ORANGE))["thresholds"]
    return [
        by_name("feature", links=[drill], **NAMES), by_name("version", **NAMES),
        by_name("worst replica", links=[fleet], **(NAMES | NONE)),
        by_name("times critical", thresholds=times, decimals=1, custom_cellOptions={"type": "color-text"}),
        by_name("values moved", unit="percentunit", decimals=0),
        by_name("importance", unit="percentunit", decimals=0, noValue="not known"),
        by_name("since", unit=AT, **NONE), by_name("replicas drifted", unit="short", **NONE),
    ]  # fmt: skip


def importance() -> Panel:
    """What matters of what has moved."""
    f = c.FEATURES
    impact = f"{of(f.statistics[IMPACT], **_EVERY)} and {of(f.shortest, **_EVERY)}"
    drill = links.to(links.FEATURE, "Drill down", feature=links.OF_SERIES % "feature")
    return Panel("bargauge", "Importance times drift", "How much of what the model looks at has moved: the importance"
                 " of a feature times what of it has moved beyond chance, on the worst replica, in the shortest window"
                 " that holds enough. Begin with the longest bar; 0 has not moved.", "percentunit",
                 [Query(f"topk(10, max by (feature) ({impact}))", "{{feature}}")], 6, 11,
                 {**steps((None, BLUE)), "links": [drill], "min": 0, "noValue": "no importance in the profile, or not"
                  " enough data", "decimals": 1})  # fmt: skip


def over_time() -> Panel:
    """When each moved."""
    peaks = recorded("feature:model_feature_psi:fleet1h") + f"[$__range]{_AT_END}"
    critical = recorded("feature:model_feature_psi_critical:fleet1h") + _AT_END
    most = f"topk({_LINES}, max by (feature) (max_over_time({peaks}) / {critical}))"
    drill = links.to(links.FEATURE, "Drill down", feature=links.OF_SERIES % "feature")
    return Panel("status-history", "Features by time", f"How many times its critical value the PSI of each feature was,"
                 f" of the {_LINES} that were farthest beyond it in the time shown. Orange from 1 on is no chance, red"
                 " from 5 on; nothing where there were not enough values.", "none",
                 [Query(f"max by (feature) ({over_critical()}) and on (feature) {most}", "{{feature}}")], 8, 11,
                 {**spans((None, GREEN), (1, ORANGE), (5, RED)), "decimals": 1, "links": [drill], "noValue": FEW,
                  "custom": {"fillOpacity": 70, "lineWidth": 0}}, {"showValue": "auto"})  # fmt: skip
