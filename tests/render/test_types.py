"""Grafana's own types know every option of the shipped panels; what they do not know is told with its panel."""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shipped_boards import BOARDS, ROOT, every_panel

Json = dict[str, Any]
HERE = ROOT / "dashboards" / "render" / "types"
pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (HERE / "node_modules").is_dir(),
    reason="Grafana's types are not installed: make dashboards-types",
)


def checked(*paths: Path) -> "subprocess.CompletedProcess[str]":
    command = ["node", str(HERE / "check.mjs"), *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def test_every_panel_is_as_grafana_has_it() -> None:
    done = checked(*(ROOT / "dashboards" / f"{uid}.json" for uid in BOARDS))
    assert done.returncode == 0, done.stdout + done.stderr
    panels = sum(len([*every_panel(board)]) for board in BOARDS.values())
    assert done.stdout == f"{panels} panels of {len(BOARDS)} dashboards: as Grafana has them\n"


def first(board: Json, kind: str) -> Json:
    return next(panel for panel in every_panel(board) if panel["type"] == kind)


def misspelt_option(board: Json) -> str:
    first(board, "stat")["options"]["colourMode"] = "value"
    return "'\"colourMode\"' does not exist"


def unknown_word(board: Json) -> str:
    first(board, "timeseries")["options"]["legend"]["placement"] = "under"
    return '"under"'


def wrong_type(board: Json) -> str:
    first(board, "table")["gridPos"]["h"] = "eight"
    return "Type 'string' is not assignable to type 'number'"


def misspelt_override(board: Json) -> str:
    matcher = {"id": "byName", "options": "x"}
    override = {"matcher": matcher, "properties": [{"id": "custom.lineStlye", "value": {}}]}
    first(board, "timeseries")["fieldConfig"]["overrides"].append(override)
    return "'\"lineStlye\"' does not exist"


def misspelt_default(board: Json) -> str:
    first(board, "stat")["fieldConfig"]["defaults"]["unti"] = "s"
    return "'\"unti\"' does not exist"


def misspelt_outside_panels(board: Json) -> str:
    board["refreh"] = "30s"
    return "'\"refreh\"' does not exist"


def unknown_kind(board: Json) -> str:
    first(board, "stat")["type"] = "singlestat"
    return '"singlestat"'


FAULTS = (
    misspelt_option, unknown_word, wrong_type, misspelt_override, misspelt_default, misspelt_outside_panels,
    unknown_kind,
)  # fmt: skip


def test_each_fault_is_told(tmp_path: Path) -> None:
    paths: dict[Callable[[Json], str], Path] = {}
    words = {}
    for fault in FAULTS:
        board = copy.deepcopy(BOARDS["model-health"])
        words[fault] = fault(board)
        paths[fault] = tmp_path / f"{fault.__name__}.json"
        paths[fault].write_text(json.dumps(board))
    done = checked(*paths.values())
    assert done.returncode == 1
    for fault, path in paths.items():
        told = [line for line in done.stdout.splitlines() if line.startswith(f"{path.stem}: ")]
        assert len(told) == 1, done.stdout
        assert words[fault] in told[0]
