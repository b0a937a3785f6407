"""Of the life board: whether known requests are answered as they should be, by which version."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import tables
from exporter.dashboards.boards.serving_latency import quantile
from exporter.dashboards.looks import BLANK, GREEN, ORANGE, PLAIN, RED, by_name, steps
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import here, of, rate

_EVERY: Final = {"model_version": "*"}
_UNSET: Final = {"noValue": "no golden requests are sent (golden.file)"}
_G: Final = c.GOLDEN


def panels() -> Iterator[Panel]:
    """How they are answered, which are not, and how fast."""
    cases = f"sum by (model_version) ({of(_G.cases, **_EVERY)})"
    wrong = f"sum by (model_version) ({of(_G.failing, times='1', **_EVERY)})"
    yield Panel("timeseries", "Known requests answered as expected", "Share of golden requests whose last answer was"
                " the expected one, of all replicas, by the version that answers. One version alone below 100 %: that"
                " model file is another one. All at once: what they look up themselves, a feature store or a cache.",
                "percentunit", [Query(f"1 - {wrong} / ({cases} > 0)", "{{model_version}}")], 12, 8,
                PLAIN | {"min": 0, "max": 1} | _UNSET)  # fmt: skip
    yield _failing()
    yield Panel("stat", "All right", "When every golden request was answered as expected for the last time, on the"
                " replica where that is longest ago.", "dateTimeFromNow",
                [Query(f"min({of(_G.right)} > 0) * 1000", instant=True)], 4, 7, PLAIN | _UNSET,
                {"colorMode": "none"})  # fmt: skip
    yield Panel("stat", "Last round", "When a round of golden requests was complete for the last time, on the replica"
                " where that is longest ago. It is over before the next one is due, unless the server is down.",
                "dateTimeFromNow", [Query(f"min({here(of(_G.round_time))} > 0) * 1000", instant=True)], 4, 7,
                PLAIN | _UNSET, {"colorMode": "none"})  # fmt: skip
    yield Panel("timeseries", "Why known requests fail", "Golden requests per minute whose answer was not the expected"
                " one, by reason: another value, type or code, something missing, no answer in time.", "short",
                [Query(f"60 * sum by (reason) ({rate(_G.failures)}) > 0", "{{reason}}")], 8, 7,
                PLAIN | {"min": 0, "noValue": "not one has failed"})  # fmt: skip
    yield Panel("timeseries", "How long known requests take, and those of clients", "The median of both, of all"
                " replicas. Golden requests are always the same: if they become slower the server did, and not what it"
                " is asked.", "s", [Query(quantile(0.5, _G.duration), "golden"),
                                    Query(quantile(0.5, c.REQUEST_DURATION), "clients")], 8, 7,
                PLAIN | {"min": 0})  # fmt: skip


def _failing() -> Panel:
    by = "by (case, model_version)"
    times = of(_G.case, **_EVERY)
    queries = [
        Query(f"topk(20, max {by} ({times} > 0))", "times in a row"),
        Query(f"(count {by} ({times} > 0)) / (count {by} ({times}))", "replicas"),
    ]
    few = {"noValue": "all are answered as expected, or none are sent"}
    return Panel(
        "table", "Known requests that fail", "Golden requests whose last answer was not the expected one, how often"
        " that was so in a row, and on what share of the replicas. Where they differ, and from what, stands on the"
        " exporter's status page and in its log.", "none", queries, 12, 8, PLAIN | few,
        tables.worst_first("times in a row"),
        [BLANK, by_name("replicas", **steps((None, GREEN), (0.000001, ORANGE), (0.5, RED)), unit="percentunit")],
        [*tables.columns(queries, {"case": "request", "model_version": "version"}), tables.only_with("times in a row")],
    )  # fmt: skip
