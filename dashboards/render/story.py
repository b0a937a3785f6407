"""Plays the demo and draws all dashboards at three of its moments: `make dashboards-render` (DURATION=300 seconds).

    python dashboards/render/story.py --output build/dashboards

Everything else is as render.py has it.
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import render

MINUTES: Final = 300
"""Of the rules, in a whole story."""
MOMENTS: Final = {"healthy": (0, 45), "drifted": (1, 40), "broken": (5, 24)}
"""So many of them after a chapter began: all is well, a feature drifts, the model server is dead."""
DRIFTS: Final = "feature=bp"
"""What the dashboard of one feature shows, unless something else is wanted."""
_OVER: Final = "the story is over"
_DURATION_S: Final = 300.0


@contextmanager
def played(duration_s: float) -> Iterator[tuple[str, list[float]]]:
    """The demo's Prometheus once the whole story was told, and when chapters began; everything is ended afterwards."""
    command = [sys.executable, "-m", "exporter", "demo", "--keep", "--grafana", "off", "--duration", str(duration_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=render.ROOT) as demo:
        try:
            yield _told(demo)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(60)


def _told(demo: "subprocess.Popen[str]") -> tuple[str, list[float]]:
    url, chapters = "", []
    for line in demo.stdout or ():
        print(line, end="")
        if found := re.match(r"\s+Prometheus\s+(http://\S+)", line):
            url = found[1]
        if line.startswith("── "):
            chapters.append(time.time())
            if _OVER in line:
                break
    if not url:
        raise SystemExit("no Prometheus runs: install prometheus and prometheus-alertmanager")
    return url, chapters


def main() -> None:
    """Of the command line: what it does not know is render.py's."""
    parser = render.parser(__doc__ or "")
    parser.add_argument("--duration", type=float, default=_DURATION_S, metavar="SECONDS")
    options = parser.parse_args()
    minute_s = options.duration / MINUTES
    output, options.faster = options.output, 60 / minute_s
    options.var.insert(0, DRIFTS)
    with played(options.duration) as (options.prometheus, chapters):
        for name, (chapter, minutes) in MOMENTS.items():
            options.since, options.until = str(chapters[0]), str(chapters[chapter] + minutes * minute_s)
            options.output = output / name
            render.draw(options)


if __name__ == "__main__":
    main()
