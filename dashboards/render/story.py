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
MOMENTS: Final = {"healthy": 45, "drifted": 90, "broken": 270}
"""After so many of them: before anything happens, while a feature drifts, after the model server died."""
_OVER: Final = "the story is over"
_DURATION_S: Final = 300.0


@contextmanager
def played(duration_s: float) -> Iterator[tuple[str, float]]:
    """The demo's Prometheus once the whole story was told, and when it began; everything is ended afterwards."""
    command = [sys.executable, "-m", "exporter", "demo", "--keep", "--grafana", "off", "--duration", str(duration_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=render.ROOT) as demo:
        try:
            yield _told(demo)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(60)


def _told(demo: "subprocess.Popen[str]") -> tuple[str, float]:
    url, began = "", 0.0
    for line in demo.stdout or ():
        print(line, end="")
        if found := re.match(r"\s+Prometheus\s+(http://\S+)", line):
            url = found[1]
        if line.startswith("── "):
            began = began or time.time()
            if _OVER in line:
                break
    if not url:
        raise SystemExit("no Prometheus runs: install prometheus and prometheus-alertmanager")
    return url, began


def main() -> None:
    """Of the command line: what it does not know is render.py's."""
    parser = render.parser(__doc__ or "")
    parser.add_argument("--duration", type=float, default=_DURATION_S, metavar="SECONDS")
    options = parser.parse_args()
    minute_s = options.duration / MINUTES
    output, options.faster = options.output, 60 / minute_s
    with played(options.duration) as (options.prometheus, began):
        for name, minutes in MOMENTS.items():
            options.since, options.until = str(began), str(began + minutes * minute_s)
            options.output = output / name
            render.draw(options)


if __name__ == "__main__":
    main()
