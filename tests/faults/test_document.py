"""The document says of every fault what became of it, and of none that is not injected."""

from importlib import import_module
from pathlib import Path

from faults import document

HERE = Path(__file__).parent


def test_every_fault_of_the_suite_has_its_row_and_every_row_its_fault() -> None:
    injected = [
        marker.args[0].title
        for path in sorted(HERE.glob("test_*.py"))
        if "@fault(" in path.read_text()
        for found in vars(import_module(f"faults.{path.stem}")).values()
        for marker in getattr(found, "pytestmark", [])
        if marker.name == "fault"
    ]
    assert len(set(injected)) == len(injected), "two faults of one name"
    rows = document.titles((HERE.parent.parent / "docs" / "reliability.md").read_text())
    assert sorted(rows) == sorted(injected), "make reliability writes it anew"
