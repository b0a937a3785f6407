"""docs/contributing.md: the protocol that it shows works, and all that it names is there."""

import re
from pathlib import Path
from typing import Any

from exporter.decode.payload import Payload, Shelf
from exporter.records import Body, Capture

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "contributing.md").read_text()
JSON = {"content-type": "application/json"}


def payload(content: bytes, shelf: Shelf, rows_in: int = 0) -> Payload:
    return Payload(Body(len(content), Capture.WHOLE, content), JSON, shelf.rows, rows_in)


def test_the_protocol_of_the_page_reads_what_it_says() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    shown: dict[str, Any] = {"__name__": "acme"}
    exec(compile(source, "contributing.md", "exec"), shown)  # noqa: S102 (our own page)
    for side, content, cells in (
        ("REQUEST", b'{"acme_rows": [[1, 2], [3, 4]]}', [[1, 3], [2, 4]]),
        ("RESPONSE", b'{"acme_scores": [0.1, 0.9]}', [[0.1, 0.9]]),
    ):
        shelf = Shelf(shown[side])
        given = payload(content, shelf, 2)
        assert shelf.side_of(given) is shown[side]
        table = shown[side].read(given)
        assert (table.rows, [list(column) for column in table.columns]) == (2, cells)


def test_files_and_tables_of_the_page_are_there() -> None:
    named = set(re.findall(r"`((?:exporter|tests|benchmarks)/[\w/.]*)`", PAGE))
    assert len(named) > 10
    assert {name for name in named if not (ROOT / name).exists()} == set()
    sources = "".join(path.read_text() for path in (ROOT / "exporter").rglob("*.py"))
    sources += (ROOT / "tests" / "feedback" / "places.py").read_text()
    for table in (
        "PROTOCOLS",
        "STATISTICS",
        "OPTIONAL_SCORES",
        "_STATISTICS",
        "_CRITICAL",
        "STORES",
        "_FORMS",
        "PLACES",
    ):
        assert f"`{table}`" in PAGE
        assert re.search(rf"^{table}\b.*= ", sources, re.MULTILINE), table


def test_contracts_of_the_page_are_held() -> None:
    held = (ROOT / "pyproject.toml").read_text()
    contracts = re.findall(r'"([A-Z][^"]+do not know each other)"', " ".join(PAGE.split()))
    assert len(contracts) == 3
    assert all(f'name = "{contract}"' in held for contract in contracts)
