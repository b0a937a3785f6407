"""The dashboards as documents list them: what each answers, and what it has from the rules."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from exporter.dashboards.boards import BOARDS
from exporter.dashboards.pieces import Board
from exporter.rules import files

_HEAD: Final = "| dashboard | answers | panels |\n|---|---|---|"
_HEAD_OF_RULES: Final = "| dashboard | file of rules | panels that are empty without it |\n|---|---|---|"
_RECORDED: Final = re.compile(r"\b[a-z_]+(?::\w+)+")


def boards() -> str:
    """A table: a dashboard each."""
    return "\n".join([_HEAD, *map(_row, BOARDS)])


def _row(board: Board) -> str:
    panels = sum(1 for row in board.rows for _ in row.panels())
    return f"| [{board.title}](../dashboards/{board.uid}.json) | {board.question} | {panels} |"


def rules() -> str:
    """A table: which panels ask for series that rules record."""
    places = _places()
    return "\n".join([_HEAD_OF_RULES, *(row for board in BOARDS for row in _rows_of_rules(board, places))])


def _rows_of_rules(board: Board, places: Mapping[str, str]) -> Iterator[str]:
    needed: dict[str, list[str]] = {}
    for row in board.rows:
        for panel in row.panels():
            asked = {name for query in panel.queries for name in _RECORDED.findall(query.expr)}
            for file in sorted({places[name] for name in asked if name in places}):
                needed.setdefault(file, []).append(panel.title)
    for file, titles in sorted(needed.items()):
        yield f"| {board.title} | [{file}](../alert_rules/{file}) | {'; '.join(titles)} |"


def _places() -> Mapping[str, str]:
    """The file of each recorded series."""
    return {
        name: file
        for file, text in files.made(files.defaults())
        for name in re.findall(r"- record: (\S+)", text)
    }  # fmt: skip
