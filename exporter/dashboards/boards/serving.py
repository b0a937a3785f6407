"""Serving: how the server answers, and what that costs."""

from collections.abc import Iterator

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.pieces import Board, Panel, Query, Row
from exporter.dashboards.queries import of, rate


def resources() -> Iterator[Panel]:
    """Traffic, and what it costs."""
    buckets = f"sum by (le) ({rate(c.REQUEST_DURATION)})"
    yield Panel("timeseries", "Requests by code", "Requests answered per second, by HTTP status code.", "reqps",
                [Query(f"sum by (code) ({rate(c.REQUESTS)})", "{{code}}")], 8)  # fmt: skip
    yield Panel("timeseries", "Latency", "From a successful request's first byte to its answer's last one; interpolated"
                " within buckets.", "s", [Query(f"histogram_quantile({level}, {buckets})", f"p{level * 100:g}")
                                   for level in (0.5, 0.9, 0.99)], 8)  # fmt: skip
    yield Panel("timeseries", "Requests in flight", "Requests whose answer is not complete, by replica.", "short",
                [Query(of(c.IN_FLIGHT), "{{instance}}")], 8)  # fmt: skip
    yield Panel("timeseries", "CPU of the model server", "Cores in use, by replica; nothing where the process cannot be"
                " seen.", "none", [Query(rate(c.SERVER_CPU), "{{instance}}")], 12)  # fmt: skip
    yield Panel("timeseries", "Memory of the model server", "Resident memory, by replica.", "bytes",
                [Query(of(c.SERVER_MEMORY), "{{instance}}")], 12)  # fmt: skip
    yield Panel("timeseries", "Dependencies up", "Share of the replicas whose last probe reached it, of what the model"
                " needs beside its server; nothing where no dependencies are set.", "percentunit",
                [Query(f"avg by (dependency) ({of(c.DEPENDENCY_UP)})", "{{dependency}}")], 12,
                field={"min": 0, "max": 1})  # fmt: skip
    yield Panel("timeseries", "Probes of dependencies", "Time that the last probe took, the slowest replica.", "s",
                [Query(f"max by (dependency) ({of(c.DEPENDENCY_DURATION)})", "{{dependency}}")], 12)  # fmt: skip


BOARD = Board(
    links.SERVING,
    "Serving",
    "Does the server answer, how fast, and what does that cost?",
    [Row("Traffic and resources", resources)],
    frozenset({"version"}),
)
