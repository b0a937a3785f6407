"""Of the board of serving: how long answers take, and how large they are."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import objectives
from exporter.dashboards.looks import CRITICAL, NAMED, PLAIN
from exporter.dashboards.pieces import Json, Panel, Query
from exporter.dashboards.queries import STEP, of, rate, recorded
from exporter.families import Family

OBJECTIVE: Final[list[Json]] = [CRITICAL]
_WITH_EXEMPLARS: Final = (c.REQUEST_DURATION, c.FAILED_DURATION)
"""Which lead to requests, where metrics.exemplars is set."""
_RECORDED: Final = {"noValue": "not enough data, or the rules are not loaded"}


def quantile(level: float, family: Family, by: str = "") -> str:
    """Of all replicas together, or by a label; interpolated within buckets."""
    labels = f"{by}, le" if by else "le"
    return of_buckets(level, f"sum by ({labels}) ({rate(family)})")


def of_buckets(level: float, buckets: str) -> str:
    """Nothing, rather than no number, where nothing was counted."""
    return f"histogram_quantile({level}, {buckets}) >= 0"


def levels(family: Family, name: str = "") -> list[Query]:
    """The median, and what one in ten and one in a hundred exceeds."""
    return [
        Query(quantile(level, family), f"p{level * 100:g}{name}", exemplar=family in _WITH_EXEMPLARS)
        for level in (0.5, 0.9, 0.99)
    ]


def durations() -> Iterator[Panel]:
    """How long and how large."""
    limit, late = objectives.value("slo.latency_seconds"), objectives.value("slo.slow")
    yield Panel("timeseries", "Latency", "From a successful request's first byte to its answer's last one; interpolated"
                f" within buckets. The dashed line is what counts as late. {objectives.AS_SHIPPED}", "s",
                [*levels(c.REQUEST_DURATION), Query(f"vector({limit:g})", "critical: late")], 8, 8,
                PLAIN | {"min": 0}, overrides=OBJECTIVE)  # fmt: skip
    buckets = f"sum by (le) (increase({of(c.REQUEST_DURATION)}[{STEP}]))"
    yield Panel("heatmap", "Latencies by time", "How many requests took how long; the darker, the more. Two bands are"
                " two kinds of requests or of replicas; one that rises is a queue. Dots are single requests, where the"
                " data source keeps such.", "short", [Query(buckets, "{{le}}", exemplar=True)], 8, 8, PLAIN,
                {"yAxis": {"unit": "s"}, "cellValues": {"unit": "short"}})  # fmt: skip
    slow = [Query(f"max({recorded(f'version:model_slow_answers:ratio{span}', model_version='$version')})", f"of {span}")
            for span in ("5m", "1h")]  # fmt: skip
    yield Panel("timeseries", "Late answers", f"Share of the answers that took longer than {limit:g} s. The dashed line"
                f" is what may, {objectives.share('slo.slow')} over a month. {objectives.AS_SHIPPED}", "percentunit",
                [*slow, Query(f"vector({late:g})", "critical: the objective")], 8, 8,
                PLAIN | {"min": 0} | _RECORDED, overrides=OBJECTIVE)  # fmt: skip
    yield Panel("timeseries", "Slowest replicas", "99 of 100 requests that succeeded were answered within this time, by"
                " replica, the 10 slowest. One apart from the others: look at its CPU, memory and node.", "s",
                [Query(f"topk(10, {quantile(0.99, c.REQUEST_DURATION, 'instance')})", "{{instance}}")], 12, 8,
                PLAIN | {"min": 0}, NAMED)  # fmt: skip
    yield Panel("timeseries", "Size of requests", "Bodies as sent, compressed ones compressed. Requests that grew make"
                " latency grow: larger batches, longer prompts, other images.", "bytes", levels(c.REQUEST_SIZE), 6, 8,
                PLAIN | {"min": 0})  # fmt: skip
    yield Panel("timeseries", "Size of answers", "Bodies as sent, compressed ones compressed. Answers that shrank at"
                " once may be errors with code 200, or predictions that are cut off.", "bytes",
                levels(c.RESPONSE_SIZE), 6, 8, PLAIN | {"min": 0})  # fmt: skip
