# ruff: noqa: INP001 (a script, not a package)
"""Takes the pictures of the README: `make pictures` (six minutes; needs tmux and the demo's tools).

The demo runs in a real terminal (tmux), whose screen is kept as it is, and drawn by rich. The queries of the dashboard
are asked of the demo's own Prometheus over the whole story, as Grafana would ask them, and drawn by matplotlib in the
dashboard's places. No number is touched; only the drawing is not Grafana's.
"""

import json
import math
import re
import shlex
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from rich.console import Console
from rich.text import Text

ROOT: Final = Path(__file__).parents[1]
IMAGES: Final = Path(__file__).parent / "images"
COLUMNS, LINES = 120, 50
SESSION: Final = "inference-exporter-pictures"
PATIENCE_S: Final = 420.0
TAKEN_AT: Final = "ModelFeatureStuck s6"
"""The terminal's picture is taken when its screen first says so."""
# These two belong to a story of 300 s, the default, in which a minute of the rules takes a second: `5s` is the shorter
# window, and the second chapter lasts from 50 s to 100 s.
SHOWN: Final = {"$model": "diabetes", "$version": "1", "$feature": "bp", "$window": "5s", "$__rate_interval": "5s"}
BARS_AT_S: Final = 90.0
"""Bars and tables show the moment so long after the story's start: the middle of the second chapter."""
COLOURS: Final = {"figure.facecolor": "#111217", "axes.facecolor": "#181b1f", "text.color": "#ccccdc",
                  "axes.edgecolor": "#34373d", "axes.labelcolor": "#ccccdc", "xtick.color": "#9fa0a8",
                  "ytick.color": "#9fa0a8", "grid.color": "#2c2f36", "legend.framealpha": 0.0}  # fmt: skip
STEP_S: Final = 1
UNITS: Final = {"short": "", "reqps": "requests/s", "none": ""}
Json = dict[str, Any]


# --- the terminal


def tmux(*words: str) -> str:
    """A command to the terminal; what it prints."""
    return subprocess.run(["tmux", "-L", SESSION, *words], check=True, capture_output=True, text=True).stdout


@contextmanager
def terminal() -> Iterator[None]:
    """A demo in a terminal of its own; both are ended."""
    command = shlex.join([sys.executable, "-m", "exporter", "demo", "--keep"])
    tmux("new-session", "-d", "-s", SESSION, "-x", str(COLUMNS), "-y", str(LINES), "-c", str(ROOT), command)
    try:
        yield
    finally:
        tmux("send-keys", "-t", SESSION, "C-c")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and tmux_lives():
            time.sleep(0.5)


def tmux_lives() -> bool:
    """The demo has not ended yet: the terminal ends with it."""
    words = ["tmux", "-L", SESSION, "has-session", "-t", SESSION]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def wait_for(words: str) -> str:
    """The screen, with its colours, once it says so."""
    deadline = time.monotonic() + PATIENCE_S
    while words not in tmux("capture-pane", "-p", "-t", SESSION):
        if time.monotonic() > deadline:
            raise SystemExit(f"the terminal never said {words!r}")
        time.sleep(0.5)
    return tmux("capture-pane", "-p", "-e", "-t", SESSION)


def draw_terminal(screen: str, path: Path) -> None:
    """A screen as SVG; fonts are whatever the reader has."""
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(screen.rstrip()))
    svg = console.export_svg(title="make demo")
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))


# --- the dashboard


def ask(url: str, path: str, **parameters: object) -> list[Json]:
    """What Prometheus answers to a query."""
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=30) as answer:
        found: list[Json] = json.load(answer)["data"]["result"]
        return found


def filled(text: str) -> str:
    """A query or a title with the dashboard's variables filled in."""
    for name, value in SHOWN.items():
        text = text.replace(name, value)
    return text


def legend(target: Json, labels: Json) -> str:
    """As Grafana heads a line."""
    form = target.get("legendFormat", "")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), form).replace("__auto", "") or "value"


def with_gaps(found: list[tuple[float, str]], began: float) -> list[tuple[float, float]]:
    """Moments and values of a line, with a NaN where there is no data: what is not there is not drawn."""
    points: list[tuple[float, float]] = []
    for moment, value in found:
        if points and moment - began - points[-1][0] > 1.5 * STEP_S:
            points.append((points[-1][0] + STEP_S, math.nan))
        points.append((moment - began, float(value)))
    return points


def draw_lines(axes: Any, panel: Json, url: str, span: tuple[float, float]) -> None:  # noqa: ANN401
    """A panel of lines over the whole story."""
    for target in panel["targets"]:
        found = ask(url, "query_range", query=filled(target["expr"]), start=span[0], end=span[1], step=STEP_S)
        for series in found:
            seconds, values = zip(*with_gaps(series["values"], span[0]), strict=True)
            axes.plot(seconds, values, lw=1.1, label=legend(target, series["metric"]))
    axes.set_xlim(0, span[1] - span[0])
    axes.grid(lw=0.5)
    if 0 < len(axes.lines) <= 12:
        axes.legend(fontsize=5.5, ncols=4, loc="upper left")


def draw_number(axes: Any, panel: Json, url: str, at: float) -> None:  # noqa: ANN401
    """A panel of one number."""
    found = ask(url, "query", query=filled(panel["targets"][0]["expr"]), time=at)
    text = number(float(found[0]["value"][1]), panel["fieldConfig"]["defaults"]["unit"]) if found else "no data"
    axes.text(0.5, 0.4, text, ha="center", va="center", fontsize=13, color="#73bf69")
    axes.set_axis_off()


def number(value: float, unit: str) -> str:
    """A number in its unit."""
    if unit == "percentunit":
        return f"{value:.0%}"
    return f"{value:.3g} {UNITS.get(unit, unit)}"


def draw_bars(axes: Any, panel: Json, url: str, at: float) -> None:  # noqa: ANN401
    """A panel of bars: live values beside the reference, by bin."""
    legends = list(_renamed(panel).values())
    for place, target in enumerate(panel["targets"]):
        found = ask(url, "query", query=filled(target["expr"]), time=at)
        found.sort(key=lambda series: series["metric"]["bin"])
        texts = [series["metric"].get("text", "") for series in found]
        values = [float(series["value"][1]) for series in found]
        places = [spot + 0.4 * place for spot in range(len(found))]
        axes.bar(places, values, width=0.4, label=legends[place])
        axes.set_xticks([spot + 0.2 for spot in range(len(found))], texts, rotation=60, ha="right", fontsize=5)
    axes.legend(fontsize=6)


def draw_table(axes: Any, panel: Json, url: str, at: float) -> None:  # noqa: ANN401
    """A panel of rows: one feature each."""
    rows: dict[str, list[str]] = {}
    for target in panel["targets"]:
        for series in ask(url, "query", query=filled(target["expr"]), time=at):
            rows.setdefault(series["metric"].get("feature", ""), []).append(f"{float(series['value'][1]):.3g}")
    columns = ["feature", *_renamed(panel).values()]
    cells = [[name, *values][: len(columns)] for name, values in rows.items()]
    cells.sort(key=lambda row: -float(row[1]))
    table = axes.table(
        [row + [""] * (len(columns) - len(row)) for row in cells], colLabels=columns, loc="upper center",
        cellColours=[["#181b1f"] * len(columns)] * len(cells), colColours=["#22252b"] * len(columns),
    )  # fmt: skip
    table.auto_set_font_size(value=False)
    table.set_fontsize(6)
    axes.set_axis_off()


def _renamed(panel: Json) -> dict[str, str]:
    """What the queries' columns are headed by, in the queries' order."""
    found: dict[str, str] = next(
        one["options"]["renameByName"] for one in panel["transformations"] if one["id"] == "organize"
    )
    return found


DRAW: Final = {"stat": draw_number, "barchart": draw_bars, "table": draw_table}


def draw_dashboard(url: str, span: tuple[float, float], path: Path) -> None:
    """Every panel in its place on the dashboard."""
    mpl.use("Agg")
    mpl.rcParams.update(COLOURS | {"font.size": 6.5, "axes.titlesize": 7.5, "axes.titlelocation": "left"})
    from matplotlib import pyplot as plt  # noqa: PLC0415 (the backend is chosen first)

    panels = json.loads((ROOT / "dashboards" / "model-health.json").read_text())["panels"]
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    figure = plt.figure(figsize=(15, height * 0.36))
    for panel in panels:
        spot = panel["gridPos"]
        left, top = spot["x"] / 24, 1 - spot["y"] / height
        if panel["type"] == "row":
            figure.text(0.01, top - 0.8 / height, panel["title"], fontsize=10, weight="bold")
            continue
        axes = figure.add_axes((
            left + 0.022, top - (spot["h"] - 1.3) / height, spot["w"] / 24 - 0.032, (spot["h"] - 2.4) / height
        ))  # fmt: skip
        axes.set_title(filled(panel["title"]))
        if draw := DRAW.get(panel["type"]):
            draw(axes, panel, url, span[0] + BARS_AT_S)
        else:
            draw_lines(axes, panel, url, span)
    figure.savefig(path, dpi=90)


def main() -> None:
    """Both pictures, of one run."""
    IMAGES.mkdir(exist_ok=True)
    with terminal():
        first = wait_for("last row sent")
        began = time.time()
        found = re.search(r"Prometheus\S*\s+\S*(http://127\.0\.0\.1:\d+)", re.sub(r"\x1b\[[0-9;]*m", "", first))
        if not found:
            raise SystemExit("no Prometheus runs: install prometheus and prometheus-alertmanager")
        wait_for(TAKEN_AT)
        time.sleep(1)
        draw_terminal(wait_for(TAKEN_AT), IMAGES / "demo.svg")
        wait_for("▶ the story is over")
        draw_dashboard(found[1], (began, time.time()), IMAGES / "dashboard.png")


if __name__ == "__main__":
    main()
