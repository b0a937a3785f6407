"""What people state about a training, in files of JSON, is read whole or refused by its path."""

from pathlib import Path
from typing import Any

import pytest
from support import command

from exporter.errors import ConfigError, DataError
from exporter.profile import load, stated


def file(path: Path, content: str) -> str:
    (path / "x.json").write_text(content)
    return str(path / "x.json")


def test_measures_may_have_any_names_and_be_nested(tmp_path: Path) -> None:
    text = '{"auc": 0.9, "valid": {"log loss": 1, "by town": {"größe": -2.5e3}}, "empty": {}}'
    found = stated.performance(file(tmp_path, text))
    assert found == {"auc": 0.9, "valid.log loss": 1, "valid.by town.größe": -2500}


@pytest.mark.parametrize(("content", "words"), [
    ('{"a": {"b": "high"}}', "x.json: a.b: must be a finite number"), ('{"a": [1]}', "x.json: a: must be"),
    ('{"a": true}', "a: must be a finite number"), ('{"a": NaN}', "a: must be a finite number"),
    ('{"a": 1e999}', "a: must be a finite number"), ("[1]", "metrics: must be a mapping"), ("{", "x.json: not JSON"),
    ('{"a": {"b": 1}, "a.b": 2}', "a.b: stands there twice"), ('{"": 1}', "metrics: must be text"),
    ('{"a":' * 40 + "1" + "}" * 40, "nested too deeply"), ('{"a":' * 100_000, "not JSON"),
])  # fmt: skip
def test_what_is_no_measure_is_named_by_its_path(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        stated.performance(file(tmp_path, content))


@pytest.mark.parametrize(("content", "words"), [
    ('{"a": -1}', "a: must be from 0"), ('{"a": "1"}', "a: must be a finite number"), ("3", "importance: must be"),
])  # fmt: skip
def test_what_is_no_importance_is_named_by_its_path(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        stated.importance(file(tmp_path, content))


def test_a_file_that_is_not_there_is_a_fault_of_the_command(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none: No such file"):
        stated.performance(str(tmp_path / "none"))


def table(path: Path) -> str:
    lines = [
        f"2026-10-25T{row % 24:02d}:{row % 60:02d},{row % 97},t{row % 3},{row % 2},{row / 7}" for row in range(500)
    ]
    path.write_text("at,a,town,ours,p\n" + "\n".join(lines) + "\n")
    return str(path)


def build(path: Path, *flags: str) -> Any:
    return command("profile", "build", table(path / "t.csv"), *flags, "--output", str(path / "profile.json"))


def test_a_build_takes_time_influence_importance_and_measures(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"valid": {"auc": 0.75}}')
    (tmp_path / "i.json").write_text('{"a": 3, "town": 1}')
    files = ("--metrics", str(tmp_path / "m.json"), "--importance", str(tmp_path / "i.json"))
    result = build(
        tmp_path, "--prediction", "p", "--time", "at", "--time-zone", "Europe/Berlin", "--influenced", "ours", *files
    )
    assert result.returncode == 0, result.stderr
    profile = load(str(tmp_path / "profile.json"))
    assert [column.name for column in profile.features] == ["a", "town"]
    assert (profile.influenced, profile.performance) == (0.5, {"valid.auc": 0.75})
    assert [column.importance for column in profile.features] == [0.75, 0.25]
    assert profile.time is not None
    assert (profile.time.column, profile.time.zone) == ("at", "Europe/Berlin")
    hours = [sum(hour) for hour in profile.features[0].hours]
    assert sum(hours[:144]) == 0
    assert sum(hours) == 500
    again = command("profile", "build", table(tmp_path / "u.csv"), "--like", str(tmp_path / "profile.json"),
                    "--influenced", "ours", "--output", str(tmp_path / "again.json"))  # fmt: skip
    assert again.returncode == 0, again.stderr
    other = load(str(tmp_path / "again.json"))
    assert (other.features, other.outputs, other.time) == (profile.features, profile.outputs, profile.time)


@pytest.mark.parametrize(("flags", "code", "words"), [
    (("--prediction", "p", "--time-zone", "UTC"), 64, "--time-zone: of which column?"),
    (("--prediction", "p", "--time", "at", "--time-zone", "X/Y"), 64, "--time-zone: no time zone is called 'X/Y'"),
    (("--prediction", "p", "--time", "town"), 65, "t.csv: column 'town', row 1: 't0' is no time"),
    (("--prediction", "p", "--influenced", "a"), 65, "column 'a' is neither true, false, 1 nor 0 in"),
    (("--like", "x.json", "--time", "at"), 64, "--time: cannot be said beside --like"),
    (("--prediction", "p", "--metrics", "/none"), 64, "cannot read /none"),
])  # fmt: skip
def test_wrong_flags_are_named_and_nothing_is_written(tmp_path: Path, flags: Any, code: int, words: str) -> None:
    result = build(tmp_path, *flags)
    assert (result.returncode, result.stderr.count("\n")) == (code, 1), result.stderr
    assert words in result.stderr
    assert not (tmp_path / "profile.json").exists()
