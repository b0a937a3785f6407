"""`profile check` says what differs, in words, and how many series there will be."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import monitor_scenes
import numpy as np
import pytest
from profile_tables import write_csv
from support import command, model_server, predict, sidecar

from exporter import series_told
from exporter.adoption import Adoption
from exporter.profile import overrides, save
from exporter.profile.build import Plan, build, count_like
from exporter.profile.compare import compare
from exporter.reference import Profile, TimeSpan


def table(seed: int, rows: int = 4000) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "amount": random.lognormal(3, 1, rows).tolist(), "town": random.choice(["a", "b", "c"], rows).tolist(),
        "flag": random.choice(["true", "false"], rows).tolist(), "p": random.random(rows).tolist(),
    }  # fmt: skip


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return build(Plan(write_csv(tmp_path_factory.mktemp("check") / "t.csv", table(1)), ["p"], model="m"))[0]


def told(path: Path, profile: Profile, columns: Any) -> list[str]:
    return compare(profile, count_like(Plan(write_csv(path / "fresh.csv", columns)), profile))


def test_rows_like_the_training_data_are_alike(tmp_path: Path, profile: Profile) -> None:
    for seed in range(2, 10):
        assert told(tmp_path, profile, table(seed, 1000)) == ["all 4 columns: alike, as far as 1,000 rows can tell"]


@pytest.mark.parametrize(("column", "change", "words"), [
    ("amount", lambda cell, _: cell * 100, "changed bin, mean "),
    ("amount", lambda cell, row: None if row % 4 == 0 else cell, "25.0% missing"),
    ("amount", lambda cell, row: "?" if row % 10 == 0 else cell, "10.0% no finite numbers"),
    ("amount", lambda cell, row: -5 if row % 10 == 0 else cell, "10.0% below "),
    ("town", lambda cell, row: "d" if row % 20 == 0 else cell, "5.0% in categories that the profile does not list"),
    ("town", lambda _, __: "a", "of its values changed bin"),
    ("flag", lambda _, __: "maybe", "100.0% in categories that the profile does not list"),
    ("p", lambda cell, _: cell / 2, "of its values changed bin, mean "),
])  # fmt: skip
def test_what_differs_is_told_of_its_column_alone(
    tmp_path: Path, profile: Profile, column: str, change: Callable[[Any, int], Any], words: str
) -> None:
    fresh = table(2, 1000)
    fresh[column] = [change(cell, row) for row, cell in enumerate(fresh[column])]
    lines = told(tmp_path, profile, fresh)
    assert [line.split(":")[0] for line in lines] == [column, "the other 3"]
    assert words in lines[0]


def test_columns_that_came_or_went_are_told(tmp_path: Path, profile: Profile) -> None:
    fresh = table(2, 1000)
    del fresh["flag"]
    lines = told(tmp_path, profile, fresh | {"new": [1] * 1000})
    assert lines[:2] == ["new: not in the profile", "flag: not in the table"]


def test_a_gap_that_is_closed_is_told(tmp_path: Path) -> None:
    columns = table(1)
    columns["amount"] = [None if row % 2 else cell for row, cell in enumerate(columns["amount"])]
    before, _ = build(Plan(write_csv(tmp_path / "t.csv", columns), ["p"]))
    assert "0.0% missing, 50.0% in the profile" in told(tmp_path, before, table(2))[0]


# --- series


RULES = """
features:
  age: { ignore: true }
  amount: { range: [0, 100], owner: payments, severity: page, tolerance: 0.2 }
  city: { allowed: [Berlin], snooze_until: 2999-01-01 }
  note: { snooze_until: 2001-01-01, weight: 2 }
outputs:
  score: { tolerance: 0.1 }
"""


def with_all_that_is_known(profile: Profile) -> Profile:
    """As a build with a column of time, performance and the like makes it, and people who adopted."""
    amount, age, *others = profile.features
    known = replace(amount, importance=0.5, reference_error=0.01, dependence=2.0, wander=0.02)
    (score,) = profile.outputs
    adopted = [
        Adoption("features", name, amount.counts, (1.0, 1.0, 0.0, 9.0), "me", "why", 1.7e9, expiry, "24h")
        for name, expiry in (("amount", None), ("age", None), ("constant", 4e9), ("note", 1.75e9))
    ]
    return replace(
        profile, features=(known, age, *others), outputs=(replace(score, wander=0.1),), version="7", influenced=0.1,
        time=TimeSpan("at", "UTC", 1.6e9, 1.7e9), performance={"auc": 0.9, "log loss": 0.1}, adoptions=tuple(adopted),
    )  # fmt: skip


def test_a_live_page_has_no_more_series_than_it_says_and_not_far_fewer(tmp_path: Path) -> None:
    profile = with_all_that_is_known(monitor_scenes.make_profile(tmp_path))
    profile = save(profile, str(tmp_path / "profile.json"))
    (tmp_path / "rules.yml").write_text(RULES)
    columns = monitor_scenes.training_rows()
    rows = [{name: cells[row] for name, cells in columns.items() if name != "score"} for row in range(1200)]
    with model_server() as upstream, sidecar(
        upstream, "--profile", str(tmp_path / "profile.json"), "--overrides", str(tmp_path / "rules.yml"),
        "--windows.snapshot-interval", "200ms",
    ) as running:  # fmt: skip
        predict(running.url, rows)
        page = running.settled(1)
    found = [one for one in page.samples if "model" in one.labels]
    said = series_told.of_profile(profile, 3, overrides.load(str(tmp_path / "rules.yml")))
    assert said / 2 < len(found) <= said, "what compares with the past, and windows of rows, come later"


@pytest.mark.parametrize("windows", [1, 2, 3, 5])
def test_each_window_of_time_has_series_of_its_own(tmp_path: Path, windows: int) -> None:
    profile = monitor_scenes.make_profile(tmp_path)
    more, fewer = (series_told.of_profile(profile, windows + at) for at in (1, 0))
    per_column = (more - fewer) / (len(profile.features) + len(profile.outputs))
    assert 10 < per_column < 60


def test_what_adopted_columns_show_of_their_training_data_is_counted(tmp_path: Path) -> None:
    plain = monitor_scenes.make_profile(tmp_path)
    amount = plain.features[0]
    moments = (1.0, 1.0, 0.0, 9.0)
    one = Adoption("features", amount.name, amount.counts, moments, "me", "so", 1.7e9, None, "24h")
    adopted = replace(plain, adoptions=(one,))
    assert series_told.of_profile(adopted, 3) == series_told.of_profile(plain, 3) + len(amount.bins()) + 2


# --- the command


def test_the_command_tells_all_of_it(tmp_path: Path, profile: Profile) -> None:
    file, rules = tmp_path / "p.json", tmp_path / "o.yml"
    saved = save(profile, str(file))
    rules.write_text("features: { amount: { range: [0, 100], owner: payments } }")
    fresh = table(2, 1000)
    fresh["town"] = ["\x1b[2J"] * 1000
    source = write_csv(tmp_path / "fresh.csv", fresh)
    result = command("profile", "check", str(file), "--overrides", str(rules), "--against", source, "--replicas", "20")
    assert (result.returncode, result.stderr) == (0, "")
    each = series_told.of_profile(profile, 3, overrides.load(str(rules)))
    assert result.stdout.splitlines() == [
        f"profile: fine, {saved.short_digest}, 3 features, 1 outputs, 4,000 rows",
        "overrides: fine",
        "  amount: 0 to 100, owner payments",
        f"against {source}, 1,000 rows:",
        "  town: 100.0% in categories that the profile does not list; 100% of its values changed bin",
        "  the other 3: alike, as far as 1,000 rows can tell",
        f"series: up to {each:,} of the model, with 3 windows, {20 * each:,} of 20 replicas",
    ]


@pytest.mark.parametrize(("flags", "code", "words"), [
    (("--overrides", "none.yml"), 64, "none.yml"), (("--against", "none.csv"), 64, "none.csv"),
    (("--replicas", "0"), 64, "--replicas"), (("--windows", "x"), 64, "--windows"),
])  # fmt: skip
def test_faults_are_one_line(tmp_path: Path, profile: Profile, flags: Any, code: int, words: str) -> None:
    save(profile, str(tmp_path / "p.json"))
    result = command("profile", "check", str(tmp_path / "p.json"), *flags)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (code, "", 1)
    assert words in result.stderr


def test_a_broken_profile_is_named_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"format": "x"}')
    result = command("profile", "check", str(tmp_path / "p.json"))
    assert (result.returncode, result.stderr.count("\n")) == (65, 1)
    assert "p.json: format: must be " in result.stderr


def test_keys_that_turn_up_late_were_missing_before(tmp_path: Path) -> None:
    rows = [
        {"a": row % 5, "p": row % 3, **({"b": row % 4, "t": "x"} if row >= 11_000 else {})} for row in range(12_000)
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    profile = build(Plan(str(tmp_path / "t.jsonl"), ["p"]))[0]
    found = count_like(Plan(str(tmp_path / "t.jsonl")), profile)
    assert [column.counts for column in found.features if column] == [column.counts for column in profile.features]
    assert compare(profile, found) == ["all 4 columns: alike, as far as 12,000 rows can tell"]
