"""Families that are not by model, as prometheus_client writes them: they are few, and it knows the formats."""

from collections.abc import Iterable
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from exporter.collect.exposition import Block, Distributions, Labels, Samples, ends, heads
from exporter.collect.labels import apart
from exporter.families import COUNTER, HISTOGRAM, Family


class Library:
    """Writes them, and keeps those that stay as they are from page to page: most do."""

    def __init__(self) -> None:
        self._blocks: dict[str, tuple[Samples | Distributions, Block]] = {}

    def block(self, item: Samples | Distributions) -> Block:
        """One family. ValueError where labels are not as many as the family has."""
        kept = self._blocks.get(item.family.name)
        if kept is None or kept[0] != item:
            kept = self._blocks[item.family.name] = item, _written(item)
        return kept[1]


class _One(Collector):
    """A registry of one family."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        """The family."""
        return (self._metric,)


def _written(item: Samples | Distributions) -> Block:
    metric = _histogram(item) if isinstance(item, Distributions) else _plain(item)
    text = generate_latest(_One(metric))
    head, opened = heads(item.family)
    if not text.startswith(head):
        raise ValueError(f"{item.family.name}: prometheus_client calls it otherwise")
    return Block(item.family.name, head, opened, text.removeprefix(head), len(metric.samples))


def _plain(item: Samples) -> Metric:
    family = item.family
    kind = CounterMetricFamily if family.type == COUNTER else GaugeMetricFamily
    metric: Metric = kind(family.name, family.help)
    for labels, value in apart(item.values):
        metric.add_sample(family.name, _named(family, labels), value)
    return metric


def _histogram(item: Distributions) -> Metric:
    family = item.family
    if family.type != HISTOGRAM:
        raise ValueError(f"{family.name} is no histogram")
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels, histogram in apart(item.values):
        buckets = list(zip(ends(item.bounds), accumulate(histogram.counts), strict=True))
        metric.add_metric(list(_named(family, labels).values()), buckets, histogram.total)
    return metric


def _named(family: Family, labels: Labels) -> dict[str, str]:
    return dict(zip(family.labels, labels, strict=True))
