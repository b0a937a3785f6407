"""Compiled or interpreted, it is the same program. What says which of the two it is, and that it is one of them."""

import importlib
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from exporter import glance

SETUP = Path(__file__).parent.parent / "setup.py"
MEANT = "build/compiled" in os.environ.get("PYTHONPATH", "")


def request_path() -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["setup.py", "--name"])
        return [path.removesuffix(".py").replace("/", ".") for path in runpy.run_path(str(SETUP))["REQUEST_PATH"]]


def test_the_whole_request_path_is_compiled_or_nothing_of_it() -> None:
    paths = [importlib.import_module(name).__file__ or "" for name in request_path()]
    assert {not path.endswith(".py") for path in paths} == {MEANT}, paths


def test_build_info_says_whether_it_is_compiled() -> None:
    code = "from exporter import collect; print(collect._COMPILED)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert said == ("no" if glance.__file__.endswith(".py") else "yes")
    assert said == ("yes" if MEANT else "no")
