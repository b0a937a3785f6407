"""What the benchmark of the dashboards rests on: blocks that Prometheus reads, and requests as Grafana makes them."""

import json
import math
import re
from pathlib import Path
from typing import Any

import asked_panels
import numpy as np
import pytest
from asked_panels import View
from shipped_boards import BOARDS, Json, queries
from still_prometheus import got, prometheus
from support import tool
from tsdb_blocks import Block

UNTIL = 1_700_006_400
VIEW = View(dict.fromkeys(("job", "model", "version", "feature"), "any") | {"window": "1h"}, UNTIL - 86400, UNTIL, 60)


def _values(random: np.random.Generator, many: int) -> list[list[float]]:
    """Of series as different as numbers are."""
    return [
        [7.0] * many, list(range(many)), random.random(many).tolist(), random.integers(0, 3, many).tolist(),
        (random.random(many) * 1e-310).tolist(), [(-1) ** at * math.inf for at in range(many)],
        [-1e300 * at for at in range(many)], [0.1 * (at % 7) for at in range(many)],
    ]  # fmt: skip


@pytest.mark.parametrize("many", [1, 2, 119, 120, 121, 300])
def test_prometheus_reads_from_a_block_what_was_written(tmp_path: Path, many: int) -> None:
    tool("prometheus", "prometheus")
    times = [range(UNTIL - 7200 * 3 + 60, UNTIL - 7200 * 3 + 60 * (many + 1), 60)]
    times.append(range(times[0][-1] + 60, times[0][-1] + 60 * (many + 1), 60))
    wanted = np.array(_values(np.random.default_rng(1), 2 * many), float)
    for place, part in enumerate(times):
        block = Block(tmp_path / "data", part, place)
        chunks = block.chunks(wanted[:, place * many : (place + 1) * many])
        named = ((("__name__", "x"), ("at", str(at)), ("text", "ü")) for at in range(len(wanted)))
        assert block.close(zip(named, chunks, strict=True)) == len(wanted)
    first, last = times[0][0], times[1][-1]
    with prometheus(tmp_path / "data", {}) as (address, _):
        query = {"query": 'x{text="ü"}', "start": str(first), "end": str(last), "step": "60"}
        found = json.loads(got(address, "query_range", query))["data"]["result"]
        labels = json.loads(got(address, "label/at/values", {"match[]": "x"}))["data"]
    assert labels == [str(at) for at in range(len(wanted))]
    assert [[float(value) for _, value in one["values"]] for one in found] == wanted.tolist()


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_everything_that_a_dashboard_asks_is_asked(board: Json) -> None:
    """With nothing of Grafana's left in it."""
    asked = list(asked_panels.everything(board, VIEW))
    panels = sum(len(panel.get("targets", ())) for panel in asked_panels.panels(board))
    assert len([one for one in asked if one.kind not in {"annotation", "variable"}]) == panels
    assert len([one for one in asked if one.kind == "annotation"]) == len(board["annotations"]["list"])
    assert len([one for one in asked if one.kind == "variable"]) == len(board["templating"]["list"]) - 1
    assert not re.search(r"\$", " ".join(value for one in asked for value in one.fields.values()))


def test_names_are_those_that_queries_have() -> None:
    found = set().union(*map(asked_panels.named, BOARDS.values()))
    assert {"ALERTS", "model_feature_psi", "model_info"} <= found
    for _, query in queries():
        assert found >= set(re.findall(r"[a-zA-Z_:][\w:]*(?=\{)", query)), query


@pytest.mark.parametrize(("hours", "pixels", "step"), [(6, 900, 60), (24, 900, 120), (24, 400, 300), (24, 1800, 60)])
def test_a_step_is_as_fine_as_pixels_and_scrapes_are(hours: int, pixels: int, step: int) -> None:
    view: Any = VIEW._replace(since_s=UNTIL - hours * 3600)
    assert view.step_s(pixels) == step
    assert view.filled("rate(x[$__rate_interval]) ${model:regex}", step) == f"rate(x[{max(240, step + 60)}s]) any"
