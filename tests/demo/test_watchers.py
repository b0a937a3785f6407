"""What those who watch the demo read: the shipped files in compressed time, and ways that lead to each other."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from shipped_boards import BOARDS, every_panel

from exporter.demo import watchers
from exporter.demo.compression import shortened

FIXED = re.compile(r"\[(\d+[smhdw])[\]:]|offset (\d+[smhdw])")
NAME = re.compile(r"\b(?:model|inference_exporter)_\w+|\b[a-z]\w*(?::\w+)+\b")


def asked(board: dict[str, Any]) -> list[str]:
    queries = [target["expr"] for panel in every_panel(board) for target in panel.get("targets", ())]
    return queries + [one["expr"] for one in board["annotations"]["list"] if "expr" in one]


def test_dashboards_ask_for_the_same_series_over_times_as_short_as_those_of_the_rules(tmp_path: Path) -> None:
    watchers.Grafana("http://127.0.0.1:9", minute_s=1.0).environment(tmp_path, 9)
    found = []
    for uid, shipped in BOARDS.items():
        board = json.loads((tmp_path / "dashboards" / f"{uid}.json").read_text())
        pairs = zip(asked(shipped), asked(board), strict=True)
        for long, short in pairs:
            assert NAME.findall(short) == NAME.findall(long)
            spans = ["".join(span) for span in FIXED.findall(long)]
            assert ["".join(span) for span in FIXED.findall(short)] == [shortened(span, 60) for span in spans]
            found += spans
        assert (board["uid"], board["title"]) == (shipped["uid"], shipped["title"])
    assert "5m" in found


def test_rules_are_the_shipped_ones_and_lead_to_the_grafana_beside_them(tmp_path: Path) -> None:
    for place, url in (("shipped", ""), ("own", "http://127.0.0.1:4321")):
        plan = watchers.Prometheus([], [], 60.0, url)
        plan.command("prometheus", tmp_path / place, "127.0.0.1:9")
    for name in watchers.RULES:
        shipped, own = ((tmp_path / place / name).read_text() for place in ("shipped", "own"))
        assert yaml.safe_load(own.replace("http://127.0.0.1:4321", "http://localhost:3000")) == yaml.safe_load(shipped)
        assert re.findall(r"http://[^/ ]+(?=/d/)", own) == ["http://127.0.0.1:4321"] * shipped.count("/d/")


def test_rules_of_which_only_what_is_recorded_is_wanted_raise_no_alerts(tmp_path: Path) -> None:
    watchers.Prometheus([], [], 1.0).command("prometheus", tmp_path / "own", "127.0.0.1:9")
    config = yaml.safe_load((tmp_path / "own" / "prometheus.yml").read_text())
    assert config["rule_files"] == [*watchers.RULES, *watchers.RECORDED]
    for name in watchers.RECORDED:
        groups = yaml.safe_load((tmp_path / "own" / name).read_text())["groups"]
        assert all(group["rules"] for group in groups)
        assert not [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_whatever_dashboards_ask_of_rules_is_recorded_in_the_demo() -> None:
    names = (*watchers.RULES, *watchers.RECORDED)
    texts = [(watchers.SHIPPED / name).read_text(encoding="utf-8") for name in names]
    recorded = {name for text in texts for name in re.findall(r"- record: (\S+)", text)}
    named = {
        name for board in BOARDS.values() for query in asked(board) for name in re.findall(r"\b\w+:\w+:\w+\b", query)
    }
    assert named
    assert named - recorded == set()
