"""Drift of what is answered: classes, and the probability of each of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_scenes import DECODER, exchange, write_csv

from exporter.monitor import Monitor
from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.reference import Profile
from exporter.sections import Windows

CLASSES = ("cat", "dog", "fox")
NOW = 600.0


def answers(rows: int, seed: int, sharper: float = 1.0) -> dict[str, list[Any]]:
    """Probabilities of three classes, and the class; the larger `sharper` is, the surer they are."""
    draw = np.random.default_rng(seed)
    drawn = draw.dirichlet((4.0, 2.0, 1.0), rows) ** sharper
    shares = drawn / drawn.sum(axis=1, keepdims=True)
    return {
        **{f"p_{name}": shares[:, at].tolist() for at, name in enumerate(CLASSES)},
        "class": [CLASSES[at] for at in shares.argmax(axis=1)],
    }


def built(directory: Path, outputs: list[str]) -> Profile:
    table = answers(4000, 1)
    columns = {"x": np.random.default_rng(2).normal(size=4000).tolist(), **{name: table[name] for name in outputs}}
    profile, _ = build(Plan(write_csv(directory / "train.csv", columns), outputs))
    return document.save(profile, str(directory / "profile.json"))


def moved(profile: Profile, said: list[Any]) -> dict[str, bool]:
    """Which outputs are beyond what chance does."""
    monitor = Monitor(profile, Windows(), ())
    one = exchange([{"x": 0.0}] * len(said), said, NOW)
    monitor.observe(one, DECODER.decode(one))
    monitor.flush()
    outputs = monitor.snapshot(NOW).outputs
    assert outputs
    scores = outputs.scores[-1]
    assert (scores.samples == len(said)).all()
    beyond = scores.values["total_variation"] > scores.critical["total_variation"]
    return dict(zip([column.name for column in profile.outputs], beyond.tolist(), strict=True))


def test_each_probability_of_many_classes_is_watched(tmp_path: Path) -> None:
    outputs = [f"p_{name}" for name in CLASSES]
    profile = built(tmp_path, outputs)
    for sharper, drifts in ((1.0, False), (3.0, True)):
        table = answers(1000, 3, sharper)
        said = [list(row) for row in zip(*(table[name] for name in outputs), strict=True)]
        assert moved(profile, said) == dict.fromkeys(outputs, drifts)


def test_a_class_alone_is_watched(tmp_path: Path) -> None:
    profile = built(tmp_path, ["class"])
    assert moved(profile, answers(1000, 3)["class"]) == {"class": False}
    assert moved(profile, ["fox"] * 400 + answers(600, 3)["class"]) == {"class": True}


@pytest.mark.parametrize("sharper", [1.0, 3.0])
def test_probabilities_may_drift_where_classes_do_not(tmp_path: Path, sharper: float) -> None:
    outputs = [f"p_{name}" for name in CLASSES] + ["class"]
    profile, table = built(tmp_path, outputs), answers(1000, 3, sharper)
    said = [dict(zip(outputs, row, strict=True)) for row in zip(*(table[name] for name in outputs), strict=True)]
    assert moved(profile, said) == {**{f"p_{name}": sharper > 1 for name in CLASSES}, "class": False}
