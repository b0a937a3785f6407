"""A page with everything on it: what it exposes is known, complete, and as Prometheus wants it."""

import re
import subprocess

import pytest
from golden_scrape import DIRECTORY, assert_golden, settled
from prometheus_client.openmetrics import parser as open_metrics
from prometheus_client.parser import text_string_to_metric_families
from support import tool
from whole_page import whole_page

from exporter import __version__, catalogue
from exporter.collect import Renderer
from exporter.collect.rendered import OPEN_METRICS, TEXT
from exporter.collect.scene import Page

NOT_HERE = {
    "model_prediction_impact_ratio": "outputs have no importance",
    "model_prediction_importance_ratio": "outputs have no importance",
    "inference_exporter_dropped_series": "there is room for all of them",
}
NOT_HERE |= {one.name: "the process `fleet`" for one in catalogue.families() if "_fleet_" in one.name}
NOT_HERE |= {one.name: "made as it is asked for" for one in catalogue.families() if "_upstream_metrics_" in one.name}
NOT_HERE |= {one.name: "nobody sends copies of requests" for one in catalogue.families() if "_shadow_" in one.name}
NOT_HERE |= {
    f"model_performance_difference{end}": "one version alone has truths" for end in ("", "_lower", "_upper")
}  # fmt: skip
"""Families without a series on a page with everything on it, and why."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return whole_page(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def text(page: Page) -> str:
    return b"".join(Renderer().render(page).pieces(TEXT)).decode()


def test_what_is_exposed_is_what_somebody_has_seen(page: Page, text: str) -> None:
    names = {one.profile.short_digest: f"of {one.model}" for one in page.scenes if one.profile}
    text = re.sub(r'(python|compiled)="[^"]*"', r'\1="(any)"', text)
    assert_golden("metrics.txt", settled(text, names | {__version__: "(this one)"}))


@pytest.mark.parametrize(("before", "after"), [
    ("# HELP model_info ", "# HELP model_info Another. "), ("# TYPE model_info gauge", "# TYPE model_info counter"),
    ('auc"} 0.91', 'auc"} 0.92'), ('measure="auc"', 'measure="f1"'), ("} 1000\n", "} 1001\n"),
    ("# HELP model_rows_total", "model_new 1\n# HELP model_rows_total"),
])  # fmt: skip
def test_a_change_is_seen_and_told(monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> None:
    monkeypatch.delenv("GOLDEN", raising=False)
    text = (DIRECTORY / "metrics.txt").read_text()
    assert before in text
    with pytest.raises(AssertionError, match="make golden") as told:
        assert_golden("metrics.txt", text.replace(before, after, 1))
    assert len([line for line in str(told.value).splitlines() if line.startswith(("+", "-"))]) in {3, 4}


def test_what_is_only_rounded_otherwise_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOLDEN", raising=False)
    assert_golden("metrics.txt", (DIRECTORY / "metrics.txt").read_text().replace('auc"} 0.91', 'auc"} 0.910001', 1))


def test_every_family_has_series_on_it_or_a_reason_not_to(text: str) -> None:
    families = {one.name for one in catalogue.families()}
    shown = {
        one.name + "_total" * (one.type == "counter") for one in text_string_to_metric_families(text) if one.samples
    }
    assert shown <= families
    assert sorted(families - shown) == sorted(NOT_HERE), "see what is exposed, or say why not"


def test_series_have_the_labels_of_their_family(text: str) -> None:
    labels = {one.name: set(one.labels) for one in catalogue.families()}
    for family in text_string_to_metric_families(text):
        name = family.name + "_total" * (family.type == "counter")
        for sample in family.samples:
            assert set(sample.labels) - ({"le"} if family.type == "histogram" else set()) == labels[name]


def test_no_value_is_negative_infinite_or_no_number_unless_it_may_be(text: str) -> None:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            may_fall = any(word in family.name for word in ("zscore", "bin_change", "excess", "quantile", "difference"))
            assert may_fall or sample.value >= 0, sample
            assert abs(sample.value) < float("inf"), sample


def test_promtool_has_nothing_to_say_of_it(text: str) -> None:
    promtool = tool("promtool", "prometheus")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_as_openmetrics_it_is_read_by_the_reference_reader_and_says_the_same(page: Page, text: str) -> None:
    """Which refuses names that clash, a unit that no name ends in, and what does not stand together."""
    opened = b"".join(Renderer().render(page).pieces(OPEN_METRICS)).decode()
    families = list(open_metrics.text_string_to_metric_families(opened))
    plain = list(text_string_to_metric_families(text))
    assert [(one.name, one.type, one.documentation) for one in families] == [
        (one.name, one.type, one.documentation) for one in plain
    ]
    assert [sample[:3] for one in families for sample in one.samples] == [
        sample[:3] for one in plain for sample in one.samples
    ]
    units = {one.base: one.unit for one in catalogue.families()}
    assert {one.name: one.unit for one in families} == {one.name: units[one.name] for one in families}
