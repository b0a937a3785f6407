"""The CPythons from 3.11 on that are at hand: those on PATH, and those that pyenv and uv have installed.

    python3 tests/pythons.py [PYTHON...]    a line each: its version and its path

Named ones are looked at alone. Each version is there once, in its newest release; free threads make another one of it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

_PROGRAM: Final = re.compile(r"python3(\.\d+t?)?")
_ASK: Final = (
    "import json, sys, sysconfig; print(json.dumps(["
    "sys.implementation.name, sys.version_info[:3], bool(sysconfig.get_config_var('Py_GIL_DISABLED')),"
    " sys.version_info.releaselevel == 'final', sys._base_executable]))"
)
_OLDEST: Final = (3, 11)


class Python(NamedTuple):
    """An interpreter."""

    release: tuple[int, ...]
    name: str
    path: str


def at_hand(named: Sequence[str] = ()) -> Mapping[str, str]:
    """Paths by version, the oldest first; those `named` must be there, and fit."""
    found: dict[str, Python] = {}
    for path in named or [*_on_path(), *_of_pyenv(), *_of_uv()]:
        python = _asked(path)
        if python is None and named:
            raise SystemExit(f"{path} is no CPython from 3.11 on")
        if python is not None and (python.name not in found or python.release > found[python.name].release):
            found[python.name] = python
    return {python.name: python.path for python in sorted(found.values())}


def _on_path() -> Iterator[str]:
    for folder in os.get_exec_path():
        if Path(folder).is_dir():
            yield from (str(file) for file in sorted(Path(folder).iterdir()) if _PROGRAM.fullmatch(file.name))


def _of_pyenv() -> Iterator[str]:
    """Also those that are not chosen just now, whose names on PATH only say so."""
    root = _said("pyenv", "root").strip()
    if root:
        yield from map(str, sorted(Path(root, "versions").glob("*/bin/python")))


def _of_uv() -> Iterator[str]:
    listed = _said("uv", "python", "list", "--only-installed", "--output-format", "json")
    yield from (one["path"] for one in json.loads(listed or "[]"))


def _asked(path: str) -> Python | None:
    """None for one that does not run, is older or not CPython, or not yet released.

    It says itself where it is: names on PATH may lead to another one tomorrow.
    """
    answer = _said(path, "-c", _ASK)
    if not answer.startswith("["):
        return None
    try:
        implementation, release, has_free_threads, is_final, itself = json.loads(answer)
    except ValueError:  # whatever it is, it is no Python
        return None
    if implementation != "cpython" or tuple(release[:2]) < _OLDEST or not is_final:
        return None
    name = f"{release[0]}.{release[1]}{'t' if has_free_threads else ''}"
    return Python(tuple(release), name, itself)


def _said(*words: str) -> str:
    """What a command prints; nothing where it is missing or fails."""
    program = shutil.which(words[0])
    if program is None:
        return ""
    done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else ""


if __name__ == "__main__":
    for version, where in at_hand(sys.argv[1:]).items():
        print(version, where)
