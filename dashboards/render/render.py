"""Draws dashboards as Grafana would: its queries asked of a Prometheus, drawn with Grafana's own UI library.

    python dashboards/render/render.py --prometheus http://127.0.0.1:9090 dashboards/model-health.json

What npm lacks of Grafana (bar charts, tables, state timelines, status histories, heat maps) is drawn here, with
Grafana's colours, units and words. `make dashboards-render` sets up what it takes.
"""

import argparse
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import asking
import browser
from asking import Json, Prometheus
from spans import Span, moment, seconds

from exporter.demo.compression import compressed

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
WIDTH: Final = 1600
THEMES: Final = ("dark", "light")
SLOW_S: Final = 1.0
"""Queries that take longer are told."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves the page to the browser without a word."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
        """Nothing."""


@contextmanager
def served(page: Path) -> Iterator[str]:
    """The page's address while it is needed."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(page))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def panels(board: Json, *, is_opened: bool) -> Iterator[Json]:
    """Those that ask: in folded rows only where these are opened."""
    for panel in board["panels"]:
        if panel["type"] != "row":
            yield panel
        elif is_opened or not panel.get("collapsed"):
            yield from panel.get("panels", ())


def written(board: Json, prometheus: Prometheus, chosen: dict[str, str], *, is_opened: bool) -> Json:
    """All that the page needs to know, but for its theme."""
    known = asking.variables(board, prometheus, chosen)
    found: dict[int, list[Json]] = {}
    for panel in panels(board, is_opened=is_opened):
        asked = [*asking.answers(panel, prometheus, known, WIDTH * panel["gridPos"]["w"] / 24 - 16)]
        found[panel["id"]] = [one.answer for one in asked]
        for answer, took in asked:
            if answer["error"] or took > SLOW_S:
                print(f"{board['title']}: {panel['title']}, {answer['refId']}: {answer['error'] or f'{took:.1f} s'}")
    begin, end = (datetime.fromtimestamp(at, UTC) for at in prometheus.span)
    return {
        "board": board, "width": WIDTH, "isOpened": is_opened, "answers": found, "timeZone": "utc",
        "from": prometheus.span.begin * 1000, "to": prometheus.span.end * 1000,
        "times": f"{begin:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} UTC",
        "variables": [
            {"name": one.name, "label": one.label, "text": one.text, "isHidden": one.is_hidden} for one in known
        ],
        "values": {one.name: one.text for one in known},
        "annotations": asking.annotations(board, prometheus, known),
    }  # fmt: skip


def draw(options: argparse.Namespace) -> None:
    """Each board in each theme."""
    now = time.time()
    given = options.scrape_interval
    interval = seconds(given) if given else asking.scrape_interval(options.prometheus)
    chosen = dict(one.split("=", 1) for one in options.var)
    beside = [{name: one.get(name) for name in ("uid", "title", "tags")} for one in beside_of(options.boards)]
    for directory in (options.output, options.page / "data"):
        directory.mkdir(parents=True, exist_ok=True)
    with served(options.page) as url, browser.opened() as page:
        for path in options.boards:
            board = compressed(json.loads(path.read_text(encoding="utf-8")), options.faster)
            begin, end = (moment(at, now) for at in (options.since or board["time"]["from"], options.until))
            prometheus = Prometheus(options.prometheus, Span(begin, end), interval)
            known = written(board, prometheus, chosen, is_opened=options.open_rows) | {"boards": beside}
            for theme in options.theme or THEMES:
                name = f"{path.stem}-{theme}"
                data = json.dumps(known | {"theme": theme})
                (options.page / "data" / f"{name}.json").write_text(data, encoding="utf-8")
                picture, words = page.picture(f"{url}/index.html?data={name}", WIDTH)
                (options.output / f"{name}.png").write_bytes(picture)
                (options.output / f"{name}.txt").write_text(words + "\n", encoding="utf-8")
                print(options.output / f"{name}.png")


def beside_of(paths: Sequence[Path]) -> list[Any]:
    """The dashboards that links lead to: those in the same directories."""
    directories = sorted({path.resolve().parent for path in paths})
    return [json.loads(path.read_text()) for directory in directories for path in sorted(directory.glob("*.json"))]


def parser(said: str) -> argparse.ArgumentParser:
    """Of the command line, without the Prometheus."""
    known = argparse.ArgumentParser(description=said, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = known.add_argument
    add("boards", nargs="*", type=Path, help="dashboards; all that are shipped if none is given",
        default=sorted((ROOT / "dashboards").glob("*.json")))  # fmt: skip
    add("--var", action="append", default=[], metavar="NAME=VALUE", help="instead of what Grafana would choose first")
    add("--from", dest="since", metavar="TIME", help="now-6h, seconds since 1970, or ISO; else the dashboard's own")
    add("--to", dest="until", metavar="TIME", default="now")
    add("--theme", action="append", choices=THEMES, help="both if not given")
    add("--scrape-interval", metavar="TIME", help="of the data source; else as Prometheus is set")
    add("--faster", type=float, default=1, metavar="FACTOR", help="of a demo, in which minutes pass in seconds: 60")
    add("--open-rows", action="store_true", help="show folded rows unfolded")
    add("--output", type=Path, default=ROOT / "build" / "dashboards", metavar="DIRECTORY")
    add("--page", type=Path, default=ROOT / "build" / "render", help=argparse.SUPPRESS)
    return known


def main() -> None:
    """Of the command line."""
    known = parser(__doc__ or "")
    known.add_argument("--prometheus", required=True, metavar="URL")
    draw(known.parse_args())


if __name__ == "__main__":
    main()
