"""What is said twice is the same: catalogue, documents, statistics. And every family is as Prometheus wants it."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from exporter import catalogue, config, listing, questions
from exporter.catalogue import COUNTER, GAUGE, HISTOGRAM
from exporter.drift import STATISTICS
from exporter.families import FLEET, MODEL, PROFILED, UNITS, Family
from exporter.reference import QUALITY
from exporter.snapshots import IMPACT

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted({*(ROOT / "docs").glob("*.md")} - {ROOT / "docs" / "feedback-stores.md"})]
"""Without the one that has keys and tables of stores."""
FAMILIES = catalogue.families()
NAMES = {family.name for family in FAMILIES}
MADE_BY_PROMETHEUS = {"job", "instance", "le", "quantile"}
NAMED = re.compile(r"(?<![:\w])((?:model|inference_exporter)_[a-z0-9_]+)\b(?!:)(?:\{([a-z_,]*)\})?")
"""Metrics in a document; with a colon beside them they are names of recorded ones."""
OTHERS = {"model_version", "model_check", "model_health"}
"""A label, and names of dashboards and settings of rules."""
TARGETS = {"cluster", "namespace", "pod", "container", "service", "endpoint", "node", "env", "region", "zone", "type"}
"""Labels that service discovery gives to targets: ours of the same name would be renamed `exported_`."""


def of_fleets(family: Family) -> bool:
    return family.name.startswith("model_fleet_")


def of_models(family: Family) -> bool:
    return family.name.startswith("model_") and not of_fleets(family)


def of_truth(family: Family) -> bool:
    """Whether it is of predictions and truths alone, or of values: what training was like has no part in it."""
    held_against_training = ("model_performance_estimated_",)
    return (
        family.name.startswith(("model_performance_", "model_business_value_"))
        and not family.name.startswith(held_against_training)
        and not family.name.endswith("_training")
    )


# --- names


def test_names_are_said_once_and_follow_the_conventions() -> None:
    assert len(NAMES) == len(FAMILIES)
    for family in FAMILIES:
        assert re.fullmatch(r"(model|inference_exporter)(_[a-z0-9]+)+", family.name)
        assert family.type in {COUNTER, GAUGE, HISTOGRAM}
        assert family.name.endswith("_total") == (family.type == COUNTER)
        assert not family.name.endswith(("_bucket", "_sum", "_count", "_created", "_gcount", "_gsum"))


def test_no_name_is_that_of_another_ones_series_in_either_format() -> None:
    """OpenMetrics calls a counter without `_total`, and some readers add `_created` or `_info` to what they read."""
    series = Counter(
        f"{family.base}{suffix}"
        for family in FAMILIES
        for suffix in ("", "_total", "_created", "_bucket", "_sum", "_count")
        if suffix != "_total" or family.type == COUNTER
    )
    assert [name for name, times in series.items() if times > 1] == []


@pytest.mark.parametrize(("name", "kind", "unit"), [
    ("model_server_cpu_seconds_total", COUNTER, "seconds"), ("model_drift_evidence_nats", GAUGE, "nats"),
    ("model_last_request_timestamp_seconds", GAUGE, "seconds"), ("model_request_size_bytes", HISTOGRAM, "bytes"),
    ("model_feature_missing_ratio", GAUGE, "ratio"), ("model_feature_missing_ratio_critical", GAUGE, ""),
    ("model_rows_total", COUNTER, ""), ("model_info", GAUGE, ""), ("seconds", GAUGE, "seconds"),
    ("model_bytes_total", GAUGE, ""),
])  # fmt: skip
def test_a_unit_is_what_a_name_ends_in(name: str, kind: str, unit: str) -> None:
    assert Family(name, kind, (), "").unit == unit


def test_every_name_that_has_a_unit_ends_in_it_and_only_in_base_units() -> None:
    """OpenMetrics demands the first, Prometheus the second; `_critical` stands behind the unit of what it is of."""
    elsewhere = re.compile(
        r"_(?:milli\w*|micro\w*|nano\w*|kilo\w*|mega\w*|giga\w*|percent|minutes?|hours?|days?|second|[kmg]i?b)(?:_|$)"
    )
    for family in FAMILIES:
        assert not elsewhere.search(family.name), family.name
        words = family.base.removesuffix("_critical").split("_")
        assert not set(words[:-1]) & {"seconds", "bytes", "nats"}, f"{family.name}: a unit in the middle"
        assert family.base.endswith(f"_{family.unit}") or not family.unit
        if family.name.endswith("_info"):
            assert (family.unit, family.type) == ("", GAUGE)
        if "timestamp" in family.name:
            assert family.unit == "seconds"
            assert family.help.startswith("Unix time"), "never how long ago"
    assert {family.unit for family in FAMILIES} == {*UNITS, ""}


# --- labels


def test_labels_are_none_that_prometheus_or_its_targets_have() -> None:
    for family in FAMILIES:
        for label in family.labels:
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", label), "two underscores at the beginning are Prometheus' own"
            assert not label.startswith(("exported_", "meta_", "param_"))
        assert len(set(family.labels)) == len(family.labels)
        theirs = set(FLEET) if of_fleets(family) else set()  # scraped with honor_labels
        assert not ((MADE_BY_PROMETHEUS | TARGETS) - theirs) & set(family.labels), family.name


def test_every_series_of_a_model_begins_with_model_and_version_and_with_the_profile_where_it_depends_on_one() -> None:
    for family in FAMILIES:
        before = FLEET if of_fleets(family) else ()
        if family.name.startswith("model_"):
            assert family.labels[: len(before) + 2] == (*before, *MODEL), family.name
        if "profile" in family.labels:
            assert family.labels[: len(before) + 3] == (*before, *PROFILED), family.name
        if of_truth(family):
            assert "profile" not in family.labels, f"{family.name}: goes on under another profile"
        elif set(family.labels) & {"feature", "output", "segment", "bin", "window"}:
            assert "profile" in family.labels, f"{family.name}: another profile would go on with its series"


def test_nothing_else_is_on_every_series() -> None:
    models = [set(family.labels) for family in FAMILIES if of_models(family)]
    assert set.intersection(*models) == set(MODEL)
    assert set.intersection(*(labels for labels in models if "profile" in labels)) == set(PROFILED)
    own = [family for family in FAMILIES if family.name.startswith("inference_exporter_")]
    assert set.intersection(*(set(family.labels) for family in own)) == set()
    assert [family.name for family in own if "model" in family.labels] == ["inference_exporter_provisional_rows"]


# --- help


def test_a_help_is_a_sentence_that_needs_no_other_ones_beside_it() -> None:
    leaning = re.compile(r"^(The same|Those|These|Of these|That|What (that|it|must)|How many of them|It |Its? )")
    for family in FAMILIES:
        assert family.help.endswith("."), family.name
        assert family.help[0].isupper() or family.help.startswith(("1; ", "0 ")), family.name
        assert not leaning.search(family.help), f"{family.name}: {family.help}"
        assert "\n" not in family.help
        assert len(family.help) > 25, f"{family.name} says neither rule nor origin: {family.help}"
        if family.name.endswith("_info"):
            assert family.help.startswith("1; "), "what else it could be"


def test_metrics_and_settings_that_a_help_names_exist() -> None:
    keys = {key.name for key in config.every_key()}
    sections = {key.partition(".")[0] for key in keys if "." in key}
    for family in FAMILIES:
        named = set(re.findall(r"\b(?:model|inference_exporter)_[a-z0-9_]+\b(?!\*)", family.help)) - {"model_version"}
        assert named <= NAMES, family.name
        for section, key in re.findall(r"\b([a-z_]+)\.([a-z_]+)\b", family.help):
            assert section not in sections or f"{section}.{key}" in keys, f"{family.name}: {section}.{key}"


# --- questions


def test_every_family_answers_one_question() -> None:
    answers = Counter(
        family.name for section in questions.SECTIONS for one in section.questions for family in one.answers
    )
    assert sorted(answers) == sorted(NAMES), "say in exporter/questions.py what it answers"
    assert [name for name, times in answers.items() if times > 1] == []


def test_questions_are_short_and_asked_once_in_a_section() -> None:
    for section in questions.SECTIONS:
        texts = [one.text for one in section.questions]
        assert len(set(texts)) == len(texts)
        for text in texts:
            assert re.fullmatch(r"[A-Z][^?.!]*\?", text)
            assert len(text) <= 80, text
    titles = [section.title for section in questions.SECTIONS]
    assert len(set(titles)) == len(titles)


def test_features_and_outputs_are_asked_alike() -> None:
    asked = [
        [(one.text, len(one.answers)) for section in questions.SECTIONS if section.title.startswith(side)
         for one in section.questions]
        for side in ("Features", "Outputs")
    ]  # fmt: skip
    of_features = [(text.replace("feature", "output"), count) for text, count in asked[0]]
    assert [one for one in of_features if one in asked[1]] == asked[1]


# --- documents


def test_every_statistic_and_every_quality_has_its_families_on_both_sides() -> None:
    for columns in (catalogue.FEATURES, catalogue.OUTPUTS):
        assert list(columns.statistics) == [*STATISTICS, IMPACT]
        judged = {name for name, statistic in STATISTICS.items() if statistic.critical}
        assert set(columns.critical) == judged | {f"{name}_ratio" for name in QUALITY}
        assert tuple(columns.quality_values) == tuple(columns.quality_ratios) == QUALITY


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_documents_name_only_metrics_and_labels_that_exist(page: Path) -> None:
    known = {family.name: set(family.labels) for family in FAMILIES}
    for name, labels in NAMED.findall(page.read_text()):
        family = name.removesuffix("_bucket")
        assert name in OTHERS or any(one.startswith(family) for one in known), name
        assert set(filter(None, labels.split(","))) <= known.get(family, set())


def test_the_documented_catalogue_is_the_printed_one() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == f"{listing.markdown()}\n", "run: make docs"


def test_the_documents_have_the_catalogues_excerpt() -> None:
    page = (ROOT / "docs" / "where-to-look.md").read_text()
    assert f"make docs -->\n{listing.excerpt()}\n<!-- end" in page, "run: make docs"


def test_each_family_has_one_row_with_all_there_is_to_say() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w*) \| ([\w, ]*) \| (.*) \|$", listing.markdown(), re.MULTILINE)
    found = {
        name: (kind, unit, tuple(filter(None, labels.split(", "))), text) for name, kind, unit, labels, text in rows
    }
    assert len(rows) == len(found)
    assert found == {one.name: (one.type, one.unit, one.labels, one.help.replace("|", "\\|")) for one in FAMILIES}


def test_links_of_the_contents_lead_to_headings() -> None:
    text = listing.markdown()
    headings = {
        re.sub(r"[^\w\- ]", "", line.removeprefix("## ").lower()).replace(" ", "-")
        for line in text.splitlines() if line.startswith("## ")
    }  # fmt: skip
    links = set(re.findall(r"^\* \[.*\]\(#(.*)\)$", text, re.MULTILINE))
    assert links == headings


def test_programs_get_the_same_as_people() -> None:
    found = json.loads(listing.as_json())
    assert {one["name"] for one in found} == NAMES
    assert all(set(one) == {"name", "type", "unit", "labels", "help", "section", "question"} for one in found)
    families = {family.name: family for family in FAMILIES}
    for one in found:
        family = families[one["name"]]
        assert (one["type"], one["unit"], tuple(one["labels"]), one["help"]) == (
            family.type, family.unit, family.labels, family.help,
        )  # fmt: skip
        assert f"### {one['question']}\n" in listing.markdown()
