"""Fleet and versions: all replicas as one, and each beside the others."""

from collections.abc import Iterator

from exporter.dashboards import links
from exporter.dashboards.looks import LIMIT, SHARE
from exporter.dashboards.pieces import Board, Panel, Query, Row
from exporter.dashboards.queries import recorded


def replicas() -> Iterator[Panel]:
    """All replicas as one, and each beside the others."""
    pooled = recorded("feature:model_feature_psi:fleet1h", model_version="$version")
    critical = recorded("feature:model_feature_psi_critical:fleet1h", model_version="$version")
    yield Panel("timeseries", "PSI of the fleet over its critical value", "Of all replicas together over the last hour,"
                " by feature. Above 1 is more than chance reaches once in 1000 such hours.", "none",
                [Query(f"max by (feature) ({pooled} / {critical})", "{{feature}}")], 12, field=LIMIT)  # fmt: skip
    apart = recorded("instance_feature:model_feature_divergence:fleet1h", model_version="$version")
    yield Panel("timeseries", "Replicas apart from the others", "Total variation of a replica against all the others"
                " together, over the last hour; its feature that differs most.", "percentunit",
                [Query(f"max by (instance) ({apart})", "{{instance}}")], 12, field=SHARE)  # fmt: skip


BOARD = Board(
    links.FLEET,
    "Fleet and versions",
    "Is one replica or one version unlike the others?",
    [Row("Replicas", replicas)],
    frozenset({"version"}),
)
