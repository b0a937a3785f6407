"""The text of the page against prometheus_client, its reference."""

import math

import pytest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from exporter.collect import exposition
from exporter.collect.exposition import Distributions, Samples
from exporter.families import COUNTER, GAUGE, HISTOGRAM, Family
from exporter.snapshots import Histogram

AWKWARD = ('quote " backslash \\ newline \n', "ünïcode 日本", "", "lone \ud800 surrogate", "{}=,")
NUMBERS = (0, 1, -1, 0.1, 1e-300, 1e300, 123456789012, 2**53, 1 / 3, float("inf"), float("-inf"), True)


class _Given:
    def __init__(self, *families: object) -> None:
        self._families = families

    def collect(self) -> tuple[object, ...]:
        return self._families


def test_awkward_labels_and_numbers_read_back_as_they_were() -> None:
    family = Family("model_x", GAUGE, ("model",), "Help with \\ and\nnewline.")
    values = [((label + str(i),), value) for i, value in enumerate(NUMBERS) for label in AWKWARD]
    text = exposition.render([Samples(family, values)]).decode()
    (parsed,) = text_string_to_metric_families(text)
    assert parsed.documentation == family.help
    assert parsed.type == "gauge"
    read = [(sample.labels["model"], sample.value) for sample in parsed.samples]
    assert read == [(label.encode("utf-8", "replace").decode(), float(value)) for (label,), value in values]


def test_nan_is_written_as_prometheus_does() -> None:
    text = exposition.render([Samples(Family("model_x", GAUGE, (), "X."), [((), math.nan)])]).decode()
    assert text.endswith("model_x NaN\n")


def test_the_page_equals_the_one_of_prometheus_client() -> None:
    gauge = GaugeMetricFamily("model_g", "G.", labels=["a", "b"])
    gauge.add_metric(["1", "2"], 0.25)
    counter = CounterMetricFamily("model_c", "C.", labels=["a"])
    counter.add_metric(["x"], 12345678)
    histogram = HistogramMetricFamily("model_h_seconds", "H.", labels=["a"])
    histogram.add_metric(["x"], [("0.5", 1), ("1.0", 3), ("+Inf", 6)], 7.5)
    registry = CollectorRegistry()
    registry.register(_Given(gauge, counter, histogram))
    ours = exposition.render(
        [
            Samples(Family("model_g", GAUGE, ("a", "b"), "G."), [(("1", "2"), 0.25)]),
            Samples(Family("model_c_total", COUNTER, ("a",), "C."), [(("x",), 12345678)]),
            Distributions(
                Family("model_h_seconds", HISTOGRAM, ("a",), "H."), (0.5, 1), [(("x",), Histogram((1, 2, 3), 7.5))]
            ),
        ]
    )
    theirs, mine = (_read(text.decode()) for text in (generate_latest(registry), ours))
    assert sorted(mine, key=repr) == sorted(theirs, key=repr)


def _read(text: str) -> list[tuple[object, ...]]:
    families = text_string_to_metric_families(text)
    return [
        (family.name, family.type, sample.name, _labels(sample.labels), sample.value)
        for family in families for sample in family.samples
    ]  # fmt: skip


def _labels(labels: dict[str, str]) -> list[tuple[str, str | float]]:
    return sorted((key, float(value) if key == "le" else value) for key, value in labels.items())


@pytest.mark.parametrize("labels", ["a", "abcd", "abcde", "abcdef"])
def test_a_family_of_more_series_than_are_written_at_once_has_each_of_them_once(labels: str) -> None:
    values = [(tuple(f"{name}{at % 7 if name in 'ab' else at}" for name in labels), at) for at in range(5000)]
    for _ in range(2):  # a page leaves nothing behind for the next one
        text = exposition.render([Samples(Family("model_x", GAUGE, tuple(labels), "X."), values)]).decode()
        (parsed,) = text_string_to_metric_families(text)
        assert [(tuple(one.labels.values()), one.value) for one in parsed.samples] == values


def test_a_value_for_labels_that_the_family_lacks_is_a_bug() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        exposition.render([Samples(Family("model_x", GAUGE, ("a",), "X."), [((), 1)])])
    for labels in ((), ("1", "2", "3", "4"), ("1", "2", "3", "4", "5", "6")):
        with pytest.raises(ValueError, match=r"shorter|longer"):
            exposition.render([Samples(Family("model_x", GAUGE, tuple("abcde"), "X."), [(labels, 1)])])
