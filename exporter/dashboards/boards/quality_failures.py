"""Which values break the server."""

from collections.abc import Iterator

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.looks import BLANK, LIMIT, by_name
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import MODEL, WINDOW, of, rate, recorded, words
from exporter.dashboards.worst import worst

_KEY = "job, model, model_version, profile, feature, bin"
"""What words of bins are known by."""


def failures() -> Iterator[Panel]:
    """Failed requests beside successful ones."""
    by = "feature, code"
    name = "feature_window_code:model_feature_failed_total_variation:worst"
    beyond = f"max by ({by}) ({recorded(name, model_version=MODEL['model_version'], **WINDOW)})"
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
    # Of the last hour, as recorded: all bins of all replicas are too many to ask for.
    failed, good = (
        f"sum by ({key}) ({recorded(name, model_version=MODEL['model_version'])})"
        for key, name in (
            (f"{_KEY}, code", "feature_bin_code:model_feature_failed_bin:increase1h"),
            (_KEY, "feature_bin:model_feature_bin:increase1h"),
        )
    )
    excess, texts = of(c.FAILED_EXCESS, **WINDOW), words(f)
    listed = f"and on (feature, bin, code) topk(25, max by (feature, bin, code) ({excess}))"
    share = f"1 / (1 + 1 / {failed} * on ({_KEY}) group_left () {good})"
    table = (
        (f"topk(25, max by ({by}) ({excess} * {texts}))", "more than others"),
        (f"max by ({by}) (({share} {listed}) * {texts})", "of these failed"),
        (f"sum by ({by}) (({failed} {listed}) * {texts})", "failed values"),
    )
    shares = [by_name(name, unit="percentunit", decimals=1) for name in ("more than others", "of these failed")]
    drill = by_name("feature", links=[links.to(links.FEATURE, "What happened to it",
                                               feature=links.OF_FIELD % "feature")])  # fmt: skip
    return Panel("table", "Values that fail", "The bin that failed requests have most beyond successful ones, of"
                 " features beyond chance on any replica; what share of all requests with such a value failed in the"
                 " last hour. Near 100 % that value breaks the server.", "none", [Query(*row) for row in table], 12, 9,
                 {"noValue": "no feature has to do with failures", "decimals": 0},
                 {"sortBy": [{"displayName": "more than others", "desc": True}]}, [BLANK, *shares, drill])  # fmt: skip
