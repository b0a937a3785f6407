"""How far each model is from a page, on the status page: evidence, what it rests on, and what has most of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from flask import Flask

from exporter.evidence.standing import DEFAULT, STAGES
from exporter.evidence.verdict import Places, Verdict
from exporter.web import SECTIONS, escape
from exporter.web.windows import Scored

_MOST_NAMED: Final = 3
_WORTH_NAMING_NATS: Final = 1.0
_TABLE: Final = """<h2>Evidence of drift</h2>
<p>A model pages where its evidence reaches the threshold.</p>
<table><tr><th>model</th><th>version</th><th>evidence</th><th>slow drift</th><th>watched since</th><th>rests on</th>\
<th>most of it</th></tr>
{rows}</table>"""


class _Watched(NamedTuple):
    """A model of which evidence is gathered, and its columns that nobody has said to ignore."""

    model: Scored
    told: Verdict
    shown: Places
    """Their places in the verdict."""
    names: Sequence[str]


def add(app: Flask, scored: Callable[[], Sequence[Scored]]) -> None:
    """Put it on the page of an application; `scored` gives what was scored last."""
    app.extensions[SECTIONS].append(lambda: _section(scored()))


def _section(models: Sequence[Scored]) -> str:
    rows = [_cells(one) for one in _watched(models)]
    lines = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    return _TABLE.format(rows="".join(lines)) if rows else ""


def _watched(models: Sequence[Scored]) -> Iterator[_Watched]:
    for one in models:
        if (told := one.snapshot.evidence) is not None:
            blocks = ((one.snapshot.features, one.profile.features), (one.snapshot.outputs, one.profile.outputs))
            columns = [
                (column.name, rule) for block, side in blocks if block is not None
                for column, rule in zip(side, block.said, strict=True)
            ]  # fmt: skip
            shown = [at for at, (_, rule) in enumerate(columns) if not rule.ignore]
            yield _Watched(one, told, np.array(shown, np.int64), [columns[at][0] for at in shown])


def _cells(one: _Watched) -> tuple[str, ...]:
    told = one.told
    return (
        *one.model.label, _against(told.nats, told.threshold, "pages"),
        _against(told.slow_nats, told.slow_threshold, "makes a ticket"), _clock(told.began_s), _basis(one),
        "; ".join(_most(one)),
    )  # fmt: skip


def _against(nats: float, threshold: float, what: str) -> str:
    words = f"{nats:.1f} of {threshold:.1f} nats"
    return f"{words}: {what}" if nats >= threshold else words


def _basis(one: _Watched) -> str:
    """What it rests on: measured, or which defaults."""
    if one.told.planned:
        return "paused for a planned event"
    if one.told.is_ready(one.shown):
        return "measured"
    defaults = int((one.told.source[one.shown] == DEFAULT).sum())
    if defaults:
        return f"{STAGES[one.told.stage]} defaults of {defaults} of {len(one.names)} columns, until traffic is known"
    return "requests that come as one are measured, hours are not yet"


def _most(one: _Watched) -> Iterator[str]:
    """The columns with most evidence, and what has happened to those that are named."""
    told, named = one.told, one.told.named(one.shown)
    nats = told.streams[one.shown]
    for at in np.argsort(-nats, kind="stable")[:_MOST_NAMED].tolist():
        place = int(one.shown[at])
        if named[place]:
            happened = [word for word in told.happened(place)._replace(bin="") if word]
            yield f"{one.names[at]} {nats[at]:.1f} ({', '.join(happened)}, since {_clock(told.onset_s[place])})"
        elif nats[at] >= _WORTH_NAMING_NATS:
            yield f"{one.names[at]} {nats[at]:.1f}"


def _clock(wall_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(wall_s))
