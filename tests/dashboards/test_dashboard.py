"""The dashboard is the generated one, asks only for what exists, in queries that parse, and is laid out cleanly."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql
import pytest
import yaml
from support import tool

ROOT = Path(__file__).parents[2]
FILE = ROOT / "dashboards" / "model-health.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text())
ROWS = [panel for panel in DASHBOARD["panels"] if panel["type"] == "row"]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
STAND_INS = {"$__rate_interval": "5m", "$window": "1h", "$model": "churn", "$version": "7", "$feature": "amount"}
UNITS = {"none", "short", "percentunit", "s", "bytes", "reqps", "ops"}
LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


def variables() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = DASHBOARD["templating"]["list"]
    return listed


def queries() -> Iterator[tuple[str, str]]:
    """Where it stands and the query, with variables replaced by what they may be."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield f"{panel['title']}, {target['refId']}", substituted(target["expr"])
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], substituted(annotation["expr"])


def substituted(text: str) -> str:
    for name, value in STAND_INS.items():
        text = text.replace(name, value)
    assert "$" not in text
    return text


def test_the_file_is_what_the_script_makes() -> None:
    command = [sys.executable, str(ROOT / "dashboards" / "build.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_every_query_names_only_series_and_labels_that_exist() -> None:
    found = dict(queries())
    assert len(found) > 40
    for place, expr in found.items():
        assert promql.unknown(expr) == set(), place


def test_no_query_asks_for_what_cannot_be() -> None:
    """Labels that a side of a match lacks, or that nothing has which is grouped by them."""
    for place, expr in queries():
        inference = promql.Inference(promql.known())
        inference.labels(promql.parse(expr))
        assert inference.faults == [], place


def test_every_query_parses(tmp_path: Path) -> None:
    rules = [{"record": f"query:{place}", "expr": expr} for place, (_, expr) in enumerate(queries())]
    path = tmp_path / "queries.rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    command = [tool("promtool", "prometheus"), "check", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_counters_are_only_read_as_rates() -> None:
    for place, expr in queries():
        for counter in re.findall(r"(?:\w+\()?\w+_(?:total|bucket)\b", expr):
            assert counter.startswith(("rate(", "increase(")), place


def test_variables_are_defined_used_and_filled_from_series_that_exist() -> None:
    names = [variable["name"] for variable in variables()]
    assert names == ["datasource", "model", "version", "feature", "window"]
    text = FILE.read_text()
    for name in re.findall(r"\$\{?(\w+)", text):
        assert name in names or name.startswith("__")
    for variable in variables()[1:]:
        assert f"${variable['name']}" in text
        series, label = LABEL_VALUES.fullmatch(variable["query"]["query"]).groups()  # type: ignore[union-attr]
        assert promql.unknown(substituted(series)) == set()
        assert label in promql.series()[series.partition("{")[0]]


def test_legends_and_columns_name_labels_that_the_query_keeps() -> None:
    known = set().union(*promql.series().values())
    for panel in PANELS:
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
                grouped = re.findall(r"(?:sum|max|min) by \(([^)]*)\)", target["expr"])
                assert label in known
                assert not grouped or any(label in listed.split(", ") for listed in grouped), panel["title"]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    references = [target["refId"] for target in panel["targets"]]
    assert references
    assert len(set(references)) == len(references)


def test_ids_and_titles_are_unique_and_panels_neither_overlap_nor_leave_the_grid() -> None:
    everything = DASHBOARD["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    assert len({panel["title"] for panel in everything}) == len(everything)
    taken: dict[tuple[int, int], str] = {}
    for panel in everything:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])):  # fmt: skip
            assert taken.setdefault(cell, panel["title"]) == panel["title"]
    assert len(taken) == 24 * (1 + max(y for _, y in taken)), "no gaps either"


def test_it_is_a_classic_dashboard_that_can_be_provisioned() -> None:
    assert DASHBOARD["schemaVersion"] == 39
    assert DASHBOARD["uid"] == "model-health"
    assert DASHBOARD["editable"] is False
    assert "id" not in DASHBOARD
    assert [row["title"] for row in ROWS] == [
        "Now", "Evidence", "Drift", "Parts and rows", "Data quality", "Coverage", "Failures", "Predictions",
        "Traffic and resources", "The exporter itself",
    ]  # fmt: skip
    assert len(FILE.read_bytes()) < 200_000
