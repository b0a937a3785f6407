"""A panel of each kind is drawn, from a real Prometheus, by a real browser: its words are those that its JSON makes."""

import json
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import browser
import pytest
from monitoring import recorded
from shipped_boards import ROOT

Json = dict[str, Any]
RENDER = ROOT / "dashboards" / "render" / "render.py"
PAGE = ROOT / "build" / "render" / "index.html"
pytestmark = [
    pytest.mark.skipif(not PAGE.is_file(), reason="the page that draws is not made: make dashboards-render"),
    pytest.mark.skipif(not any(map(shutil.which, browser.NAMES)), reason="no browser: install chromium"),
]
END = 60 * (int(time.time()) // 60)
WORDS = {"mappings": [{"type": "value", "options": {"1": {"text": "Act", "color": "red"}, "0": {"text": "Healthy"}}}]}


def history() -> str:
    families: dict[str, Mapping[str, Any]] = {
        "moved": {'{feature="amount"}': lambda _: 0.07, '{feature="age"}': lambda _: 0.004},
        "verdict": {'{model="churn"}': lambda minute: int(minute > 30)},
        "bin": {f'{{bin="{place}",text="{text}"}}': lambda _, place=place: 0.2 + 0.1 * place
                for place, text in enumerate(("below 5", "5 to 9", "missing"))},
        "heat": {f'{{le="{bound}"}}': lambda minute, place=place: minute * (place + 1)
                 for place, bound in enumerate(("0.005", "0.5", "+Inf"))},
    }  # fmt: skip
    lines = []
    for name, series in families.items():
        lines.append(f"# TYPE {name} gauge")
        for labels, value in series.items():
            lines += [f"{name}{labels} {value(minute)} {END - 3600 + 60 * minute}" for minute in range(61)]
    return "\n".join([*lines, "# EOF\n"])


def panel(number: int, kind: str, expr: str = "", **more: Any) -> Json:
    """Two beside each other."""
    target = {"refId": "A", "expr": expr, "format": "time_series", "instant": False, "legendFormat": "{{feature}}"}
    return {
        "id": number, "type": kind, "title": f"Panel of {kind}", "description": "What it shows.", "options": {},
        "gridPos": {"x": 12 * (number % 2), "y": number // 2 * 6, "w": 12, "h": 6},
        "targets": [target | more.pop("target", {})] if expr else [],
        "fieldConfig": {"defaults": more.pop("field", {}), "overrides": more.pop("overrides", [])}, **more,
    }  # fmt: skip


SHARE = {"unit": "percentunit", "noValue": "not enough data"}
LEGEND = {"legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}}
REDUCED = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
TABLE = {"format": "table", "instant": True}
RENAMED = {"matcher": {"id": "byName", "options": "Value"},
           "properties": [{"id": "displayName", "value": "how much moved"}]}  # fmt: skip
ORGANIZED = {"id": "organize", "options": {"excludeByName": {"Time": True, "__name__": True}}}
GAUGES = {"reduceOptions": {"calcs": [], "fields": "", "values": True}, "orientation": "horizontal",
          "displayMode": "basic", "valueMode": "text"}  # fmt: skip
STAT = REDUCED | {"textMode": "auto", "colorMode": "value"}
OF_MODEL = {"field": WORDS, "target": {"legendFormat": "{{model}}"}}
PANELS = [
    panel(0, "stat", 'moved{feature="amount"}', field=SHARE, options=STAT),
    panel(1, "stat", "nothing", field=SHARE, options=STAT),
    panel(2, "timeseries", "moved", field=SHARE, options=LEGEND),
    panel(3, "timeseries", "nothing", field=SHARE, options=LEGEND),
    panel(4, "table", "moved", field=SHARE, target=TABLE, overrides=[RENAMED], transformations=[ORGANIZED],
          options={"sortBy": [{"displayName": "how much moved", "desc": True}]}),
    panel(5, "barchart", "bin", field=SHARE, target=TABLE,
          options=LEGEND | {"xField": "text", "xTickLabelRotation": -45}),
    panel(6, "bargauge", "moved", field=SHARE, target={"instant": True}, options=GAUGES),
    panel(7, "state-timeline", "verdict", options=LEGEND | {"showValue": "auto"}, **OF_MODEL),
    panel(8, "status-history", "verdict", options=LEGEND | {"showValue": "never"}, **OF_MODEL),
    panel(9, "heatmap", "heat", field={"unit": "s"}, target={"format": "heatmap"}, options={"yAxis": {"unit": "s"}}),
    panel(10, "text", options={"mode": "markdown", "content": "Read **this** of $model"}),
    panel(11, "alertlist"),
    panel(12, "timeseries", "sum(moved"),
]  # fmt: skip
BOARD: Json = {
    "uid": "test", "title": "Test of all kinds", "description": "Is it drawn?", "tags": ["one"], "panels": PANELS,
    "time": {"from": "now-1h", "to": "now"}, "annotations": {"list": []},
    "links": [{"type": "dashboards", "title": "Others", "tags": ["one"], "asDropdown": False}],
    "templating": {"list": [
        {"type": "query", "name": "model", "label": "Model", "query": {"query": "label_values(verdict, model)"}},
        {"type": "query", "name": "bin", "label": "Bin", "query": {"query": "label_values(bin, bin)"}, "hide": 2},
    ]},
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("drawn")
    boards = directory / "boards"
    boards.mkdir()
    (boards / "test.json").write_text(json.dumps(BOARD))
    (boards / "other.json").write_text(json.dumps({"uid": "other", "title": "Another one", "tags": ["one"]}))
    with recorded(directory / "p", history()) as url:
        asked = ["--prometheus", url, "--from", str(END - 3600), "--to", str(END), "--output", str(directory)]
        subprocess.run([sys.executable, str(RENDER), str(boards / "test.json"), *asked], check=True, timeout=240)
    return directory


@pytest.fixture(scope="module")
def words(drawn: Path) -> str:
    return (drawn / "test-dark.txt").read_text()


def test_a_picture_is_as_wide_as_a_page_and_as_high_as_the_whole_of_it(drawn: Path) -> None:
    for theme in ("dark", "light"):
        head = (drawn / f"test-{theme}.png").read_bytes()[:24]
        assert head.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", head[16:24])
        assert (width, height > 7 * 6 * 38) == (1600, True)
    assert (drawn / "test-dark.png").read_bytes() != (drawn / "test-light.png").read_bytes()


def test_around_the_panels_stand_title_variables_links_and_time(words: str) -> None:
    for one in ("Test of all kinds", "Is it drawn?", "Model", "churn", "Another one", "UTC"):
        assert one in words
    assert "Bin\n" not in words


def test_numbers_are_in_their_units(words: str) -> None:
    assert words.count("7.00%") == 3  # stat, table and bar gauge
    assert "0.400%" in words
    assert "500 ms" in words  # a bucket of the heat map


def test_what_is_not_there_is_said_in_the_panels_own_words(words: str) -> None:
    assert words.count("not enough data") == 2


def test_numbers_that_have_words_are_words(words: str) -> None:
    assert words.count("Act") == 3  # twice in a legend, once in a bar
    assert words.count("Healthy") == 3


def test_names_are_those_of_legends_overrides_and_columns(words: str) -> None:
    for one in ("amount", "age", "how much moved", "below 5", "5 to 9", "missing"):
        assert one in words
    table = words[words.index("how much moved") :]
    assert table.index("amount") < table.index("age")
    assert "__name__" not in words


def test_text_is_markdown_with_what_is_chosen(words: str) -> None:
    assert "Read this of churn" in words


def test_what_cannot_be_drawn_or_answered_is_said_in_its_place(words: str) -> None:
    assert "Panels of type alertlist are drawn by Grafana alone." in words
    assert "unclosed left parenthesis" in words
    assert "cannot be drawn" not in words
