"""Of the board of serving: what the model needs beside its server."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import tables
from exporter.dashboards.looks import BLANK, GREEN, ORANGE, PLAIN, RED, by_name, steps
from exporter.dashboards.pieces import Json, Panel, Query
from exporter.dashboards.queries import of, rate

_UNSET: Final = {"noValue": "no dependencies are set, or none was probed yet"}


def dependencies() -> Iterator[Panel]:
    """Whether each is reached, from where, and why not."""
    up = f"avg by (dependency) ({of(c.DEPENDENCY_UP)})"
    yield Panel("state-timeline", "Dependencies", "Whether the last probe of each was answered, from all replicas, some"
                " or none. From none: the dependency is down; from some: the network, or a node.", "percentunit",
                [Query(f"bottomk(20, {up})", "{{dependency}}")], 12, 8, _reached() | _UNSET)  # fmt: skip
    yield _table()
    yield Panel("timeseries", "How long probes take", "The last probe, on the slowest replica, up to the time after"
                " which it is given up. A dependency that slows down slows its model.", "s",
                [Query(f"topk(20, max by (dependency) ({of(c.DEPENDENCY_DURATION)}))", "{{dependency}}")], 12, 8,
                PLAIN | {"min": 0} | _UNSET)  # fmt: skip
    failed = f"topk(20, sum by (dependency, reason) ({rate(c.DEPENDENCY_FAILURES)}) > 0)"
    yield Panel("timeseries", "Why probes fail", "Failed probes per second, by reason: a name that is not found,"
                " nothing that listens, no answer in time, a wrong code, a certificate, and so on.", "ops",
                [Query(failed, "{{dependency}}: {{reason}}")], 12, 8,
                PLAIN | {"min": 0, "noValue": "no probe has failed"})  # fmt: skip


def _reached() -> Json:
    """Words for shares of replicas."""
    between = {"from": 0.000001, "to": 0.999999, "result": {"color": ORANGE, "index": 2, "text": "from some"}}
    whole = {
        "0": {"color": RED, "index": 0, "text": "not reached"},
        "1": {"color": GREEN, "index": 1, "text": "reached"},
    }
    mappings = [{"options": whole, "type": "value"}, {"options": between, "type": "range"}]
    return steps((None, RED), (0.000001, ORANGE), (1, GREEN)) | {"mappings": mappings}


def _table() -> Panel:
    by = "max by (dependency)"
    why = f"sum by (dependency, reason) (increase({of(c.DEPENDENCY_FAILURES)}[$__range])) > 0"
    queries = [
        Query(f"avg by (dependency) ({of(c.DEPENDENCY_UP)})", "reached"),
        Query(f"{by} ({of(c.DEPENDENCY_SUCCESS)} > 0) * 1000", "last time"),
        Query(f"min by (dependency) ({of(c.DEPENDENCY_EXPIRY)}) * 1000", "certificate ends"),
        Query(f"topk by (dependency) (1, {why})"),
    ]
    dates = [by_name(name, unit="dateTimeFromNow") for name in ("last time", "certificate ends")]
    labels = {"dependency": "dependency", "reason": "mostly failed for"}
    options = {"sortBy": [{"desc": False, "displayName": "reached"}]}
    return Panel(
        "table", "Dependencies, worst first",
        "From what share of the replicas each is reached now, when it was reached last, when its certificate ends, and"
        " why probes failed most over the time shown. Renew a certificate weeks before it ends.", "none", queries, 12,
        8, PLAIN | _UNSET, options, [BLANK, by_name("reached", **_reached(), unit="percentunit"), *dates],
        tables.columns(queries, labels),
    )  # fmt: skip
