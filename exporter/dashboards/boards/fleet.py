"""Fleet and versions: all replicas as one, each beside the others, and each version beside the others."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.boards import fleet_apart, fleet_process, fleet_versions
from exporter.dashboards.compared import FROM_ZERO, OPEN_FEATURE, said, side_by_side
from exporter.dashboards.looks import BLANK, BLUE, GREEN, ORANGE, PLAIN, RED, SHARE, by_name, judged, states
from exporter.dashboards.pieces import Board, Panel, Query, Row
from exporter.dashboards.queries import WINDOW, of, rate, recorded
from exporter.dashboards.worst import highest, lowest
from exporter.families import FLEET

ANY: Final = {"model_version": "*"}
"""All versions of the model."""
BY: Final = "instance, model_version"
_EACH: Final = "instance"
UP: Final = recorded("instance:inference_exporter_up:last", model="*")
_EXPORTER: Final = f"on ({', '.join((*FLEET, 'instance'))})"


def now() -> Iterator[Panel]:
    """Each question of this board in a number."""
    there = f"last_over_time({of(c.MODEL_INFO, **ANY)}[1d])"
    up = f"({UP} and {_EXPORTER} {there})"
    yield Panel("stat", "Replicas up and away", "Exporters that Prometheus reaches, of all versions, and those that it"
                " should reach and does not. Of what is away nothing is known: look at its pod first.", "short",
                [Query(f"sum({up})", "up", instant=True),
                 Query(f"count({up} == 0) or 0 * count({up})", "away", instant=True)], 5, 4,
                judged() | said("rules not loaded"), {"textMode": "value_and_name"},
                [by_name("away", **judged((1, RED)), mappings=states((0, "none", GREEN))["mappings"])])  # fmt: skip
    for title, label, info, text in (
        ("Versions", "model_version", of(c.MODEL_INFO, **ANY), ("Versions of the model that are served now. Two are a"
         " canary or a roll-out: compare them below.")),
        ("Profiles", "profile", of(c.PROFILE_INFO), ("Reference profiles that replicas of the chosen"
         " version hold. Two are a roll-out, or, where it lasts, a replica with an old file: scores of two profiles are"
         " never added up.")),
    ):  # fmt: skip
        several = states((1, "one", GREEN), (2, "two at once", BLUE), (3, "three at once", BLUE))
        yield Panel("stat", title, text, "short",
                    [Query(f"count(count by ({label}) ({info}))", "", instant=True)], 3, 4, judged((2, BLUE)) | several,
                    {"textMode": "value"})  # fmt: skip
    yield from fleet_apart.numbers()
    load = f"sum by ({BY}) ({rate(c.REQUESTS, **ANY)})"
    yield Panel("stat", "Busiest replica / mean", "Requests of the busiest replica over the mean of all. Above"
                " 2 the load is skewed: long-lived connections, a sticky balancer, or replicas that are not asked.",
                "none", [Query(f"max({load}) / (avg({load}) > 0)", "", instant=True)], 4, 4,
                judged((2, ORANGE)) | {"decimals": 1})  # fmt: skip


def replicas() -> Iterator[Panel]:
    """One row for each."""
    seen = f"sum by ({BY}) ({rate(c.REQUESTS, **ANY)})"
    failed = f"sum by ({BY}) ({rate(c.REQUESTS, **ANY, code='~5..')})"
    f = c.FEATURES
    psi = f"{of(f.statistics['psi'], **WINDOW, **ANY)} / {of(f.critical['psi'], **WINDOW, **ANY)}"
    judged_psi = f"max by ({BY}, feature) ({psi} and {of(f.sufficient, **WINDOW, **ANY)} == 1)"
    apart = recorded("instance_feature:model_feature_divergence:fleet1h")
    judged_all = recorded("feature:model_feature_psi:fleet1h")
    enough = f"max by ({BY}) ({of(f.sufficient, **fleet_apart.HOUR, **ANY)}) == 1 and on () {judged_all}"
    started = f"{of(c.MODEL_INFO, **ANY)} * {_EXPORTER} group_left () {of(c.START)}"
    away = f"last_over_time({of(c.MODEL_INFO, **ANY)}[1d]) and {_EXPORTER} {UP} == 0"
    queries = [
        Query(f"max by ({BY}) ({of(c.MODEL_INFO, **ANY)} or 0 * ({away}))", "exporter"),
        Query(f"min by ({BY}) ({of(c.SERVER_UP, **ANY)})", "server"),
        Query(seen, "requests"),
        Query(f"{seen} / scalar(sum({seen}) > 0) >= 0", "share of the load"),
        Query(f"({failed} or 0 * {seen}) / ({seen} > 0)", "errors"),
        Query(f"histogram_quantile(0.99, sum by ({BY}, le) ({rate(c.REQUEST_DURATION, **ANY)})) > 0", "p99"),
        Query(f"sum by ({BY}) ({rate(c.ROWS, **ANY)})", "rows"),
        Query(f"topk by ({BY}) (1, {judged_psi})", "PSI / critical"),
        Query(f"max by ({BY}) ({apart}) or 0 * ({enough})", "apart by"),
        Query(f"max by ({BY}, profile) ({of(c.PROFILE_INFO, **ANY)})", "profile info"),
        Query(f"1000 * max by ({BY}) ({started})", "up since"),
    ]
    labels = {"instance": "replica", "model_version": "version", "feature": "feature", "profile": "profile"}
    coloured = {"custom_cellOptions": {"type": "color-text"}}
    looks = [
        BLANK,
        by_name("exporter", mappings=states((1, "there", GREEN), (0, "away", RED))["mappings"], **coloured),
        by_name("server", mappings=states((1, "up", GREEN), (0, "down", RED))["mappings"], **coloured),
        by_name("requests", unit="reqps"), by_name("share of the load", unit="percentunit"),
        by_name("errors", unit="percentunit", **judged((0.01, ORANGE), (0.05, RED)), **coloured),
        by_name("p99", unit="s"), by_name("rows", unit="rowsps"),
        by_name("PSI / critical", decimals=2, **judged((1, ORANGE)), **coloured),
        by_name("apart by", unit="percentunit", **(judged((0.1, ORANGE)) | states((0, "no", GREEN))), **coloured),
        by_name("up since", unit="dateTimeFromNow"),
        OPEN_FEATURE,
        by_name("version", links=[links.to(links.HEALTH, "Health of this version",
                                           version=links.OF_FIELD % "version")]),
    ]  # fmt: skip
    worst_first = [{"desc": False, "displayName": "exporter"}, {"desc": True, "displayName": "PSI / critical"}]
    yield Panel("table", "Replicas, one row each", "All versions. The feature is the one with most PSI over its"
                " critical value in the chosen window of that replica alone, where it suffices; `apart by` is how much"
                " farther from the training data it is than all replicas together, where chance does not explain that."
                " Begin with what is down, then with what is apart.", "none", queries, 24, 9,
                said("no replica of this model"), {"sortBy": worst_first}, looks,
                side_by_side(queries, labels, hidden=["J"]))  # fmt: skip


def load() -> Iterator[Panel]:
    """What each replica has to do, and how it does it."""
    seen, failed = (f"sum by (instance) ({rate(c.REQUESTS, **ANY, **code)})" for code in ({}, {"code": "~5.."}))
    p99 = f"histogram_quantile(0.99, sum by (instance, le) ({rate(c.REQUEST_DURATION, **ANY)})) >= 0"
    share = f"({failed} or 0 * {seen}) / ({seen} > 0)"
    observed = f"min by (instance) ({recorded('instance:model_rows_observed:ratio1h')})"
    rows, waiting = f"sum by (instance) ({rate(c.ROWS, **ANY)})", f"max by (instance) ({of(c.IN_FLIGHT, **ANY)})"
    flat: dict[str, object] = {"min": 0}
    for title, text, unit, lines, field in (
        ("Requests by replica", "Requests answered per second. One line far from the others: the balancer.", "reqps",
         highest(seen, _EACH), flat),
        ("Rows by replica", ("Rows of model input per second. Fewer rows, wider chance: a quiet replica needs longer to"
         " say anything."), "rowsps", highest(rows, _EACH), flat),
        ("Rows seen by replica", ("Share of the rows served in the last hour that were decoded and counted. Below 90 %"
         " its scores are about a sample: see Exporter internals."), "percentunit", lowest(observed, _EACH), SHARE),
        ("Errors by replica", ("Share of requests answered with 5xx. One replica alone: take it out of service and look"
         " at it."), "percentunit", highest(share, _EACH), FROM_ZERO),
        ("p99 by replica", ("99 of 100 successful requests are answered within this time. One replica alone: its node,"
         " or its load."), "s", highest(p99, _EACH), flat),
        ("Requests in flight by replica", ("Requests whose answer is not complete. What grows without end is a replica"
         " that does not keep up."), "short", highest(waiting, _EACH), flat),
    ):  # fmt: skip
        yield Panel("timeseries", title, f"{text} All versions; the 20 farthest out of the chosen time.", unit,
                    [Query(lines, "{{instance}}")], 8, 7, PLAIN | field)  # fmt: skip


BOARD = Board(
    links.FLEET,
    "Fleet and versions",
    "Is one replica or one version unlike the others?",
    [
        Row("At a glance", now),
        Row("Replicas", replicas),
        Row("All together, or one alone?", fleet_apart.together),
        Row("Versions side by side", fleet_versions.versions),
        Row("Load by replica", load),
        Row("Versions against each other in one exporter", fleet_versions.inside, folded=True),
        Row("Profiles and who shows them", fleet_process.profiles, folded=True),
        Row("Evidence, replica by replica", fleet_process.evidence, folded=True),
        Row("The fleet process (inference-exporter fleet)", fleet_process.process, folded=True),
    ],
    frozenset({"version", "window"}),
)
