"""The text of the page against prometheus_client, its reference."""

import math
from collections.abc import Callable, Iterable

import exposed
import numpy as np
import pytest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from exporter.collect import exposition
from exporter.collect.exposition import Distributions, Labels, Samples, Writer
from exporter.collect.labels import bounded
from exporter.collect.library import Library
from exporter.collect.rendered import OPEN_METRICS, TEXT, Rendered
from exporter.families import COUNTER, GAUGE, HISTOGRAM, Family
from exporter.snapshots import Histogram

AWKWARD = ('quote " backslash \\ newline \n', "ünïcode 日本", "", "lone \ud800 surrogate", "{}=,")
NUMBERS = (0, 1, -1, 0.1, 1e-300, 1e300, 123456789012, 2**53, 1 / 3, float("inf"), float("-inf"), True)


class _Given(Collector):
    def __init__(self, *families: Metric) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def test_awkward_labels_and_numbers_read_back_as_they_were() -> None:
    family = Family("model_x", GAUGE, ("model",), "Help with \\ and\nnewline.")
    values = [((label + str(i),), value) for i, value in enumerate(NUMBERS) for label in AWKWARD]
    text = exposed.render([Samples(family, values)]).decode()
    (parsed,) = text_string_to_metric_families(text)
    assert parsed.documentation == family.help
    assert parsed.type == "gauge"
    read = [(sample.labels["model"], sample.value) for sample in parsed.samples]
    assert read == [(bounded(label), float(value)) for (label,), value in values]


def test_nan_is_written_as_prometheus_does() -> None:
    text = exposed.render([Samples(Family("model_x", GAUGE, (), "X."), [((), math.nan)])]).decode()
    assert text.endswith("model_x NaN\n")


@pytest.mark.parametrize("wanted", [TEXT, OPEN_METRICS])
def test_the_page_equals_the_one_of_prometheus_client_in_either_format(wanted: str) -> None:
    theirs, parse = ORACLES[wanted]
    mine = b"".join(Rendered([Writer().block(item) for item in OURS]).pieces(wanted)).decode()
    assert _read(parse(mine)) == _read(parse(theirs(_registry()).decode()))


@pytest.mark.parametrize("item", [1, 2, 3, 4])
@pytest.mark.parametrize("wanted", [TEXT, OPEN_METRICS])
def test_what_prometheus_client_writes_of_a_family_is_the_same_as_well(item: int, wanted: str) -> None:
    _, parse = ORACLES[wanted]
    ours, theirs = (
        b"".join(Rendered([writer.block(OURS[item])]).pieces(wanted)).decode() for writer in (Writer(), Library())
    )
    assert _read(parse(ours)) == _read(parse(theirs)) != []


def _registry() -> Collector:
    gauge = GaugeMetricFamily("model_g", "G.", labels=["a", "b"])
    gauge.add_metric(["1", "2"], 0.25)
    share = GaugeMetricFamily("model_share_ratio", 'S "quoted" \\ and\nmore.', labels=["a"], unit="ratio")
    share.add_metric(['quote " backslash \\ newline \n'], 1 / 3)
    counter = CounterMetricFamily("model_c_seconds", "C.", labels=["a"], unit="seconds")
    counter.add_metric(["x"], 12345678)
    histogram = HistogramMetricFamily("model_h_seconds", "H.", labels=["a"], unit="seconds")
    histogram.add_metric(["x"], [("0.5", 1), ("1.0", 3), ("2e+06", 3), ("+Inf", 6)], 7.5)
    return _Given(gauge, share, counter, GaugeMetricFamily("model_none", "N."), histogram)


OURS: list[Samples | Distributions] = [
    Samples(Family("model_g", GAUGE, ("a", "b"), "G."), [(("1", "2"), 0.25)]),
    Samples(
        Family("model_share_ratio", GAUGE, ("a",), 'S "quoted" \\ and\nmore.'),
        [(('quote " backslash \\ newline \n',), 1 / 3)],
    ),
    Samples(Family("model_c_seconds_total", COUNTER, ("a",), "C."), [(("x",), 12345678)]),
    Samples(Family("model_none", GAUGE, (), "N."), []),
    Distributions(
        Family("model_h_seconds", HISTOGRAM, ("a",), "H."), (0.5, 1, 2e6), [(("x",), Histogram((1, 2, 0, 3), 7.5))]
    ),
]
ORACLES: dict[str, tuple[Callable[[Collector], bytes], Callable[[str], Iterable[Metric]]]] = {
    TEXT: (generate_latest, text_string_to_metric_families),
    OPEN_METRICS: (openmetrics.generate_latest, openmetrics_parser.text_string_to_metric_families),
}


@pytest.mark.parametrize("write", [Writer, Library])
def test_a_family_that_changes_from_page_to_page_is_never_an_old_one(write: Callable[[], Writer | Library]) -> None:
    family, kept = Family("model_x", GAUGE, ("a",), "X."), write()
    pages: list[list[tuple[Labels, float]]] = [
        [(("1",), 1), (("2",), 2)], [(("1",), 1), (("2",), 3)], [(("2",), 3)], [], [(("3",), 1), (("1",), 2)],
    ]  # fmt: skip
    for values in (*pages, *reversed(pages), *pages):
        item = Samples(family, values)
        assert kept.block(item) == write().block(item)


def test_truth_numpy_and_zero_below_nothing_are_numbers() -> None:
    values = [True, np.float64(0.5), np.int64(3), np.True_, -0.0, np.float64("nan"), 1e16]
    assert [exposition.number(value) for value in values] == ["1", "0.5", "3", "1", "0", "NaN", "1e+16"]


def _read(families: Iterable[Metric]) -> list[tuple[object, ...]]:
    return [
        (family.name, family.type, family.documentation, family.unit,
         [(sample.name, sample.labels, sample.value) for sample in family.samples])
        for family in families
    ]  # fmt: skip


@pytest.mark.parametrize("labels", ["a", "abcd", "abcde", "abcdef"])
def test_a_family_of_more_series_than_are_written_at_once_has_each_of_them_once(labels: str) -> None:
    values = [(tuple(f"{name}{at % 7 if name in 'ab' < labels else at}" for name in labels), at) for at in range(5000)]
    for _ in range(2):  # a page leaves nothing behind for the next one
        text = exposed.render([Samples(Family("model_x", GAUGE, tuple(labels), "X."), values)]).decode()
        (parsed,) = text_string_to_metric_families(text)
        assert [(tuple(one.labels.values()), one.value) for one in parsed.samples] == values


def test_a_value_for_labels_that_the_family_lacks_is_a_bug() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        exposed.render([Samples(Family("model_x", GAUGE, ("a",), "X."), [((), 1)])])
    for labels in ((), ("1", "2", "3", "4"), ("1", "2", "3", "4", "5", "6")):
        with pytest.raises(ValueError, match=r"shorter|longer"):
            exposed.render([Samples(Family("model_x", GAUGE, tuple("abcde"), "X."), [(labels, 1)])])
