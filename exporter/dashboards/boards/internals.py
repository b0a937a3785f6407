"""Exporter internals: whether the numbers can be trusted, and what they cost."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.boards import internals_parts
from exporter.dashboards.compared import said, side_by_side
from exporter.dashboards.looks import (
    BLANK,
    DASHED,
    GREEN,
    GREY,
    ORANGE,
    PLAIN,
    RED,
    SHARE,
    by_name,
    by_pattern,
    judged,
    states,
    steps,
)
from exporter.dashboards.pieces import Board, Json, Panel, Query, Row
from exporter.dashboards.queries import alerts, here, of, rate, recorded
from exporter.dashboards.worst import highest, lowest

_FLOOR: Final = {"min": 0}
_ENOUGH: Final = steps((None, GREY), (0, RED), (0.5, ORANGE), (0.9, GREEN)) | {"decimals": 1}
"""Of shares that should be all."""
_BY: Final = "instance"
_SUPERVISED, _AGE = (here(f"clamp_min(timestamp({of(one)}) - {of(one)}, 0)") for one in (c.HEARTBEAT, c.SNAPSHOT_TIME))
"""Time since then, as it was when they were scraped."""
_SEEN: Final = recorded("instance:model_rows_observed:ratio1h", model_version="$version")


def now() -> Iterator[Panel]:
    """Each question in a number or a word."""
    dropped, offered = (f"sum({here(f'increase({of(one)}[$__range])')})" for one in (c.DROPPED, c.OFFERED))
    observing = states((0, "switched off", ORANGE), (1, "watching", GREEN))
    kept = here(f"({of(c.RELOAD_SUCCESSFUL)} or {of(c.WEB_CONFIG_SUCCESSFUL)})")
    restarts = here(f"increase({of(c.RESTARTS)}[$__range])")
    none = states((0, "none", GREEN))
    shown: tuple[tuple[str, str, str, str, Json], ...] = (
        ("Traffic", ("Whether all exporters look at what passes. Switched off (POST /-/observe) it is relayed all"
         " the same, and no score moves."), "none", f"min({here(of(c.OBSERVING))})", judged() | observing),
        ("Rows seen", ("Of the rows served in the last hour, on the exporter that sees least. Below 90 % scores are"
         " about a sample, below 50 % they are about something else."), "percentunit", f"min({_SEEN})", _ENOUGH),
        ("Not counted", ("Share of what was offered in the chosen time that was relayed and dropped"
         " uncounted. Above 1 % give the analyser more CPU or the ring more memory."), "percentunit",
         f"{dropped} / ({offered} > 0)", judged((0.01, ORANGE), (0.05, RED)) | {"decimals": 2}),
        ("Oldest scores", ("How old the scores were when they were scraped, on the exporter where they are oldest."
         " Above two minutes the analyser does not keep up, or is away."), "s", f"max({_AGE})",
         judged((120, ORANGE), (300, RED)) | {"decimals": 0}),
        ("Missing parts", ("Collectors that failed, all exporters together. What they make is not on the page,"
         " and alerts that begin with it are silent: see the log."), "short",
         f"count({here(of(c.COLLECTOR_SUCCESS))} == 0) or 0 * count({here(of(c.COLLECTOR_SUCCESS))})",
         judged((1, RED)) | none),
        ("Restarts", ("Of processes inside exporters in the chosen time, whatever the reason. Traffic is not concerned;"
         " why stands below."), "short", f"round(sum({restarts}))", judged((1, ORANGE)) | none),
        ("Series left out", ("What pages have no room for, all exporters together. Raise --max-series; which families"
         " stands below."), "short", f"sum({here(of(c.DROPPED_SERIES))}) or 0 * sum({here(of(c.PAGE_SERIES))})",
         judged((1, ORANGE)) | none),
        ("Settings", ("Whether the settings and the web file read last are in force on all exporters. If not, those"
         " before them are, and the next start will fail: see the log."), "none", f"min({kept})",
         judged() | states((0, "not in force", RED), (1, "in force", GREEN))),
    )  # fmt: skip
    for title, text, unit, expr, field in shown:
        yield Panel("stat", title, text, unit, [Query(expr, "", instant=True)], 3, 4, field, {"textMode": "value"})
    yield _exporters()
    yield _firing()


def _exporters() -> Panel:
    """One row for each."""
    cpu, memory = f"sum by ({_BY}) ({here(rate(c.PROCESS_CPU))})", f"sum by ({_BY}) ({here(of(c.PROCESS_MEMORY))})"
    build = f"max by ({_BY}, version) ({here(of(c.BUILD_INFO))})"
    hop = f"histogram_quantile(0.99, sum by ({_BY}, le) ({here(rate(c.HOP))})) > 0"
    queries = [
        Query(f"min by ({_BY}) ({here(of(c.OBSERVING))})", "traffic"),
        Query(f"min by ({_BY}) ({_SEEN})", "rows seen"),
        Query(f"max by ({_BY}) ({here(of(c.RING_FILL))})", "ring in use"),
        Query(f"min by ({_BY}) ({here(of(c.SAMPLING))})", "bodies read"),
        Query(f"max by ({_BY}) ({_AGE})", "age of scores"),
        Query(f"max by ({_BY}) ({here(of(c.SNAPSHOT_DURATION))})", "to make them"),
        Query(f"max by ({_BY}) ({here(of(c.PAGE_SERIES))})", "series"),
        Query(f"max by ({_BY}) ({here(f'{of(c.PAGE_SERIES)} / {of(c.MAX_SERIES)}')})", "of its page"),
        Query(hop, "hop, p99"),
        Query(cpu, "cores"),
        Query(memory, "memory"),
        Query(build, "build"),
        Query(f"1000 * max by ({_BY}) ({here(of(c.START))})", "up since"),
    ]
    text, share = {"custom_cellOptions": {"type": "color-text"}}, {"unit": "percentunit", "decimals": 1}
    watching = states((0, "not watched", ORANGE), (1, "watched", GREEN))
    looks = [
        BLANK,
        by_name("traffic", mappings=watching["mappings"], **text),
        by_name("rows seen", unit="percentunit", **(_ENOUGH | text)),
        by_name("ring in use", **share, **judged((0.5, ORANGE), (0.9, RED)), **text),
        by_name("bodies read", unit="percentunit", **(_ENOUGH | text)),
        by_name("age of scores", unit="s", decimals=0, **judged((120, ORANGE), (300, RED)), **text),
        by_name("to make them", unit="s"), by_name("series", unit="short"),
        by_name("of its page", **share, **judged((0.9, ORANGE), (1, RED)), **text),
        by_name("hop, p99", unit="s", **judged((0.005, ORANGE)), **text),
        by_name("cores", decimals=3), by_name("memory", unit="bytes"), by_name("up since", unit="dateTimeFromNow"),
    ]  # fmt: skip
    labels = {"instance": "exporter", "version": "version"}
    return Panel("table", "Exporters, one row each", "Of the chosen model and version. Memory counts shared pages in"
                 " each process. A ring that is more than half full has bodies left out by lot; a full one drops"
                 " exchanges uncounted.", "none", queries, 24, 8, said("no exporter of this model and version"),
                 {"sortBy": [{"desc": True, "displayName": "ring in use"}]}, looks,
                 side_by_side(queries, labels, hidden=["L"]))  # fmt: skip


def _firing() -> Panel:
    """Alerts about exporters, which know no model."""
    about, by = (
        {"model": "*", "alertname": "~InferenceExporter[A-Z].*", "severity": "!none"},
        "alertname, severity, instance",
    )
    fire = f"max by ({by}) ({alerts(**about)})"
    began = f"max by ({by}) ({alerts(state='*', **about).replace('ALERTS', 'ALERTS_FOR_STATE', 1)})"
    queries = [Query(f"1000 * {began} and on ({by}) {fire}", "since")]
    labels = {"alertname": "alert", "severity": "severity", "instance": "exporter"}
    return Panel("table", "Alerts about exporters that fire", "Of the chosen jobs. Each name has its section in the"
                 " runbooks, whose link is at the top. Those without an exporter are about all of a job.", "none",
                 queries, 24, 5, said("none fires, or rules are not loaded"), {},
                 [BLANK, by_name("since", unit="dateTimeFromNow")], side_by_side(queries, labels))  # fmt: skip


def counted() -> Iterator[Panel]:
    """What became of everything that was offered."""
    line = by_name("offered", custom_stacking={"mode": "none"}, custom_fillOpacity=0, custom_lineWidth=2,
                   custom_lineStyle=DASHED)  # fmt: skip
    yield Panel("timeseries", "Offered is observed and dropped", "Exchanges per second, stacked by what became of them;"
                " the dashed line is what was offered. A gap between them waits in the rings. `ring_full`: the analyser"
                " does not keep up; `analyser_lost` and `worker_lost`: it died; `corrupt` is a fault of ours.", "ops",
                [Query(f"sum({here(rate(c.OBSERVED))})", "observed"),
                 Query(f"sum by (reason) ({here(rate(c.DROPPED))}) > 0", "dropped: {{reason}}"),
                 Query(f"sum({here(rate(c.OFFERED))})", "offered")], 12, 8,
                _FLOOR | {"custom": {"stacking": {"mode": "normal"}, "fillOpacity": 40, "lineWidth": 0}},
                overrides=[line])  # fmt: skip
    yield Panel("timeseries", "Ring in use", "Highest share of the memory between relay and analyser that was taken,"
                " by exporter. From half on bodies are left out by lot; what finds it full is dropped.", "percentunit",
                [Query(highest(f"max by (instance) ({here(of(c.RING_FILL))})", "instance"), "{{instance}}")], 6, 8,
                SHARE)  # fmt: skip
    yield Panel("timeseries", "Bodies left out", "Exchanges per second whose bodies were not looked at: `memory`, to"
                " stay within bounds, or `sampled`, by lot while a ring fills. Requests, codes and latencies are whole;"
                " scores are of the others.", "ops",
                [Query(f"sum by (reason) ({here(rate(c.BODIES_SHED))})", "{{reason}}")], 6, 8, _FLOOR)  # fmt: skip
    sides = (f"sum by (side) ({here(rate(one))})" for one in (c.PAYLOADS_DECODED, c.PAYLOADS_OFFERED))
    yield Panel("timeseries", "Payloads understood", "Share of the sides of exchanges that should hold model input or"
                " output and were understood. Below 100 % see why beside it.", "percentunit",
                [Query("{} / ({} > 0)".format(*sides), "{{side}}")], 6, 8, SHARE)  # fmt: skip
    why = here(f"increase({of(c.PAYLOADS_UNDECODED)}[1h]) > 0")
    queries = [Query(f"topk(25, sum by (side, reason, protocol) ({why}))", "payloads in the last hour")]
    labels = {"side": "side", "reason": "reason", "protocol": "protocol"}
    yield Panel("table", "Payloads not understood, and why", "In the last hour of the chosen time. They are relayed,"
                " but in no score. `error_status`: the request failed, and nothing was to be expected of it."
                " `unknown_protocol`: nothing here speaks it, see --protocol. What single clients do wrong: the runbook"
                " of ModelPayloadsUndecodable.", "short", queries, 12, 8,
                {"decimals": 0} | said("all payloads were understood, or there were none"),
                {"sortBy": [{"desc": True, "displayName": "payloads in the last hour"}]}, [BLANK],
                side_by_side(queries, labels))  # fmt: skip
    yield Panel("timeseries", "Payloads cut short", "Per second, that were longer than capture.max_body or cut off:"
                " only the complete rows at their beginning count. Raise capture.max_body where batches are long.",
                "ops",
                [Query(f"sum by (side) ({here(rate(c.PAYLOADS_PARTIAL))})", "{{side}}, payloads"),
                 Query(f"sum by (side) ({here(rate(c.PARTIAL_ROWS))})", "{{side}}, rows counted")], 6, 8,
                _FLOOR)  # fmt: skip
    yield from _unseen()


def _unseen() -> Iterator[Panel]:
    """What never gets as far as the ring, or belongs to nobody."""
    unread, cut = f"sum by (reason) ({here(rate(c.UNOBSERVABLE))})", f"sum by (ended_by) ({here(rate(c.INCOMPLETE))})"
    yield Panel("timeseries", "Rows seen by exporter", "Share of the rows served in the last hour that were decoded and"
                " counted. Below 90 % scores are about a sample.", "percentunit",
                [Query(lowest(f"min by (instance) ({_SEEN})", _BY), "{{instance}}")], 8, 8, SHARE)  # fmt: skip
    yield Panel("timeseries", "Connections read no further, exchanges cut off", "Per second. What is read no further is"
                " relayed all the same: upgrades and HTTP/2 by nature; `..._syntax`: what came is no"
                " proper HTTP. Cut off by `upstream`: the model server went away in the middle.", "ops",
                [Query(f"{unread} > 0", "read no further: {{reason}}"),
                 Query(f"{cut} > 0", "cut off by {{ended_by}}")], 8, 8,
                _FLOOR | said("every connection was read to its end"))  # fmt: skip
    yield Panel("timeseries", "Exchanges of no known model", "Per second, counted for the model `_other`. `limit` and"
                " `memory`: there are more models than room, and nobody looks at their data.", "ops",
                [Query(f"sum by (reason) ({here(rate(c.UNATTRIBUTED))})", "{{reason}}")], 8, 8, _FLOOR)  # fmt: skip


def fresh() -> Iterator[Panel]:
    """Whether the processes live, and what they show is of now."""
    lived = f"max by (process) ({_SUPERVISED})"
    # A page is away while its analyser is started again: what rose meanwhile is in a longer span alone.
    spans = " or ".join(f"increase({of(c.RESTARTS)}[{span}]) > 0" for span in ("10m", "$__rate_interval"))
    again = f"sum by (process, reason) ({here(f'({spans})')})"
    made = f"min by (collector) ({here(of(c.COLLECTOR_SUCCESS))})"
    for title, text, expr, legend in (
        ("Age of the scores", ("How old they were when they were scraped, by exporter. Beyond two minutes"
         " (InferenceExporterStale) panels and alerts look at the past."), highest(f"max by (instance) ({_AGE})", _BY),
         "{{instance}}"),
        ("Time to make scores and page", ("What the last scoring took, by exporter. It should be well below the"
         " interval between two; fewer features or windows make it shorter."),
         highest(f"max by (instance) ({here(of(c.SNAPSHOT_DURATION))})", _BY), "{{instance}}"),
        ("Last sign of life", ("How long ago, by process, on the exporter where it is longest. The supervisor starts"
         " again what is silent for too long."), lived, "{{process}}"),
    ):  # fmt: skip
        yield Panel("timeseries", title, text, "s", [Query(expr, legend)], 8, 8, PLAIN | _FLOOR)
    yield Panel("state-timeline", "Parts of the page", "By collector, on any exporter. What is missing is not on the"
                " page, and panels and alerts that read it are blind: the log says why.", "none",
                [Query(made, "{{collector}}")], 12, 9,
                judged() | states((0, "missing", RED), (1, "made", GREEN)))  # fmt: skip
    yield Panel("timeseries", "Restarts by process and reason", "Processes started again in the ten minutes before."
                " `memory`: it grew over its bound (analyser.memory_limit); `hung`: no sign of life; `signalled`:"
                " killed, perhaps by the kernel for want of memory. Traffic goes on when the analyser is started"
                " again.", "short",
                [Query(again, "{{process}}: {{reason}}")], 12, 9,
                _FLOOR | {"decimals": 0} | said("nothing was restarted") |
                {"custom": {"drawStyle": "bars", "fillOpacity": 60}})  # fmt: skip


def cost() -> Iterator[Panel]:
    """Of time, CPU, memory and series."""
    offered = f"sum({here(rate(c.OFFERED))})"
    buckets = f"sum by (le) ({here(rate(c.HOP))})"
    of_relay = here(f"rate({of(c.PROCESS_CPU, process='~worker.*')}[$__rate_interval])")
    yield Panel("timeseries", "What a hop costs", "From being handed bytes to having passed them on, on the way in and"
                " on the way out; interpolated within buckets. p99 above 5 ms for a quarter of an hour is a ticket: the"
                " relay needs more CPU.", "s",
                [Query(f"histogram_quantile({level}, {buckets}) >= 0", f"p{level * 100:g}") for level in (0.5, 0.99)],
                8, 8, _FLOOR)  # fmt: skip
    yield Panel("timeseries", "CPU by process", "Cores in use, all exporters together. Workers are on the request path;"
                " the analyser is niced and may wait.", "none",
                [Query(highest(f"sum by (process) ({here(rate(c.PROCESS_CPU))})", "process"), "{{process}}")], 8, 8,
                _FLOOR)  # fmt: skip
    yield Panel("timeseries", "CPU time for a request", "Of relay and analyser together, of the relay's workers alone,"
                " and of the looking within those. Some 30 µs of the relay are usual; what grows with the size of"
                " bodies is the analyser.", "s",
                [Query(f"sum({here(rate(c.PROCESS_CPU))}) / ({offered} > 0)", "all processes"),
                 Query(f"sum({of_relay}) / ({offered} > 0)", "relay"),
                 Query(f"sum({here(rate(c.OBSERVER_CPU))}) / ({offered} > 0)", "of it looking")], 8, 8,
                _FLOOR)  # fmt: skip
    yield Panel("timeseries", "Memory by process", "Resident memory, on the exporter where it is largest, beside the"
                " size of the rings, which is its bound there. The analyser is started again at analyser.memory_limit"
                " (1 GiB unless set): give it more, or it fewer features and models.", "bytes",
                [Query(highest(f"max by (process) ({here(of(c.PROCESS_MEMORY))})", "process"), "{{process}}"),
                 Query(f"max({here(of(c.RING_SIZE))})", "rings at most")], 8, 8, _FLOOR,
                overrides=[by_pattern("/^rings/", custom_lineStyle=DASHED)])  # fmt: skip
    share = f"{of(c.PAGE_SERIES)} / {of(c.MAX_SERIES)}"
    yield Panel("timeseries", "Series of a page", "Share of the series that a page may have, by exporter. At 100 %"
                " whole families are left out: raise --max-series.", "percentunit",
                [Query(highest(f"max by (instance) ({here(share)})", "instance"), "{{instance}}")], 8, 8,
                SHARE)  # fmt: skip
    left = f"max by (family) ({here(of(c.DROPPED_SERIES))})"
    yield Panel("timeseries", "Series left out, by family", "On the exporter that lacks most. Panels and alerts that"
                " read it see less: raise --max-series, or see docs/series.md for the order.", "short",
                [Query(f"{highest(left, 'family')} > 0", "{{family}}")], 8, 8,
                _FLOOR | said("no family is left out"))  # fmt: skip


BOARD = Board(
    links.INTERNALS,
    "Exporter internals",
    "Does the exporter see everything, and does it cost little?",
    [
        Row("Can the numbers be trusted?", now),
        Row("Is everything counted?", counted),
        Row("Are the numbers fresh?", fresh),
        Row("What does it cost?", cost),
        *internals_parts.ROWS,
    ],
    frozenset({"version"}),
)
