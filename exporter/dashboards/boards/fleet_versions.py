"""Of the fleet: the versions of a model beside each other, such as a canary and what is stable."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.compared import FROM_ZERO, OPEN_FEATURE, OPEN_OUTPUT, said, side_by_side
from exporter.dashboards.looks import (
    BLANK,
    BLUE,
    CRITICAL,
    GREEN,
    LIMIT,
    ORANGE,
    PLAIN,
    RED,
    by_name,
    by_pattern,
    judged,
    states,
)
from exporter.dashboards.pieces import Json, Panel, Query
from exporter.dashboards.queries import of, over, rate, recorded
from exporter.dashboards.worst import highest

_ANY: Final = {"model_version": "*"}
_BY: Final = "model_version"
_VERSION: Final = {"model_version": "$version"}
_TEXT: Final = {"custom_cellOptions": {"type": "color-text"}}
SIDES: Final = (("feature", "feature:model_feature"), ("output", "output:model_prediction"))


def _against(name: str) -> str:
    """Scores of all replicas together over their critical values, by version; of features or of outputs."""
    return f"max by ({_BY}) ({recorded(f'{name}_psi:fleet1h')} / {recorded(f'{name}_psi_critical:fleet1h')})"


def _others(side: str, name: str, **labels: str) -> str:
    """A version against all its others, over the critical value."""
    varied, critical = (
        recorded(f"{name}_version_total_variation{part}:fleet1h", **labels) for part in ("", "_critical")
    )
    return f"max by ({side}) ({varied} / {critical})"


def versions() -> Iterator[Panel]:
    """What they are asked, how they answer, and what they are fed."""
    yield _table()
    yield _running()
    yield _differing()
    yield from _lines()


def _table() -> Panel:
    seen = f"sum by ({_BY}) ({rate(c.REQUESTS, **_ANY)})"
    fed, answered = (_others(_BY, name) for _, name in SIDES)
    evidence = recorded("model:model_drift_evidence_nats:fleet")
    failed = f"{recorded('version:model_failures:ratio1h')} or 0 * {recorded('version:model_exchanges:increase1h')}"
    queries = [
        Query(f"({fed} >= bool 1) + 2 * ({answered} >= bool 1 or 0 * {fed})", "beside the others"),
        Query(f"count by ({_BY}) ({of(c.MODEL_INFO, **_ANY)})", "replicas"),
        Query(seen, "requests"),
        Query(f"{seen} / scalar(sum({seen}) > 0) >= 0", "share of the traffic"),
        Query(f"max by ({_BY}) ({failed})", "errors, 1h"),
        Query(f"max by ({_BY}) ({recorded('version:model_slow_answers:ratio1h')})", "slow, 1h"),
        Query(f"histogram_quantile(0.99, sum by ({_BY}, le) ({rate(c.REQUEST_DURATION, **_ANY)})) > 0", "p99"),
        Query(_against("feature:model_feature"), "features / critical"),
        Query(_against("output:model_prediction"), "predictions / critical"),
        Query(f"max by ({_BY}) ({fed} or {answered})", "others / critical"),
        Query(f"max by ({_BY}) ({evidence} / on (job, model, {_BY}, profile) group_left () {_threshold()})",
              "evidence / page line"),
        Query(f"1000 * max by ({_BY}) ({of(c.TRAINED, **_ANY)})", "trained"),
    ]  # fmt: skip
    word = states((0, "alike", GREEN), (1, "fed otherwise", ORANGE), (2, "answers otherwise", ORANGE),
                  (3, "both otherwise", ORANGE))  # fmt: skip
    looks = [
        BLANK,
        by_name("beside the others", mappings=word["mappings"], custom_width=160,
                **(judged() | said("nothing to compare")), **_TEXT),
        by_name("requests", unit="reqps"), by_name("share of the traffic", unit="percentunit", decimals=1),
        by_pattern("/, 1h$/", unit="percentunit", decimals=2, **judged((0.01, ORANGE), (0.05, RED)), **_TEXT),
        by_name("p99", unit="s"), by_pattern("/ critical$/", decimals=2, **judged((1, ORANGE)), **_TEXT),
        by_name("evidence / page line", decimals=2, **judged((1, RED)), **_TEXT),
        by_name("trained", unit="dateTimeFromNow"),
        by_name("version", links=[links.to(links.HEALTH, "Health of this version",
                                           version=links.OF_FIELD % "version")]),
    ]  # fmt: skip
    return Panel("table", "Canary against stable", "One row for each version that has replicas. Scores are of all its"
                 " replicas together in the last hour, over what chance reaches once in 1000 such hours; above 1 is no"
                 " chance. `others` is the version against the others and needs two with one profile: above 1 they are"
                 " fed differently, so compare their errors and answers with care.", "none", queries, 24, 5,
                 said("not enough data"), {"sortBy": [{"desc": True, "displayName": "requests"}]}, looks,
                 side_by_side(queries, {_BY: "version"}))  # fmt: skip


def _threshold() -> str:
    return f"max by (job, model, {_BY}, profile) ({of(c.EVIDENCE_THRESHOLD, **_ANY)})"


def _running() -> Panel:
    """What ran where."""
    there = f"max by (instance, model_version) ({of(c.MODEL_INFO, **_ANY)})"
    return Panel("state-timeline", "Which replica runs which version", "A bar for each replica and version, as long as"
                 " it was there. In a roll-out the old bars end where the new ones begin; what goes on beside them is a"
                 " canary, or a replica that was forgotten. At most 25.", "none",
                 [Query(highest(there, "instance, model_version", 25), "{{model_version}} on {{instance}}")], 12, 9,
                 PLAIN | states((1, "runs", BLUE)))  # fmt: skip


def _differing() -> Panel:
    """Where versions are fed or answer differently."""
    ranked = f"topk(25, {' or '.join(_others(side, name, **_VERSION) for side, name in SIDES)})"
    queries = [Query(ranked, "over critical")]
    for part, legend in (("", "values that differ"), ("_critical", "critical")):
        both = " or ".join(
            f"max by ({side}) ({recorded(f'{name}_version_total_variation{part}:fleet1h', **_VERSION)})"
            for side, name in SIDES
        )
        queries.append(Query(f"({both}) and on (feature, output) {ranked}", legend))
    looks = [
        BLANK,
        by_name("over critical", decimals=2, **judged((1, ORANGE)), **_TEXT),
        by_name("values that differ", unit="percentunit", decimals=1),
        by_name("critical", unit="percentunit", decimals=1),
        OPEN_FEATURE,
        OPEN_OUTPUT,
    ]
    return Panel("table", "Where the chosen version differs from the others", "Share of the values in other bins than"
                 " those of all other versions, in the last hour, and what chance makes of it. A feature above 1:"
                 " another part of the traffic goes there, or features are computed otherwise. An output above 1 alone:"
                 " the model answers otherwise, which a new version may.", "none", queries, 12, 9,
                 said("one version, or profiles that differ: nothing to compare"),
                 {"sortBy": [{"desc": True, "displayName": "over critical"}]}, looks,
                 side_by_side(queries, {"feature": "feature", "output": "output"}))  # fmt: skip


def _lines() -> Iterator[Panel]:
    seen, failed = (f"sum by ({_BY}) ({rate(c.REQUESTS, **_ANY, **code)})" for code in ({}, {"code": "~5.."}))
    named, flat = "version {{model_version}}", {"min": 0}
    evidence = f"max by ({_BY}) ({recorded('model:model_drift_evidence_nats:fleet')})"
    differs = [Query(highest(_others(side, name, **_VERSION), side, 10), f"{{{{{side}}}}}") for side, name in SIDES]
    drawn: tuple[tuple[str, str, str, list[Query], Json], ...] = (
        ("Requests by version", ("Requests answered per second. A canary has the share that it was given; see whether"
         " it gets it."), "reqps", [Query(seen, named)], flat),
        ("Errors by version", ("Share of requests answered with 5xx. The new version above the old one for ten minutes:"
         " roll it back."), "percentunit", [Query(f"({failed} or 0 * {seen}) / ({seen} > 0)", named)], FROM_ZERO),
        ("p99 by version", "99 of 100 successful requests are answered within this time.", "s",
         [Query(f"histogram_quantile(0.99, sum by ({_BY}, le) ({rate(c.REQUEST_DURATION, **_ANY)})) >= 0", named)],
         flat),
        ("Evidence of drift by version", ("Of all replicas of a version together, against its own training data. At the"
         " dashed line it pages."), "none",
         [Query(evidence, named), Query(f"max({of(c.EVIDENCE_THRESHOLD, **_ANY)})", "critical")], flat),
        ("Predictions by version, PSI over critical", ("All replicas of a version together, its output that has moved"
         " most. Above 1 it answers otherwise than on its training data, beyond chance."), "none",
         [Query(_against("output:model_prediction"), named)], LIMIT),
        ("The chosen version against the others", ("Total variation over its critical value, of the ten highest"
         " features and outputs. Above 1 the versions are fed or answer differently, beyond chance."), "none", differs,
         LIMIT),
    )  # fmt: skip
    for title, text, unit, queries, field in drawn:
        yield Panel("timeseries", title, text, unit, queries, 8, 7, PLAIN | field, overrides=[CRITICAL])


def inside() -> Iterator[Panel]:
    """Versions that one exporter watches, on traffic of the same minutes."""
    for title, text, columns in (
        ("Features of two versions in one exporter", "Above 1 they are fed differently: look at what routes requests.",
         c.FEATURES),
        ("Answers of two versions in one exporter", ("Above 1 they answer differently; where features do not differ,"
         " the model does."), c.OUTPUTS),
    ):  # fmt: skip
        by = f"{columns.label}, against"
        live = over(columns.live["total_variation"], columns.live_critical["total_variation"], by,
                    against="~version:.+", window="$window")  # fmt: skip
        yield Panel("timeseries", title, "Total variation of the chosen version against another that the same exporter"
                    f" watches, over its critical value, in the chosen window; the worst replica. {text}", "none",
                    [Query(f"topk(20, {live})", f"{{{{{columns.label}}}}}, {{{{against}}}}")], 12, 8,
                    LIMIT | said("no exporter watches two versions with one profile"))  # fmt: skip
