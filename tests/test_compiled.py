"""Compiled or interpreted, it is the same program. What says which of the two it is, and that it is one of them."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

from exporter import glance

SETUP = Path(__file__).parent.parent / "setup.py"
MEANT = "build/compiled" in os.environ.get("PYTHONPATH", "")


def request_path() -> list[str]:
    [names] = [
        ast.literal_eval(line.value)
        for line in ast.parse(SETUP.read_text()).body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "REQUEST_PATH"
    ]
    return [f"exporter.{name.replace('/', '.')}" for name in names]


def test_the_whole_request_path_is_compiled_or_nothing_of_it() -> None:
    paths = [importlib.import_module(name).__file__ or "" for name in request_path()]
    assert {not path.endswith(".py") for path in paths} == {MEANT}, paths


def test_build_info_says_whether_it_is_compiled() -> None:
    code = "from exporter import collect; print(collect._COMPILED)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert said == ("no" if glance.__file__.endswith(".py") else "yes")
    assert said == ("yes" if MEANT else "no")
