# ruff: noqa: INP001 (a script, not a package)
"""Takes the pictures of the README: `make pictures` (six minutes; needs tmux, chromium and the demo's tools).

The demo runs in a real terminal (tmux), whose screen is kept as it is, and drawn by rich. The dashboard is drawn of the
demo's own Prometheus as `make dashboards-render` draws it: with Grafana's UI library, not by Grafana. No number is
touched. The status page is the sidecar's own of that moment, in chromium.
"""

import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

ROOT: Final = Path(__file__).parents[1]
IMAGES: Final = Path(__file__).parent / "images"
COLUMNS, LINES = 120, 50
SESSION: Final = "inference-exporter-pictures"
PATIENCE_S: Final = 420.0
TAKEN_AT: Final = "ModelFeatureStuck s6"
"""The terminal's picture is taken when its screen first says so."""
SHOWN_AT_S: Final = 90.0
"""The dashboard and the status page show the story so far, so long after its start: late in the second chapter of a
story of 300 s."""
STATUS_SIZE: Final = "1280,1500"
"""Pixels of the status page: the verdict and what moved."""
FASTER: Final = 60
"""In such a story a minute of the rules takes a second."""


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


def draw_dashboard(url: str, began: float, path: Path) -> None:
    """As of the moment that it shows."""
    script, board = ROOT / "dashboards" / "render" / "render.py", ROOT / "dashboards" / "model-health.json"
    span = ["--from", str(began), "--to", str(began + SHOWN_AT_S), "--faster", str(FASTER)]
    with tempfile.TemporaryDirectory() as directory:
        where = ["--prometheus", url, "--theme", "dark", "--output", directory]
        subprocess.run([sys.executable, str(script), str(board), *span, *where], check=True)
        path.write_bytes((Path(directory) / "model-health-dark.png").read_bytes())


# --- the status page


def take_status(url: str, path: Path) -> None:
    """As it is now."""
    with tempfile.TemporaryDirectory() as directory:
        look = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={directory}"]
        taken = [f"--screenshot={path}", f"--window-size={STATUS_SIZE}", url]
        subprocess.run(["chromium", *look, *taken], check=True, capture_output=True)


def address(name: str, screen: str) -> str:
    """What the demo says where somebody is."""
    found = re.search(rf"{name}\S*\s+\S*(http://127\.0\.0\.1:\d+)", re.sub(r"\x1b\[[0-9;]*m", "", screen))
    if not found:
        raise SystemExit(f"no {name} runs: install prometheus and prometheus-alertmanager")
    return found[1]


def main() -> None:
    """All pictures, of one run."""
    IMAGES.mkdir(exist_ok=True)
    with terminal():
        first = wait_for("last row sent")
        began = time.time()
        prometheus = address("Prometheus", first)
        time.sleep(SHOWN_AT_S)
        take_status(address("status page", first), IMAGES / "status-page.png")
        wait_for(TAKEN_AT)
        time.sleep(1)
        draw_terminal(wait_for(TAKEN_AT), IMAGES / "demo.svg")
        wait_for("▶ the story is over")
        draw_dashboard(prometheus, began, IMAGES / "dashboard.png")


if __name__ == "__main__":
    main()
