"""Rules go with the package: the demo reads them from there, wherever it is installed."""

import subprocess
import tomllib
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = resources.files("exporter") / "shipped"
ORIGINALS = [*ROOT.glob("alert_rules/*.yml"), *ROOT.glob("alert_rules/*.tmpl")]
SOURCES = [*ROOT.glob("alert_rules/sources/*.yml")]


@pytest.mark.parametrize("original", ORIGINALS, ids=lambda path: path.name)
def test_what_stands_at_the_top_is_what_is_shipped(original: Path) -> None:
    assert (SHIPPED / original.name).read_text() == original.read_text()


@pytest.mark.parametrize("original", SOURCES, ids=lambda path: path.name)
def test_what_rules_are_made_of_is_shipped(original: Path) -> None:
    assert (SHIPPED / "sources" / original.name).read_text() == original.read_text()


def test_nothing_else_is_shipped() -> None:
    assert {file.name for file in SHIPPED.iterdir()} == {"sources", *(original.name for original in ORIGINALS)}
    assert {file.name for file in (SHIPPED / "sources").iterdir()} == {original.name for original in SOURCES}


def test_whatever_is_no_module_is_named_among_what_goes_with_the_package() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["exporter"]
    listed = subprocess.run(["git", "ls-files", "exporter"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [name.removeprefix("exporter/") for name in listed.stdout.splitlines() if not name.endswith(".py")]
    assert "web/status/openapi.json" in files
    assert not [name for name in files if not any(_is_of(name, glob) for glob in told)]


def _is_of(name: str, glob: str) -> bool:
    """As setuptools has it: a star stands for no slash."""
    parts, wanted = name.split("/"), glob.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))
