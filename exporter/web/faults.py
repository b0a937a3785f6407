"""What seems to have happened to features and outputs that drift, on the status page."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from flask import Flask

from exporter.snapshots import DIAGNOSIS, BlockSnapshot, Listed
from exporter.web import SECTIONS, escape
from exporter.web.windows import Scored

_TABLE: Final = """<h2>What seems to have happened</h2>
<p>To features and outputs that drift; where nothing is said of one, no one explanation fits.</p>
<table><tr><th>model</th><th>version</th><th>fault</th><th></th></tr>
{rows}</table>"""


def add(app: Flask, scored: Callable[[], Sequence[Scored]]) -> None:
    """Put it first on the page of an application; `scored` gives what was scored last."""
    app.extensions[SECTIONS].insert(0, lambda: _section(scored()))


def _section(models: Sequence[Scored]) -> str:
    rows = [
        (*one.label, *found)
        for one in models for block in (one.snapshot.features, one.snapshot.outputs) for found in _found(block)
    ]  # fmt: skip
    lines = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    return _TABLE.format(rows="".join(lines)) if rows else ""


def _found(block: BlockSnapshot | None) -> Iterator[tuple[str, ...]]:
    """Code and sentence of each column that has them."""
    for one in block.aspects if block else ():
        if isinstance(one, Listed) and one.word == DIAGNOSIS:
            yield one.labels
