"""Files that commands make: whole or not at all, untouched where they are as they should be."""

import os
from pathlib import Path

import pytest

from exporter import made_files
from exporter.errors import ConfigError

MADE = {"one.json": "{}\n", "in/side.yml": "ä: 1\n"}


def test_directories_are_made_and_a_second_time_nothing_is_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_files.write(str(tmp_path / "new"), MADE)
    paths = [tmp_path / "new" / name for name in MADE]
    assert capsys.readouterr().out.splitlines() == [str(path) for path in paths]
    assert [path.read_bytes().decode() for path in paths] == [*MADE.values()]
    for path in paths:
        os.utime(path, (1, 1))
    made_files.write(str(tmp_path / "new"), MADE)
    assert capsys.readouterr().out.splitlines() == [f"{path} is as it should be" for path in paths]
    assert {path.stat().st_mtime for path in paths} == {1}


def test_what_cannot_be_put_in_place_leaves_nothing_half_made(tmp_path: Path) -> None:
    (tmp_path / "one.json" / "in the way").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"--output: cannot write .*one.json: Is a directory"):
        made_files.write(str(tmp_path), MADE)
    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]


@pytest.mark.parametrize("where", ["a file", "a file/below"])
def test_where_no_directory_can_be_it_is_said(tmp_path: Path, where: str) -> None:
    (tmp_path / "a file").write_text("mine")
    with pytest.raises(ConfigError, match=r"--output: cannot write .*a file"):
        made_files.write(str(tmp_path / where), MADE)
    assert (tmp_path / "a file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match=r"--output: cannot write .*: Permission denied"):
        made_files.write(str(tmp_path), MADE)


def test_what_is_kept_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_files.write(str(tmp_path), {}, {"own.yml": "a: 1\n"})
    (tmp_path / "own.yml").write_text("a: 2\n")
    made_files.write(str(tmp_path), {}, {"own.yml": "a: 1\n"})
    assert capsys.readouterr().out.splitlines()[-1] == f"{tmp_path / 'own.yml'} is yours"
    assert (tmp_path / "own.yml").read_text() == "a: 2\n"


def test_a_check_names_what_differs_what_is_missing_and_what_is_left_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_files.write(str(tmp_path), MADE)
    assert made_files.check(str(tmp_path), MADE, []) == 0
    capsys.readouterr()
    (tmp_path / "one.json").write_text("{}")
    (tmp_path / "in" / "side.yml").unlink()
    assert made_files.check(str(tmp_path), MADE, [tmp_path / "old.json"]) == made_files.DIFFERS
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path / 'one.json'} is another",
        f"{tmp_path / 'in' / 'side.yml'} is missing",
        f"{tmp_path / 'old.json'} is made no more",
    ]


def test_a_check_of_what_is_no_directory_or_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--check: no directory: "):
        made_files.check(str(tmp_path / "none"), MADE, [])
    (tmp_path / "one.json").mkdir()
    with pytest.raises(ConfigError, match=r"--check: cannot read .*one.json: Is a directory"):
        made_files.check(str(tmp_path), MADE, [])
