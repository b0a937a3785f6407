"""Which interpreters `make test-pythons` takes."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import pythons
from support import tool

ROOT = Path(__file__).parents[1]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(path: Path, says: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return str(path)


def python(path: Path, release: str, implementation: str = "cpython", free: str = "false", final: str = "true") -> str:
    return program(path, f'["{implementation}", [{release}], {free}, {final}, "{path}"]')


def test_this_one_is_taken() -> None:
    name = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert list(pythons.at_hand([sys.executable])) == [name]


def test_each_version_is_there_once_in_its_newest_release_the_oldest_first(bare: Path) -> None:
    newer = python(bare / "python3", "3, 12, 4")
    python(bare / "python3.12", "3, 12, 1")
    other = python(bare / "python3.11", "3, 11, 9")
    assert list(pythons.at_hand().items()) == [("3.11", other), ("3.12", newer)]


def test_free_threads_make_another_one(bare: Path) -> None:
    python(bare / "python3.13", "3, 13, 0")
    free = python(bare / "python3.13t", "3, 13, 0", free="true")
    assert pythons.at_hand()["3.13t"] == free


def test_those_of_pyenv_and_uv_are_at_hand_too(bare: Path) -> None:
    ours, theirs = bare / "versions" / "3.13.0" / "bin" / "python", bare / "elsewhere" / "python3.14"
    program(bare / "pyenv", str(bare))
    program(bare / "uv", f'[{{"path": "{theirs}"}}]')
    wanted = {"3.13": python(ours, "3, 13, 0"), "3.14": python(theirs, "3, 14, 2")}
    assert pythons.at_hand() == wanted


@pytest.mark.parametrize("unfit", ["older", "another implementation", "not yet released", "chosen nowhere"])
def test_what_does_not_fit_is_left_out_and_refused_where_it_is_named(bare: Path, unfit: str) -> None:
    path = bare / "python3.13"
    match unfit:
        case "older":
            python(path, "3, 10, 1")
        case "another implementation":
            python(path, "3, 13, 1", implementation="pypy")
        case "not yet released":
            python(path, "3, 15, 0", final="false")
        case _:
            program(path, "pyenv: python3.13: command not found")
    assert not pythons.at_hand()
    with pytest.raises(SystemExit, match=f"{path} is no CPython"):
        pythons.at_hand([os.fspath(path)])


def test_a_program_that_answers_anything_else_is_no_python(bare: Path) -> None:
    fake = program(bare / "python3.12", "[junk")
    assert pythons.at_hand() == {}
    with pytest.raises(SystemExit, match="is no CPython"):
        pythons.at_hand([fake])


def test_what_make_runs_knows_no_more_words_where_the_path_has_a_space(tmp_path: Path) -> None:
    place = tmp_path / "a space"
    (place / "exporter").mkdir(parents=True)
    for name in ("Makefile", "setup.py", "pyproject.toml"):
        shutil.copy(ROOT / name, place)
    make = tool("make", "make")
    done = subprocess.run([make, "-n", "test-compiled"], cwd=place, capture_output=True, text=True, check=True)
    (line,) = (line for line in done.stdout.splitlines() if "PYTHONSAFEPATH" in line)
    assert shlex.split(line)[:4] == [
        "PYTHONSAFEPATH=1", f"PYTHONPATH={place}/build/compiled", ".ci/tests", ".venv/bin/python",
    ]  # fmt: skip
