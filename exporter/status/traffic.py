"""Requests, rows, and how long answers took."""

from collections.abc import Sequence

from exporter.records import DURATION_BOUNDS
from exporter.snapshots import Histogram, Traffic
from exporter.status.facts import LatencyFacts, TrafficFacts
from exporter.status.known import moment
from exporter.status.view import View

_LEAST_FAILED = 400


def of(view: View) -> TrafficFacts:
    """Since the start."""
    traffic = view.scene.snapshot.traffic
    codes = {code: count for code, count in sorted(traffic.codes.items()) if count}
    return TrafficFacts(
        requests=sum(codes.values()), failed=failed(traffic), codes=codes, rows=int(view.scene.snapshot.rows.observed),
        last_request=moment(traffic.last_wall_s), latency=latency(traffic.duration),
    )  # fmt: skip


def failed(traffic: Traffic) -> int:
    """Requests that were answered with 4xx or 5xx, or not at all."""
    return sum(count for code, count in traffic.codes.items() if not code.isdigit() or int(code) >= _LEAST_FAILED
               or int(code) == 0)  # fmt: skip


def latency(found: Histogram) -> LatencyFacts:
    """Of answers that were no failure."""
    quantiles = [quantile(rank, found.counts, DURATION_BOUNDS) for rank in (0.5, 0.95, 0.99)]
    return LatencyFacts(sum(found.counts), *quantiles)


def quantile(rank: float, counts: Sequence[int], bounds: Sequence[float]) -> float | None:
    """By interpolation in the buckets, as histogram_quantile of PromQL has it; None of nothing.

    What lies above all bounds is told as the last of them.
    """
    total = sum(counts)
    if not total:
        return None
    wanted, running = rank * total, 0
    for place, (bound, count) in enumerate(zip(bounds, counts, strict=False)):
        if running + count >= wanted and count:
            start = bounds[place - 1] if place else 0.0
            return start + (bound - start) * (wanted - running) / count
        running += count
    return bounds[-1]
