"""Labels' values, whatever they are of: bounded, read back by prometheus_client, and never a series twice."""

import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

from exporter.collect.exposition import Distributions, Samples
from exporter.collect.labels import LONGEST, bounded, is_altered
from exporter.collect.rendered import OPEN_METRICS, TEXT, Rendered
from exporter.collect.writing import Writing
from exporter.families import GAUGE, HISTOGRAM, Family
from exporter.snapshots import Histogram

PARSERS = {
    TEXT: text_string_to_metric_families,
    OPEN_METRICS: openmetrics_parser.text_string_to_metric_families,
}
BY_MODEL = Family("model_x", GAUGE, ("model", "model_version", "profile", "feature", "text"), "X.")
BY_NOTHING = Family("inference_exporter_x", GAUGE, ("code", "a", "b", "c", "text"), "X.")
SPREAD = Family("model_x_seconds", HISTOGRAM, ("model", "text"), "X.")
SPREAD_ALONE = Family("inference_exporter_x_seconds", HISTOGRAM, ("a", "text"), "X.")
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=2 * LONGEST)
"""Halves of surrogate pairs and what nobody has assigned are among it."""
NASTY = st.one_of(
    ANYTHING,
    st.sampled_from(["", "\0", "\ud800", "\udfff\ud800", "a\u2028b", "\u202eevil", "\r\n", "\\", "\\n", '"', "\x85",
                     "{}=,",
                     "…", "\ufffd", "…0123456789abcdef", "x" * LONGEST, "x" * (LONGEST + 1), "é" * 500]),
    st.text("\0\x01\ufffd", max_size=3),
    st.text("\0x", min_size=LONGEST - 20, max_size=LONGEST + 20),
    ANYTHING.map(bounded), ANYTHING.map(bounded).map(bounded),
)  # fmt: skip


def read(family: Family, sets: Sequence[tuple[str, ...]], wanted: str) -> list[tuple[str, ...]]:
    """Labels as they come back from a page that has a series for each set; `le` is left out."""
    item: Samples | Distributions = Samples(family, [(of, at) for at, of in enumerate(sets)])
    if family.type == HISTOGRAM:
        item = Distributions(family, (1.0,), [(of, Histogram((1, at), 2.0)) for at, of in enumerate(sets)])
    text = b"".join(Rendered([Writing().block(item)]).pieces(wanted)).decode("utf-8", "strict")
    series = [sample for found in PARSERS[wanted](text) for sample in found.samples]
    whole = [(sample.name, *sample.labels.items()) for sample in series]
    assert len(whole) == len(set(whole)), "a series stands there twice"
    return [tuple(sample.labels[name] for name in family.labels) for sample in series]


@given(NASTY)
def test_a_value_is_bounded_and_nothing_obeys_it(value: str) -> None:
    found = bounded(value)
    assert len(found) <= LONGEST
    assert found.encode("utf-8", "strict").decode() == found
    refused = {unicodedata.category(one) for one in found if one != "\n"} & {"Cc", "Cs", "Zl", "Zp"}
    assert not refused
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert turning.isdisjoint(map(unicodedata.bidirectional, found))


@given(st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="…"), max_size=LONGEST))
def test_what_is_short_and_can_be_shown_stays_as_it_is(value: str) -> None:
    assert bounded(value) == value


@given(NASTY, NASTY)
def test_two_values_stay_two(one: str, other: str) -> None:
    assert (bounded(one) == bounded(other)) == (one == other)


@pytest.mark.parametrize("value", ["a\0", "x" * 500, bounded("x" * 500)])
def test_what_is_altered_says_so(value: str) -> None:
    assert is_altered(bounded(value))
    assert bounded(value) != value


@pytest.mark.parametrize("wanted", [TEXT, OPEN_METRICS])
@pytest.mark.parametrize("family", [BY_MODEL, BY_NOTHING, SPREAD, SPREAD_ALONE], ids=lambda one: str(one.name))
@settings(max_examples=40)
@given(st.data())
def test_labels_come_back_bounded_and_each_series_once(family: Family, wanted: str, data: st.DataObject) -> None:
    sets = data.draw(st.lists(st.tuples(*[NASTY] * len(family.labels)), max_size=5))
    found = read(family, [*sets, *sets[:2]], wanted)
    assert set(found) == {tuple(map(bounded, of)) for of in sets}


@pytest.mark.parametrize("wanted", [TEXT, OPEN_METRICS])
@pytest.mark.parametrize("family", [BY_MODEL, BY_NOTHING, SPREAD, SPREAD_ALONE], ids=lambda one: str(one.name))
def test_names_that_are_alike_once_they_are_bounded_make_one_series(
    family: Family, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("exposition", "labels"):  # a digest of nothing: as if somebody had found two with the same
        monkeypatch.setattr(f"exporter.collect.{module}.bounded", lambda value: value[:4])
    rest = ("y",) * (len(family.labels) - 1)
    found = read(family, [("abcd1", *rest), ("abce", *rest), ("abcd2", *rest)], wanted)
    assert list(dict.fromkeys(found)) == [("abcd", *rest), ("abce", *rest)]
