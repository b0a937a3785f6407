"""Rules go with the package: the demo reads them from there, wherever it is installed."""

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
