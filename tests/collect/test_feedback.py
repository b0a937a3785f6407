"""What is shown of how truth comes: every count under its name."""

from dataclasses import fields, replace
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from whole_health import health

from exporter import catalogue
from exporter.collect import feedback
from exporter.collect.exposition import Samples
from exporter.collect.library import Library
from exporter.collect.rendered import TEXT, Rendered
from exporter.collect.scene import Page
from exporter.condition import EventCounts, FeedbackCounts

ITSELF = health(EventCounts(0, {}, {}, 0), 1.0)


def shown(counts: FeedbackCounts | None) -> dict[str, dict[tuple[str, ...], float]]:
    items: list[Any] = [*feedback.collect(Page((), replace(ITSELF, feedback=counts)))]
    assert all(isinstance(item, Samples) for item in items)
    library = Library()
    text = b"".join(Rendered([library.block(item) for item in items]).pieces(TEXT)).decode()
    return {
        sample.name: {tuple(one.labels.values()): one.value for one in family.samples}
        for family in text_string_to_metric_families(text) for sample in family.samples
    }  # fmt: skip


def test_every_count_is_shown_once() -> None:
    counts = ITSELF.feedback
    assert counts
    found = shown(counts)
    assert {*found} == {family.name for family in catalogue.FEEDBACK}
    numbers = [value for series in found.values() for value in series.values()]
    said = [getattr(counts, field.name) for field in fields(counts)]
    told = [one for value in said for one in (value.values() if isinstance(value, dict) else [value])]
    assert sorted(numbers) == sorted(1 if one == "sqlite" else int(one) for one in told)
    assert found["inference_exporter_feedback_truths_total"]["conflicting",] == counts.told["conflicting"]
    assert found["inference_exporter_feedback_store_predictions"] == {
        ("open",): counts.open, ("joined",): counts.joined
    }  # fmt: skip


def test_where_no_truth_is_taken_nothing_is_shown_and_a_size_that_nobody_knows_is_left_out() -> None:
    assert shown(None) == {}
    counts = ITSELF.feedback
    assert counts
    assert "inference_exporter_feedback_store_bytes" not in shown(replace(counts, bytes=0))
