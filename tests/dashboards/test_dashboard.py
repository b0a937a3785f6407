"""Dashboards are the generated ones, ask only for what exists, in queries that parse, and are laid out cleanly."""

import re
import subprocess
import sys
from pathlib import Path

import board_lint
import promql
import pytest
import yaml
from shipped_boards import BOARDS, ROOT, Json, every_panel, queries, substituted
from support import tool

LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")
RECORDED = {name for name in board_lint.known() if ":" in name}
each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def test_the_files_are_what_the_script_makes() -> None:
    command = [sys.executable, str(ROOT / "dashboards" / "build.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_query_names_only_series_and_labels_that_exist() -> None:
    found = dict(queries())
    assert len(found) > 40
    for place, expr in found.items():
        assert promql.unknown(expr, RECORDED) == set(), place


def test_no_query_asks_for_what_cannot_be() -> None:
    """Labels that a side of a match lacks, or that nothing has which is grouped by them."""
    for place, expr in queries():
        inference = promql.Inference(board_lint.known())
        inference.labels(promql.parse(expr))
        assert inference.faults == [], place


def test_every_query_parses(tmp_path: Path) -> None:
    rules = [{"record": f"query:{place}", "expr": expr} for place, (_, expr) in enumerate(queries())]
    path = tmp_path / "queries.rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    command = [tool("promtool", "prometheus"), "check", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@each_board
def test_variables_are_defined_and_filled_from_series_that_exist(board: Json) -> None:
    variables = board["templating"]["list"]
    names = [variable["name"] for variable in variables]
    assert names == ["datasource", "job", "model", "version", "feature", "window"]
    for variable in variables[1:]:
        series, label = LABEL_VALUES.fullmatch(variable["query"]["query"]).groups()  # type: ignore[union-attr]
        assert promql.unknown(substituted(series)) == set()
        assert label in promql.series()[series.partition("{")[0]] or label == "job"


@each_board
def test_the_queries_of_a_panel_have_letters_of_their_own(board: Json) -> None:
    for panel in every_panel(board):
        references = [target["refId"] for target in panel.get("targets", ())]
        assert len(set(references)) == len(references), panel["title"]


@each_board
def test_ids_and_titles_are_unique_and_panels_neither_overlap_nor_leave_the_grid(board: Json) -> None:
    everything = [*every_panel(board), *(one for one in board["panels"] if one["type"] == "row")]
    assert len({panel["id"] for panel in everything}) == len(everything)
    assert len({panel["title"] for panel in everything}) == len(everything)
    for together in (board["panels"], *(one["panels"] for one in board["panels"] if one.get("collapsed"))):
        taken: dict[tuple[int, int], str] = {}
        for panel in together:
            place = panel["gridPos"]
            assert 0 <= place["x"] < place["x"] + place["w"] <= 24
            for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"])
                         for y in range(place["y"], place["y"] + place["h"])):  # fmt: skip
                assert taken.setdefault(cell, panel["title"]) == panel["title"]
        lowest, highest = min(y for _, y in taken), max(y for _, y in taken)
        assert len(taken) == 24 * (1 + highest - lowest), "no gaps either"


@each_board
def test_it_is_a_classic_dashboard_that_can_be_provisioned(board: Json) -> None:
    assert board["schemaVersion"] == 39
    assert board["editable"] is False
    assert "id" not in board


def test_uids_are_the_names_of_the_files_and_fit_into_config_maps() -> None:
    for uid in BOARDS:
        path = ROOT / "dashboards" / f"{uid}.json"
        assert BOARDS[uid]["uid"] == uid
        assert len(path.read_bytes()) < 200_000
