"""How golden requests are answered, on the status page: the only place but the log where answers are shown."""

import time
from collections.abc import Callable
from typing import Final

from flask import Flask

from exporter.checked import CaseChecked, GoldenChecked, VersionChecked
from exporter.web import SECTIONS, escape

_HEAD: Final = """<h2>Golden requests</h2>
<p>{words}</p>
"""
_TABLE: Final = """<table><tr><th>model</th><th>version</th><th>case</th><th></th><th>failed in a row</th></tr>
{rows}</table>"""
_MOST_PASSING: Final = 20
"""That are listed of a version; of those that fail all that are known."""


def add(app: Flask, look: Callable[[], GoldenChecked | None]) -> None:
    """Put it on the page of an application; `look` gives how they stand."""
    app.extensions[SECTIONS].append(lambda: _section(look()))


def _section(found: GoldenChecked | None) -> str:
    if found is None:
        return ""
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _row(one, case)) + "</tr>\n"
        for one in found.versions for case in _listed(one)
    )  # fmt: skip
    return _HEAD.format(words=escape(_words(found))) + (_TABLE.format(rows=rows) if rows else "")


def _words(found: GoldenChecked) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found.round_wall_s))
    last = f"last at {when}" if found.round_wall_s else "not one round yet"
    fault = f" The file cannot be used: {found.fault}" if found.fault else ""
    counts = "".join(f" {one.model} {one.version}: {one.asked - one.failing[1]} of {one.asked} pass."
                     for one in found.versions)  # fmt: skip
    return f"{found.cases} cases every {found.interval_s:g} s, {last}.{counts}{fault}"


def _listed(one: VersionChecked) -> list[CaseChecked]:
    failing = [case for case in one.cases if case.failed_times]
    return failing + [case for case in one.cases if not case.failed_times][:_MOST_PASSING]


def _row(one: VersionChecked, case: CaseChecked) -> tuple[str, ...]:
    how = f"fails, {case.reason}: {case.detail}".rstrip(": ") if case.failed_times else "passes"
    return one.model, one.version, case.name, how, str(case.failed_times or "")
