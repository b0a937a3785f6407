"""Impact: how much of what the model looks at has moved."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange, watch, write_csv

from exporter.drift import total_variation
from exporter.drift.summary import of_bins
from exporter.monitor.scoring import Scoring, importance
from exporter.override import NOTHING, Override
from exporter.profile import document, stated
from exporter.profile.build import Plan, build
from exporter.reference import Column, Profile
from exporter.sections import Windows
from exporter.snapshots import IMPACT

WINDOWS = Windows(pane=1.0, lengths=(60.0,))
EDGES = tuple(float(edge) for edge in range(13))
EVEN = (0, *[1000] * 12, 0, 0, 0)
NUMBER = Column("x", "numeric", EVEN, EDGES, mean=6.0, sd=3.46, minimum=0.0, maximum=12.0)
MOVED = [0, *[100] * 6, *[0] * 6, 600, 0, 0]
"""Half of the values lie above now."""


def scored(columns: list[Column], counts: list[list[int]], weights: list[float | None] | None = None) -> Any:
    said = [NOTHING if weight is None else Override(weight=weight) for weight in weights or [None] * len(columns)]
    scoring = Scoring(columns, (), importance(columns, said))
    return scoring.score(np.array(counts), np.zeros(len(columns)))


def shared(*shares: float | None) -> list[Column]:
    return [replace(NUMBER, importance=share) for share in shares]


def test_impact_is_importance_times_what_moved_beyond_chance() -> None:
    found = scored(shared(0.7, 0.3), [MOVED, MOVED])
    moved = found.values["total_variation"]
    # By chance: half the sum of the bins' mean absolute differences, of normal ones with the pooled shares.
    pooled = (np.array(MOVED) + EVEN) / 13_200
    chance = np.sqrt(2 / np.pi * pooled * (1 - pooled) * (1 / 1200 + 1 / 12_000)).sum() / 2
    assert found.values[IMPACT] == pytest.approx(np.array([0.7, 0.3]) * (moved - chance), rel=1e-12)
    assert found.values[IMPACT].sum() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("n", "m"), [(200, 5000), (1000, 1000), (20_000, 5000)])
def test_the_average_that_is_taken_off_is_what_windows_without_drift_have(n: int, m: int) -> None:
    draw, share = np.random.default_rng([n, m]), np.array([0.3, 0.2, *[0.05] * 10])
    reference, live = (of_bins(draw.multinomial(size, share, 4000)) for size in (m, n))
    average = total_variation.expected(reference, live).mean()
    assert average == pytest.approx(total_variation.score(reference, live).mean(), rel=0.03)


def test_what_chance_may_have_moved_has_no_impact() -> None:
    draw = np.random.default_rng(5)
    counts = [[0, *draw.multinomial(500, [1 / 12] * 12).tolist(), 0, 0, 0] for _ in range(50)]
    found = scored(shared(*[0.02] * 50), counts)
    assert found.values[IMPACT].tolist() == [0.0] * 50
    assert (found.values["total_variation"] > 0).all()


def test_where_nobody_knows_the_importance_there_is_no_impact() -> None:
    found = scored(shared(None, None), [MOVED, MOVED], [2.0, None])
    assert np.isnan(found.values[IMPACT]).all()


def test_an_empty_window_has_no_impact() -> None:
    assert np.isnan(scored(shared(1.0), [[0] * 16]).values[IMPACT]).all()


def test_a_weight_makes_a_column_count_more_and_the_others_less() -> None:
    columns = shared(0.5, 0.25, 0.25)
    assert importance(columns, [NOTHING] * 3).tolist() == [0.5, 0.25, 0.25]
    said = [Override(weight=2.0), Override(weight=0.0), Override(weight=1.0)]
    assert importance(columns, said) == pytest.approx([0.8, 0.0, 0.2])
    assert importance(columns, [Override(weight=7.0)] * 3) == pytest.approx([0.5, 0.25, 0.25])
    assert importance(columns, [Override(weight=0.0)] * 3).tolist() == [0, 0, 0]


def trained(directory: Path) -> Profile:
    """Three features, the second of which is a text; the model is said to look at the text as at both others."""
    draw = np.random.default_rng(6)
    table = {
        "x": draw.normal(size=2000).tolist(),
        "note": [f"{at} " + "word " * int(draw.integers(1, 9)) for at in range(2000)],
        "y": draw.normal(size=2000).tolist(),
        "p": draw.random(2000).tolist(),
    }
    (directory / "importance.json").write_text(json.dumps({"x": 1, "note": 2, "y": 1}))
    source = write_csv(directory / "train.csv", table)
    given = stated.importance(str(directory / "importance.json"))
    profile, _ = build(Plan(source, ["p"], importance=given))
    return document.save(profile, str(directory / "profile.json"))


def test_what_is_computed_of_a_field_shares_its_importance(tmp_path: Path) -> None:
    profile, draw = trained(tmp_path), np.random.default_rng(7)
    names = [column.name for column in profile.features]
    assert len(names) > 3, "several scalars of the text"
    rows = [{"x": float(one), "note": "漢" * 200, "y": float(draw.normal() + 9)} for one in draw.normal(size=1000)]
    scores = watch(profile, [exchange(rows, [0.5] * 1000, 1.0)], WINDOWS).snapshot(1.0).features.scores[0]
    impact = dict(zip(names, scores.values[IMPACT].tolist(), strict=True))
    assert impact["x"] == 0.0
    assert impact["y"] == pytest.approx(0.25, abs=0.02), "all of it moved, and the model looks there with a quarter"
    of_text = [value for name, value in impact.items() if name.startswith("note.")]
    assert all(value > 0 for value in of_text)
    assert sum(of_text) == pytest.approx(0.5, abs=0.05)
    assert sum(impact.values()) == pytest.approx(0.75, abs=0.05)
