"""Parts of the traffic that a model serves worse, on /metrics and on the status page."""

import re
from dataclasses import replace
from typing import Any

from exposed import render
from prometheus_client.parser import text_string_to_metric_families
from shown_truths import performed

from exporter import web
from exporter.collect import slices
from exporter.collect.rendered import Rendered
from exporter.performed import Performed, Searched, WorstSegment
from exporter.records import Label
from exporter.snapshots import Snapshot
from exporter.web import worst
from exporter.web.windows import Scored

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


def cells(*told: Searched | None) -> list[list[str]]:
    """The rows of the table on the status page."""
    app = web.create_app(lambda: Rendered([]), lambda: ["m"])
    profile: Any = None
    models = [Scored(Label("m", "1"), profile, Scene(one).snapshot) for one in told]
    worst.add(app, lambda: models)
    text = app.test_client().get("/").get_data(as_text=True)
    table = text.partition("Whom a model serves worse")[2]
    return [re.findall("<td>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", table)[1:]]


def test_the_status_page_says_of_each_in_a_sentence_how_often_it_is_wrong_there_and_elsewhere() -> None:
    first, second = cells(NOBODY, Searched(51, PARTS, 6.2, 1.5), None)
    assert first == [
        "m", "1", "country=DE, age 18 to 30: wrong 38.0% of 1,214 answers, all others 19.0%", "2020-09-13 12:26 UTC",
        "12.5 of 6.2 nats",
    ]  # fmt: skip
    assert second[2] == "tariff=&quot;&lt;old>&quot;: wrong 80.0% of 40 answers, all others 20.0%"


def test_there_is_no_table_where_nobody_is_named() -> None:
    assert cells(NOBODY, None) == []
