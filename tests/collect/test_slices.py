"""Parts of the traffic that a model serves worse, on /metrics and on the status page."""

from dataclasses import replace
from typing import Any

from exposed import render
from prometheus_client.parser import text_string_to_metric_families
from shown_truths import performed

from exporter.collect import slices
from exporter.performed import Performed, Searched, WorstSegment
from exporter.snapshots import Snapshot

PARTS = (
    WorstSegment("country=DE, age 18 to 30", 1_600_000_000.0, 1214, 0.38, 30_000, 0.19, 12.5),
    WorstSegment('tariff="<old>"', 1_600_000_060.0, 40, 0.8, 30_100, 0.2, 8.25),
)
NOBODY = Searched(51, (), 6.9, 1.5)


class Scene:
    """Of one model, as far as it is looked at here."""

    labels, profiled = ("m", "1"), ("m", "1", "p")

    def __init__(self, told: Searched | None) -> None:
        counts: Any = (None, None, None)
        found: Performed = performed("binary", ("no", "yes"))
        self.snapshot = replace(Snapshot(*counts), performed=found._replace(searched=told))


def shown(told: Searched | None) -> dict[str, dict[str, float]]:
    """Numbers by family and segment."""
    text = render(slices.collect(Scene(told))).decode()  # type: ignore[arg-type]
    return {
        family.name: {sample.labels.get("segment", ""): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text)
    }


def test_every_part_that_is_named_has_its_numbers() -> None:
    found = shown(Searched(51, PARTS, 6.2, 1.5))
    for name, numbers in (
        ("error_ratio", (0.38, 0.8)), ("others_error_ratio", (0.19, 0.2)), ("truths", (1214, 40)),
        ("evidence_nats", (12.5, 8.25)), ("onset_timestamp_seconds", (1_600_000_000, 1_600_000_060)),
    ):  # fmt: skip
        assert found[f"model_worst_segment_{name}"] == dict(zip((one.text for one in PARTS), numbers, strict=True))


def test_where_none_is_there_is_what_is_searched_alone_and_nothing_without_a_search() -> None:
    assert shown(NOBODY) == {
        "model_segment_search_cells": {"": 51}, "model_segment_search_threshold_nats": {"": 6.9},
        "model_segment_search_dependence_factor": {"": 1.5},
    }  # fmt: skip
    assert shown(None) == {}
