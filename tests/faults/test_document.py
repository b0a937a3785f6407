"""The document says of every fault what became of it, and of none that is not injected."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from faults import document

HERE = Path(__file__).parent


def test_every_fault_of_the_suite_has_its_row_and_every_row_its_fault() -> None:
    injected = [
        title
        for path in sorted(HERE.glob("test_*.py"))
        if path != Path(__file__) and "fault(" in path.read_text()
        for found in vars(import_module(f"faults.{path.stem}")).values()
        for title in _titles(getattr(found, "pytestmark", []))
    ]
    assert len(set(injected)) == len(injected), "two faults of one name"
    rows = document.titles((HERE.parent.parent / "docs" / "reliability.md").read_text())
    assert sorted(rows) == sorted(injected), "make reliability writes it anew"


def _titles(markers: list[Any]) -> Iterator[str]:
    """Of a test, or of those of its cases that are marked."""
    for marker in markers:
        if marker.name == "fault":
            yield marker.args[0].title
        elif marker.name == "parametrize":
            for case in marker.args[1]:
                yield from _titles(list(getattr(case, "marks", [])))
