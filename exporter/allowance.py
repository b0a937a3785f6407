"""The section of the settings about how much is shown on /metrics.

As in `config`, which puts it in its place.
"""

from dataclasses import dataclass

from exporter.keys import setting
from exporter.values import integer, names, one_of, switch

ALWAYS, LEADER, NEVER = "always", "leader", "never"
AUTO, TRUE, FALSE = "auto", "true", "false"
FEWEST = 1000
"""Series that a page must be allowed: what is never left out takes some 600 for one model."""
MOST = 10_000_000


def _leads(value: object) -> str:
    """`auto`, `true` or `false`, which YAML takes for truth."""
    return str(value).lower() if isinstance(value, bool) else one_of(AUTO, TRUE, FALSE)(value)


def _limit(value: object) -> int:
    """As many series as a page must be allowed at least, or 0 for no limit."""
    found = integer(0, MOST)(value)
    if 0 < found < FEWEST:
        raise ValueError(f"must be 0 or at least {FEWEST}, not {found}")
    return found


def _of_family(value: object) -> int:
    found = integer(0, MOST)(value)
    if 0 < found < 100:
        raise ValueError(f"must be 0 or at least 100, not {found}")
    return found


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a page may hold."""

    max_series: int = setting(
        10_000,
        "Most series of /metrics. What would be more is left out by whole families, in the order that docs/series.md"
        " has: what is constant first, what the shipped alerts need last.",
        integer(FEWEST, MOST),
        alias="max-series",
    )
    max_series_per_family: int = setting(
        0, "Most series of one family, of the first columns; 0 for as many as max_series allows.", _of_family
    )
    sample_limit: int = setting(
        0,
        "What Prometheus has as sample_limit for this scrape, which it tells nobody: one sample more, and the whole"
        " scrape fails. The page stays within it; 0 where there is none.",
        _limit,
    )
    expose_reference: str = setting(
        ALWAYS,
        "Who shows what is equal on all replicas, the reference by bin: always, the leader alone, or never.",
        one_of(ALWAYS, LEADER, NEVER),
        alias="expose-reference",
    )
    leader: str = setting(
        AUTO,
        "Whether this replica is that leader: true, false, or auto: the first pod of a StatefulSet (HOSTNAME ends with"
        " -0) leads, others of one do not, and who has no such name shows it as well.",
        _leads,
    )
    disable: tuple[str, ...] = setting(
        (), "Families that are not shown: names, or patterns such as model_*_js_distance*.", names, "[]"
    )

    exemplars: bool = setting(
        False,
        "Whether counters of requests, latency and data quality show the trace of the last request that they counted"
        " (OpenMetrics alone has exemplars), as far as its caller or we record it.",
        switch,
        "false",
    )

    def refuse_too_little(self, beside: int) -> None:
        """ValueError where the scrape's limit leaves no room beside so many series of the model server's own."""
        if self.sample_limit and self.sample_limit - beside < FEWEST:
            raise ValueError(
                f"metrics.sample_limit: leaves less than {FEWEST} series beside the {beside} of merge.max_series"
            )
