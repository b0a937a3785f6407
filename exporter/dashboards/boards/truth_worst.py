"""Of the truth board: for whom the model is worse than for all others."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import tables
from exporter.dashboards.looks import AT, BLANK, CRITICAL, NAMES, PLAIN, by_name, by_pattern
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import of

_NOBODY: Final = {"noValue": "nobody is known to be served worse, or nothing is searched (segments.search)"}


def panels() -> Iterator[Panel]:
    """Which parts of the traffic are served worse, and how sure that is."""
    yield _parts()
    yield Panel("timeseries", "Evidence that a part is served worse", "Evidence of each part that is named, on the"
                " replica with most, and what each must have. A part that is as good as the others again loses it.",
                "none", [
                    Query(f"topk(10, max by (segment) ({of(c.WORST.nats)}))", "{{segment}}"),
                    Query(f"max({of(c.SEARCH.threshold)})", "critical"),
                ], 8, 9, PLAIN | {"min": 0} | _NOBODY,
                overrides=[CRITICAL])  # fmt: skip


def _parts() -> Panel:
    of_worst = c.WORST
    error, others, rows = of(of_worst.error), of(of_worst.others_error), of(of_worst.rows)
    added = f"sum by (segment) (({error} - {others}) * {rows})"
    queries = [
        Query(f"topk(10, {added})", "wrong answers more"),
        Query(f"avg by (segment) ({error})", "wrong"),
        Query(f"avg by (segment) ({others})", "all others"),
        Query(f"sum by (segment) ({rows})", "truths"),
        Query(f"min by (segment) ({of(of_worst.began_s)}) * 1000", "since"),
    ]
    return Panel(
        "table", "Whom it serves worse",
        "Parts of the traffic, a feature's value or two of them together, in which more answers were wrong than in all"
        " the rest, by more than is tolerated and than chance explains, however many parts are searched. The one first"
        " that adds most wrong answers.", "none", queries, 16, 9,
        PLAIN | _NOBODY | {"decimals": 0}, tables.worst_first("wrong answers more"),
        [BLANK, by_name("part", **NAMES), by_name("since", unit=AT),
         by_pattern("/^(wrong|all others)$/", unit="percentunit", decimals=1)],
        [*tables.columns(queries, {"segment": "part"}), tables.only_with("wrong answers more")],
    )  # fmt: skip
