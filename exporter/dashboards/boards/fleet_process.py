"""Of the fleet: what is rarely needed: profiles, evidence of each replica, and the process that watches the whole."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards.compared import OPEN_FEATURE, OPEN_OUTPUT, said, side_by_side
from exporter.dashboards.looks import BLANK, BLUE, CRITICAL, GREEN, ORANGE, PLAIN, RED, by_name, judged, states
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import of, rate, recorded
from exporter.dashboards.worst import highest

_ANY: Final = {"model_version": "*"}
_FLOOR: Final = {"min": 0}
_SIDES: Final = (c.FLEET_FEATURES, c.FLEET_OUTPUTS)
_RESTS: Final = (
    by_name("rests on", mappings=states((0, "defaults", ORANGE), (1, "measured", GREEN))["mappings"]),
    by_name("gathering", mappings=states((0, "yes", GREEN), (1, "paused, planned", ORANGE))["mappings"]),
    by_name("since", unit="dateTimeFromNow"),
)
_NOBODY: Final = said("no fleet process, or it cannot be seen: choose all jobs")


def profiles() -> Iterator[Panel]:
    """Which reference is in use where."""
    by = "model_version, profile"
    held = f"max by (instance, profile) ({of(c.PROFILE_INFO)})"
    yield Panel("state-timeline", "Profile by replica", "A bar for each replica of the chosen version and profile, as"
                " long as it was in force. Two at once are a roll-out; where it lasts, one replica could not load the"
                " new file: see its log. At most 25.", "none",
                [Query(highest(held, "instance, profile", 25), "{{profile}} on {{instance}}")], 12, 9,
                PLAIN | states((1, "in force", BLUE)) | said("no profile"))  # fmt: skip
    queries = [
        Query(f"max by ({by}, profile_version, source) ({of(c.PROFILE_INFO, **_ANY)})", "info"),
        Query(f"count by ({by}) ({of(c.PROFILE_INFO, **_ANY)})", "replicas"),
        Query(f"max by ({by}) ({of(c.PROFILE_ROWS, **_ANY)})", "rows"),
        Query(f"1000 * max by ({by}) ({of(c.PROFILE_TIME, **_ANY)})", "newest row"),
        Query(f"max by ({by}) ({of(c.PROFILE_PROVISIONAL, **_ANY)})", "made of"),
        Query(f"max by ({by}) ({of(c.PROFILE_OTHER_VERSION, **_ANY)})", "version"),
    ]
    looks = [
        BLANK,
        by_name("rows", unit="short"), by_name("newest row", unit="dateTimeFromNow"),
        by_name("made of", mappings=states((0, "training", GREEN), (1, "live rows", ORANGE))["mappings"]),
        by_name("version", mappings=states((0, "fits", GREEN), (1, "another's", RED))["mappings"]),
    ]  # fmt: skip
    labels = {"model_version": "served", "profile": "profile", "profile_version": "of version", "source": "source"}
    yield Panel("table", "Profiles in use", "Each profile that any replica of the model holds, all versions. One that"
                " was made of live traffic says nothing about the training; one of another version is a wrong file.",
                "none", queries, 12, 9, said("no profile"), {}, looks,
                side_by_side(queries, labels, hidden=["A"]))  # fmt: skip
    shown = f"count by (instance) ({of(c.FEATURES.reference_ratio, feature='$feature')})"
    there = f"max by (instance) ({of(c.MODEL_INFO)})"
    yield Panel("state-timeline", "Who shows the reference", "Replicas of the chosen version whose page has the"
                " reference by bin, of the chosen feature. With metrics.expose_reference: leader it is one, the others"
                " leave it out; where nobody shows it for 15 minutes the fleet's scores end. At most 25.", "none",
                [Query(highest(f"({shown} > bool 0 or 0 * {there})", "instance", 25), "{{instance}}")], 24, 7,
                judged() | states((0, "leaves it out", "text"), (1, "shows it", BLUE)))  # fmt: skip


def evidence() -> Iterator[Panel]:
    """Of each replica, beside the fleet's."""
    fleet = f"max({recorded('model:model_drift_evidence_nats:fleet', model_version='$version')})"
    yield Panel("timeseries", "Evidence by replica and of the fleet", "A replica pages for nobody: the mean of their"
                " capital does (fleet), at the dashed line. One replica that climbs alone is apart, see above; the 20"
                " highest.", "none",
                [Query(highest(f"max by (instance) ({of(c.EVIDENCE)})", "instance"), "{{instance}}"),
                 Query(fleet, "fleet"), Query(f"max({of(c.EVIDENCE_THRESHOLD)})", "critical")], 12, 9, _FLOOR,
                overrides=[CRITICAL, by_name("fleet", custom_lineWidth=3)])  # fmt: skip
    by = "instance"
    queries = [
        Query(f"max by ({by}) ({of(c.EVIDENCE)})", "evidence"),
        Query(f"min by ({by}) ({of(c.EVIDENCE_READY)})", "rests on"),
        Query(f"max by ({by}) ({of(c.EVIDENCE_PAUSED)})", "gathering"),
        Query(f"1000 * min by ({by}) ({of(c.EVIDENCE_SINCE)})", "since"),
        Query(f"min by ({by}) ({of(c.FEATURES.samples, window='1h')})", "fewest values, 1h"),
        Query(f"min by ({by}) ({of(c.FEATURES.sufficient, window='1h')})", "they are"),
    ]
    looks = [
        BLANK,
        by_name("evidence", unit="none", decimals=1),
        *_RESTS, by_name("fewest values, 1h", unit="short"),
        by_name("they are", mappings=states((0, "not enough", "text"), (1, "enough", GREEN))["mappings"]),
    ]  # fmt: skip
    yield Panel("table", "What each replica's evidence rests on", "In nats. `defaults`: pages are as rare, but"
                " drift is found later, until traffic was watched for evidence.learn. `not enough`: the window of the"
                " last hour holds too few values of some feature to be judged.", "none", queries, 12, 9,
                said("not enough data"), {"sortBy": [{"desc": True, "displayName": "evidence"}]}, looks,
                side_by_side(queries, {by: "replica"}))  # fmt: skip


def process() -> Iterator[Panel]:
    """What it finds in the counts of all replicas, and whether it can ask."""
    yield from _gathered()
    yield _drifting()
    yield from _watched()
    skipped, failed = (rate(family) for family in (c.FLEET_PANES_SKIPPED, c.FLEET_FAILED))
    yield Panel("timeseries", "Age of the last pane", "Time since the end of the last pane that was asked for and"
                " answered. Beyond a few minutes the fleet is not watched: see the failures beside it.", "s",
                [Query(f"max(time() - {of(c.FLEET_PANE)})", "age")], 8, 7, _FLOOR | _NOBODY)  # fmt: skip
    yield Panel("timeseries", "Panes skipped and queries failed", "Per second. `partial`: Prometheus gave less than it"
                " has; `answer`: none, or an error; `access`: a secret cannot be read.", "ops",
                [Query(f"sum by (reason) ({failed})", "{{reason}}"), Query(f"sum({skipped})", "panes skipped")], 8, 7,
                _FLOOR | _NOBODY)  # fmt: skip
    yield Panel("timeseries", "Fleets watched and left out", "Left out means: more fleets than the limit, and nobody"
                " watches those. Raise the limit, or share them out.", "short",
                [Query(f"sum({of(c.FLEET_MODELS)})", "watched"),
                 Query(f"sum({of(c.FLEET_LEFT_OUT)})", "left out")], 8, 7, _FLOOR | _NOBODY)  # fmt: skip


def _gathered() -> Iterator[Panel]:
    """Evidence of the whole, and of its columns."""
    pages = [Query(f"max({of(c.FLEET_EVIDENCE)})", "evidence"), Query(f"max({of(c.FLEET_THRESHOLD)})", "critical")]
    tickets = [
        Query(f"max({of(c.FLEET_SLOW_EVIDENCE)})", "evidence"),
        Query(f"max({of(c.FLEET_SLOW_THRESHOLD)})", "critical"),
    ]
    columns = [
        Query(highest(f"max by ({side.label}) ({of(side.evidence)})", side.label, 10), f"{{{{{side.label}}}}}")
        for side in _SIDES
    ]
    for title, text, queries in (
        ("Evidence of the whole fleet", "At the dashed line it pages (ModelFleetDrift), not ModelDrift.", pages),
        ("Evidence of slow drift of the whole fleet", "At the dashed line it makes a ticket (ModelFleetDriftSlow).",
         tickets),
        ("Evidence of the whole fleet by column", "The ten features and outputs with most; what stands out drifts.",
         columns),
    ):  # fmt: skip
        yield Panel("timeseries", title, f"In the counts of all replicas together, as inference-exporter fleet finds"
                    f" it. {text}", "none", queries, 8, 8, _FLOOR | _NOBODY, overrides=[CRITICAL])  # fmt: skip


def _drifting() -> Panel:
    """Since when, how, and why."""
    at = "feature, output"
    nats, onset, info, told = (
        " or ".join(of(family) for family in pair)
        for pair in (
            [side.evidence for side in _SIDES],
            [side.onset for side in _SIDES],
            [side.info for side in _SIDES],
            [side.diagnosis for side in _SIDES],
        )
    )
    queries = [
        Query(f"max by ({at}) ({nats}) and on ({at}) ({info})", "evidence"),
        Query(f"1000 * max by ({at}) ({onset})", "since"),
        Query(f"max by ({at}, kind, shape) ({info})", "how"),
        Query(f"max by ({at}, text) ({told})", "replicas that say so"),
    ]
    looks = [
        BLANK, by_name("evidence", decimals=1), by_name("since", unit="dateTimeFromNow"),
        OPEN_FEATURE,
        OPEN_OUTPUT,
    ]  # fmt: skip
    labels = {"feature": "feature", "output": "output", "kind": "kind", "shape": "shape", "text": "what happened"}
    return Panel("table", "What drifts all over the fleet", "Features and outputs whose evidence is enough, since when,"
                 " how, and what most replicas say has happened. Open the feature with most evidence.", "none", queries,
                 16, 8, said("nothing drifts, or there is no fleet process"),
                 {"sortBy": [{"desc": True, "displayName": "evidence"}]}, looks,
                 side_by_side(queries, labels, hidden=["C"]))  # fmt: skip


def _watched() -> Iterator[Panel]:
    """What is in its counts, and what it knows of them."""
    yield Panel("timeseries", "Replicas and rows in the fleet's counts", "Replicas that Prometheus had at the end of"
                " the last pane, and rows per second beside those that replicas count. If the fleet's stand still,"
                " series lack the labels of their start time.", "short",
                [Query(f"sum({of(c.FLEET_REPLICAS)})", "replicas"), Query(f"sum({rate(c.FLEET_ROWS)})", "rows, fleet"),
                 Query(f"sum({rate(c.ROWS)})", "rows, replicas")], 8, 8, _FLOOR)  # fmt: skip
    by = "job, model_version, profile"
    queries = [
        Query(f"max by ({by}) ({of(c.FLEET_REPLICAS, **_ANY)})", "replicas"),
        Query(f"max by ({by}) ({of(c.FLEET_EVIDENCE, **_ANY)})", "evidence"),
        Query(f"max by ({by}) ({of(c.FLEET_THRESHOLD, **_ANY)})", "page line"),
        Query(f"min by ({by}) ({of(c.FLEET_READY, **_ANY)})", "rests on"),
        Query(f"max by ({by}) ({of(c.FLEET_PAUSED, **_ANY)})", "gathering"),
        Query(f"1000 * min by ({by}) ({of(c.FLEET_SINCE, **_ANY)})", "since"),
        Query(f"max by ({by}) ({of(c.FLEET_DELAY, **_ANY, total_variation='0.2')})", "20 % moved would page in"),
    ]
    looks = [BLANK, *_RESTS, by_name("evidence", decimals=1), by_name("page line", decimals=1),
             by_name("20 % moved would page in", unit="s", noValue="never, or no traffic")]  # fmt: skip
    yield Panel("table", "Fleets of this model", "Every version and profile that the fleet process watches, with what"
                " its evidence rests on. `defaults`: pages are as rare, but drift is found later, until traffic was"
                " watched for evidence.learn.", "none", queries, 24, 5, _NOBODY,
                {"sortBy": [{"desc": True, "displayName": "evidence"}]}, looks,
                side_by_side(queries, {"job": "job", "model_version": "version", "profile": "profile"}))  # fmt: skip
