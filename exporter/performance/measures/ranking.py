"""How good an order was: whether anything relevant was among the first k, and how high what was relevant stood."""

from collections.abc import Iterator

from exporter.performance.intervals import bounded, even_rows, share
from exporter.performance.measures.case import Case
from exporter.performed import Measure


def hit_rate(case: Case) -> Iterator[Measure]:
    """The share of rows with anything relevant among the first k. Interval: Wilson 1927."""
    if case.sums.ranked is not None:
        value, interval = share(case.sums.ranked.hits, case.sums.ranked.all, case.dependence)
        yield Measure("hit_rate", value, *interval)


def ndcg(case: Case) -> Iterator[Measure]:
    """Normalised discounted cumulative gain of the first k, as in scikit-learn."""
    if case.sums.ranked is not None:
        mean = case.sums.ranked.ndcg
        rows = even_rows(case.sums.ranked.all) / case.dependence
        yield Measure("ndcg", mean.value, *bounded(mean.value, case.widened(mean), rows))
