"""Which values break the server."""

from collections.abc import Iterator

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.looks import BLANK, LIMIT, by_name
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import WINDOW, of, rate, words
from exporter.dashboards.worst import worst


def failures() -> Iterator[Panel]:
    """Failed requests beside successful ones."""
    by = "feature, code"
    beyond = f"max by ({by}) ({of(c.FAILED_VARIATION, **WINDOW)} / {of(c.FAILED_CRITICAL, **WINDOW)})"
    yield Panel("timeseries", "Failed against successful requests, by feature", "Total variation over its critical"
                " value; the 20 highest. Above 1 the values of failed requests differ beyond chance: see the bins in"
                " the table; the worst replica.", "none", [Query(worst(beyond, by), "{{feature}}, {{code}}")], 12, 9,
                LIMIT | {"min": 0, "noValue": "no request failed whose values could be read",
                         "links": [links.to(links.FEATURE, "What happened to it",
                                            feature=links.OF_SERIES % "feature")]})  # fmt: skip
    yield _table()
    yield Panel("timeseries", "Failed rows", "Rows per second of requests answered with 4xx or 5xx that could be"
                " decoded; they are in no window of the others.", "rowsps",
                [Query(f"sum by (code) ({rate(c.FAILED_ROWS)})", "{{code}}")], 12, 8,
                {"min": 0, "noValue": "no request failed whose values could be read"})  # fmt: skip
    buckets = f"sum by (le) ({rate(c.FAILED_DURATION)})"
    yield Panel("timeseries", "Latency of failures", "As the latency of successful requests, of the others;"
                " interpolated within buckets. At the timeout of a client: the server hangs; near 0: it refuses.", "s",
                [Query(f"histogram_quantile({level}, {buckets}) >= 0", f"p{level * 100:g} failed")
                 for level in (0.5, 0.99)],
                12, 8, {"min": 0, "noValue": "no request failed"})  # fmt: skip


def _table() -> Panel:
    f, by = c.FEATURES, "feature, bin, text, code"
    texts = words(f)
    failed, good = (f"increase({of(family)}[$window])" for family in (c.FAILED_BINS, f.bins))
    chosen = f"topk(25, max by ({by}) ({of(c.FAILED_EXCESS, **WINDOW)} * {texts}))"
    named = f"sum by ({by}) ({failed} * {texts}) and on ({by}) {chosen}"
    others = f"on (feature, bin, text) group_left () sum by (feature, bin, text) ({good} * {texts})"
    table = (
        (chosen, "more than others"),
        (f"({named}) / (({named}) + {others} > 0)", "of these failed"),
        (f"({named}) > 0", "failed values"),
    )
    shares = [by_name(name, unit="percentunit", decimals=1) for name in ("more than others", "of these failed")]
    drill = by_name("feature", links=[links.to(links.FEATURE, "What happened to it",
                                               feature=links.OF_FIELD % "feature")])  # fmt: skip
    return Panel("table", "Values that fail", "The bin that failed requests have most beyond successful ones, of"
                 " features beyond chance on any replica; what share of all requests with such a value failed. Near"
                 " 100 % that value breaks the server.", "none", [Query(*row) for row in table], 12, 9,
                 {"noValue": "no feature has to do with failures", "decimals": 0},
                 {"sortBy": [{"displayName": "more than others", "desc": True}]}, [BLANK, *shares, drill])  # fmt: skip
