"""For whom each model is worse than for all others, on the status page, once the truth is known."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from flask import Flask

from exporter.performed import WorstSegment
from exporter.web import SECTIONS, escape
from exporter.web.windows import Scored

_TABLE: Final = """<h2>Whom a model serves worse</h2>
<p>Parts of the traffic in which more answers were wrong than in all the rest, by more than what is tolerated and than
chance explains.</p>
<table><tr><th>model</th><th>version</th><th>part</th><th>truths since</th><th>evidence</th></tr>
{rows}</table>"""


def add(app: Flask, scored: Callable[[], Sequence[Scored]]) -> None:
    """Put it on the page of an application; `scored` gives what was scored last."""
    app.extensions[SECTIONS].append(lambda: _section(scored()))


def _section(models: Sequence[Scored]) -> str:
    rows = [row for one in models for row in _rows(one)]
    lines = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    return _TABLE.format(rows="".join(lines)) if rows else ""


def _rows(one: Scored) -> Iterator[tuple[str, ...]]:
    performed = one.snapshot.performed
    searched = performed.searched if performed else None
    if searched is None:
        return
    for part in searched.worst:
        since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(part.began_s))
        yield *one.label, _sentence(part), since, f"{part.nats:.1f} of {searched.threshold:.1f} nats"


def _sentence(part: WorstSegment) -> str:
    return f"{part.text}: wrong {part.error:.1%} of {part.rows:,} answers, all others {part.others_error:.1%}"
