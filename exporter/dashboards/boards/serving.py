"""Serving: how the server answers, and what that costs."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links, objectives
from exporter.dashboards.boards import serving_latency, serving_needs, serving_replicas
from exporter.dashboards.looks import (
    ABOVE_ONE,
    DASHED,
    GREEN,
    ORANGE,
    PLAIN,
    RED,
    UNJUDGED,
    by_name,
    by_pattern,
    judged,
    states,
    steps,
)
from exporter.dashboards.pieces import Board, Json, Panel, Query, Row
from exporter.dashboards.queries import STEP, of, rate, recorded

_RECORDED: Final = {"noValue": "not enough data, or the rules are not loaded"}
_VERSION: Final = {"model_version": "$version"}
_UP: Final = steps((None, RED), (0.5, ORANGE), (1, GREEN))
_BY_CODE: Final = [
    by_pattern(pattern, color={"fixedColor": colour, "mode": "fixed"})
    for pattern, colour in (("/^[123]/", GREEN), ("/^4/", "yellow"), ("/^5/", RED))
]
_BURNS: Final = (
    ("1h", "slo.fast_burn", "pages"), ("6h", "slo.fast_burn_6h", "pages"),
    ("1d", "slo.slow_burn", "makes a ticket"), ("3d", "slo.slow_burn_3d", "makes a ticket"),
)  # fmt: skip
"""How long each recorded share looks back, and the alert's factor for it."""


def now() -> Iterator[Panel]:
    """Whether clients get answers."""
    up = of(c.SERVER_UP)
    named = states((1, "all", GREEN), (0, "none", RED))
    failed = recorded("version:model_failures:ratio1h", **_VERSION)
    used = f"{recorded('version:model_failures:ratio3d', **_VERSION)} / {objectives.value('slo.failed'):g}"
    yield Panel("stat", "Model servers up", "Share of the replicas whose server accepts connections. None: clients get"
                " errors, somebody is paged; some: see below which.", "percentunit",
                [Query(f"avg({up})", instant=True)], 4, 4, _UP | named)  # fmt: skip
    yield Panel("stat", "Requests answered", "Per second, by all replicas of the version together. Compare it with a"
                " week before, below.", "reqps", [Query(f"sum({rate(c.REQUESTS)})", instant=True)], 4, 4,
                PLAIN, UNJUDGED)  # fmt: skip
    yield Panel("stat", "Failed in the last hour", "Share of the requests that were answered with a 5xx code or cut off"
                f" by the server. {objectives.share('slo.failed')} may. {objectives.AS_SHIPPED}", "percentunit",
                [Query(f"max({failed})", instant=True)], 4, 4, _of_objective("slo.failed") | _RECORDED)  # fmt: skip
    yield Panel("stat", "Error budget used", "Failures of the last three days as a share of those that the objective"
                f" allows. Above 100 % it will not be kept if that goes on. {objectives.AS_SHIPPED}", "percentunit",
                [Query(f"max({used})", instant=True)], 4, 4,
                judged((0.5, ORANGE), (1, RED)) | _RECORDED)  # fmt: skip
    yield Panel("stat", "Answered within, 99 of 100", "99 of 100 requests that succeeded were answered within this"
                " time, of those since the last few scrapes; interpolated within buckets.", "s",
                [Query(serving_latency.quantile(0.99, c.REQUEST_DURATION), instant=True)], 4, 4, PLAIN,
                UNJUDGED)  # fmt: skip
    last = f"max({of(c.LAST_REQUEST, model_version='*')} > 0)"
    idle = f"min({recorded('model:model_idle:seconds')}) or time() - {last}"
    yield Panel("stat", "Since the last request", "How long ago any version of the model answered, whichever replica."
                " Is that longer than its callers usually rest, they fail, or nobody gets through to it.", "s",
                [Query(idle, instant=True)], 4, 4, PLAIN, UNJUDGED)  # fmt: skip


def _of_objective(name: str) -> Json:
    """Green while the objective is kept, red where so much more pages."""
    allowed = objectives.value(name)
    return judged((allowed, ORANGE), (allowed * objectives.value("slo.fast_burn"), RED))


def requests() -> Iterator[Panel]:
    """How many, and how many of them fail."""
    total = of(c.REQUESTS, model_version="*")
    before = by_name("a week before", custom_lineStyle=DASHED, color={"fixedColor": "text", "mode": "fixed"})
    yield Panel("timeseries", "Requests by code", "Requests answered per second, by HTTP status code; health probes are"
                " left out. 5xx are the server's faults, 4xx its callers'.", "reqps",
                [Query(f"topk(20, sum by (code) ({rate(c.REQUESTS)}))", "{{code}}")], 8, 8,
                PLAIN | {"min": 0, "custom": {"stacking": {"mode": "normal"}, "fillOpacity": 40}},
                overrides=_BY_CODE)  # fmt: skip
    yield Panel("timeseries", "Requests against a week before", "Per second, of all versions; dashed: at the same time"
                " a week before, nothing where nothing was kept. Far below it, callers are lost; far above it, look at"
                " latency.", "reqps",
                [Query(f"sum(rate({total}[{STEP}]))", "now"),
                 Query(f"sum(rate({total}[{STEP}] offset 1w))", "a week before")], 8, 8, PLAIN | {"min": 0},
                overrides=[before])  # fmt: skip
    allowed = objectives.value("slo.failed")
    failed = [Query(f"max({recorded(f'version:model_failures:ratio{span}', **_VERSION)})", f"of {span}")
              for span in ("5m", "1h")]  # fmt: skip
    yield Panel("timeseries", "Failed requests", "Share answered with a 5xx code or cut off by the server. The dashed"
                f" line is what may, {objectives.share('slo.failed')} over a month. {objectives.AS_SHIPPED}",
                "percentunit", [*failed, Query(f"vector({allowed:g})", "critical: the objective")], 8, 8,
                PLAIN | {"min": 0} | _RECORDED, overrides=serving_latency.OBJECTIVE)  # fmt: skip
    yield _burns("How fast the error budget burns", "slo.failed", "model_failures")
    yield Panel("timeseries", "Latency of failed requests", "From a request's first byte to its answer's last one where"
                " the code was 4xx or 5xx. Very short: refused at the door; as long as a limit: timed out.", "s",
                serving_latency.levels(c.FAILED_DURATION), 12, 8,
                PLAIN | {"min": 0, "noValue": "no request has failed"},
                links=[links.to(links.QUALITY, "Which values fail")])  # fmt: skip


def _burns(title: str, objective: str, word: str) -> Panel:
    allowed = objectives.value(objective)
    queries = []
    for span, name, does in _BURNS:
        times = objectives.value(name)
        share = recorded(f"version:{word}:ratio{span}", **_VERSION)
        queries.append(Query(f"max({share} / {allowed * times:g})", f"last {span}: {does} at {times:g} ×"))
    return Panel(
        "timeseries", title,
        "Share of failures over the one at which an alert comes, so many times the objective, for each time looked"
        " back. Above 1 it comes, as soon as a shorter look says that it goes on: an hour is for the pager, days are"
        f" for tickets. {objectives.AS_SHIPPED}", "none", queries, 12, 8, ABOVE_ONE | _RECORDED,
    )  # fmt: skip


BOARD = Board(
    links.SERVING,
    "Serving",
    "Does the server answer, how fast, and what does that cost?",
    [
        Row("Served now", now),
        Row("Requests and errors", requests),
        Row("Latency and size", serving_latency.durations),
        Row("Replicas: CPU, memory, processes", serving_replicas.replicas),
        Row("What the model needs", serving_needs.dependencies),
        Row("Containers", serving_replicas.containers, folded=True),
        Row("The relay in front of the server", serving_replicas.relay, folded=True),
    ],
    frozenset({"version"}),
)
