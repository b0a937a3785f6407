"""GET /api/v1/window: what a window holds, of the model that is meant."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from monitor_scenes import FEATURES, answers, exchange, live_rows, make_profile, watch

from exporter.profile.adopt import parse
from exporter.records import Label
from exporter.web import windows
from exporter.web.windows import Scored


@pytest.fixture
def scored(tmp_path: Path) -> list[Scored]:
    profile = make_profile(tmp_path)
    rows = live_rows(40, 1)
    snapshot = watch(profile, [exchange(rows, answers(rows, 1), 1.0)]).snapshot(1.0)
    other = dataclasses.replace(profile, digest="cd" * 32)
    return [Scored(Label("churn", "7"), profile, snapshot), Scored(Label("churn", "8"), other, snapshot)]


def ask(scored: list[Scored], **asked: str) -> Any:
    app = Flask("test")
    windows.add(app, lambda: scored, 200)
    return app.test_client().get("/api/v1/window", query_string=asked)


def test_counts_and_deviations_are_those_of_the_scoring(scored: list[Scored]) -> None:
    answer = ask(scored, window="5m", model="churn", model_version="7")
    assert answer.status_code == 200
    window = parse(answer.get_json())
    one = scored[0]
    assert (window.name, window.digest, window.minimum_samples) == ("5m", one.profile.digest, 200)
    block = one.snapshot.features
    assert block is not None
    assert len(window.columns) == len(FEATURES) + 1
    for at, column in enumerate(one.profile.features):
        seen = window.columns["features", column.name]
        assert seen.counts == tuple(block.totals.bins[at][: len(column.counts)].tolist())
        assert sum(seen.counts) == 40
    assert sum(window.columns["outputs", one.profile.outputs[0].name].counts) == 40


def test_one_of_several_is_found_by_any_of_its_names(scored: list[Scored]) -> None:
    for asked in ({"model_version": "8"}, {"profile": "cd" * 32}):
        assert ask(scored, window="1h", **asked).get_json()["model_version"] == "8"


@pytest.mark.parametrize(("asked", "words"), [
    ({"window": "5m"}, "several models are so; compared with a profile are: churn 7 (profile "),
    ({"window": "5m", "model": "x"}, "no model is so; compared with a profile are: churn 7"),
    ({"window": "7m", "model_version": "8"}, "no window is called '7m': there are 5m, 1h, 24h"),
    ({"model_version": "8"}, "no window is called ''"),
])  # fmt: skip
def test_who_asks_for_what_is_not_there_hears_what_is(scored: list[Scored], asked: Any, words: str) -> None:
    answer = ask(scored, **asked)
    assert answer.status_code == 404
    assert words in answer.get_json()["error"]


def test_without_any_model_the_answer_says_so() -> None:
    assert "are: none" in ask([], window="5m").get_json()["error"]
