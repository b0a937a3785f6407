"""Exporter internals: whether the numbers can be trusted."""

from collections.abc import Iterator

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.pieces import Board, Panel, Query, Row
from exporter.dashboards.queries import here, of, rate


def itself() -> Iterator[Panel]:
    """The exporter's own health."""
    age = here(f"timestamp({of(c.SNAPSHOT_TIME)}) - {of(c.SNAPSHOT_TIME)}")
    restarts = f"increase({of(c.RESTARTS)}[$__rate_interval])"
    yield Panel("timeseries", "Exchanges dropped", "Exchanges per second that were relayed but not counted, by reason.",
                "ops", [Query(f"sum by (reason) ({here(rate(c.DROPPED))})", "{{reason}}")], 8)  # fmt: skip
    yield Panel("timeseries", "Ring in use", "Share of the memory between relay and analyser that is taken. What finds"
                " it full is dropped.", "percentunit",
                [Query(here(f"{of(c.RING_QUEUED)} / {of(c.RING_SIZE)}"), "{{instance}}")],
                8, field={"min": 0, "max": 1})  # fmt: skip
    yield Panel("timeseries", "Age of the numbers", "How old the scores were when they were scraped.", "s",
                [Query(age, "{{instance}}")], 8)  # fmt: skip
    yield Panel("timeseries", "CPU of the exporter", "Cores in use, by process, all replicas together.", "none",
                [Query(f"sum by (process) ({here(rate(c.PROCESS_CPU))})", "{{process}}")], 8)  # fmt: skip
    yield Panel("timeseries", "Memory of the exporter", "Resident memory by process, the largest replica.", "bytes",
                [Query(f"max by (process) ({here(of(c.PROCESS_MEMORY))})", "{{process}}")], 8)  # fmt: skip
    yield Panel("timeseries", "Restarts and failed connections", "Processes started again, and client connections per"
                " second for which the model server could not be reached.", "short",
                [Query(f"sum by (process) ({here(restarts)})", "{{process}} restarted"),
                 Query(f"sum({here(rate(c.CONNECT_ERRORS))})", "connections failed")], 8)  # fmt: skip
    share = f"{of(c.PAGE_SERIES)} / {of(c.MAX_SERIES)}"
    yield Panel("timeseries", "Series of a page", "Share of the series that a page may have, by replica.",
                "percentunit", [Query(here(share), "{{instance}}")], 8, field={"min": 0, "max": 1})  # fmt: skip
    yield Panel("timeseries", "Series left out", "What pages have no room for, by family, the replica that lacks most:"
                " panels and alerts that read it see less. Raise --max-series, or see docs/series.md.", "short",
                [Query(f"max by (family) ({here(of(c.DROPPED_SERIES))})", "{{family}}")], 16)  # fmt: skip


BOARD = Board(
    links.INTERNALS,
    "Exporter internals",
    "Does the exporter see everything, and does it cost little?",
    [Row("The exporter itself", itself)],
    frozenset({}),
)
