"""The shipped dashboards, as files."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]
ROOT = Path(__file__).parents[1]
STAND_INS = {
    "$__rate_interval": "5m", "$__range": "6h", "$__interval": "1m", "$window": "1h", "$model": "churn",
    "$version": "7", "$feature": "amount", "$job": ".+",
}  # fmt: skip
"""What variables may be."""
BOARDS: dict[str, Json] = {path.stem: json.loads(path.read_text()) for path in sorted(ROOT.glob("dashboards/*.json"))}


def every_panel(board: Json) -> Iterator[Json]:
    """Those in folded rows, too; the rows themselves not."""
    for panel in board["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


def queries(boards: Iterable[Json] = tuple(BOARDS.values())) -> Iterator[tuple[str, str]]:
    """Where it stands and the query, with variables replaced by what they may be."""
    for board in boards:
        for panel in every_panel(board):
            for target in panel.get("targets", ()):
                yield f"{board['title']}: {panel['title']}, {target['refId']}", substituted(target["expr"])
        for annotation in board["annotations"]["list"]:
            yield f"{board['title']}: {annotation['name']}", substituted(annotation["expr"])


def substituted(text: str) -> str:
    """With variables replaced by what they may be."""
    for name, value in STAND_INS.items():
        text = text.replace(name, value)
    assert "$" not in text
    return text
