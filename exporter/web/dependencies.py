"""What a model needs beside its server, on the status page."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from flask import Flask

from exporter.condition import DependencyState
from exporter.web import SECTIONS, escape

_TABLE: Final = """<h2>Dependencies</h2>
<table><tr><th>name</th><th>address</th><th></th><th>last success</th><th>last probe took</th></tr>
{rows}</table>"""


def add(app: Flask, look: Callable[[], Sequence[DependencyState]]) -> None:
    """Put it on the page of an application; `look` gives how they are."""
    app.extensions[SECTIONS].append(lambda: _section(look()))


def _section(found: Sequence[DependencyState]) -> str:
    rows = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _row(one)) + "</tr>\n" for one in found)
    return _TABLE.format(rows="".join(rows)) if found else ""


def _row(one: DependencyState) -> tuple[str, ...]:
    if one.failure is None:
        return one.name, one.place, "not probed yet", "", ""
    how = f"down, {one.failure}: {one.detail}".rstrip(": ") if one.failure else "up"
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(one.success_wall_s)) if one.success_wall_s else "never"
    return one.name, one.place, how, when, f"{one.duration_s:.3f} s"
