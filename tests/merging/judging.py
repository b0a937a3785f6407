"""A real Prometheus as the judge of pages: each is scraped once and either read whole or refused whole."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from support import eventually, free_port, model_server, tool

Page = tuple[str, str]
"""Content type, and text."""


@contextmanager
def scraping(directory: Path, config: str) -> Iterator[str]:
    """A Prometheus with this configuration; gives the address of its API."""
    address = f"127.0.0.1:{free_port()}"
    file = directory / "prometheus.yml"
    file.write_text(config)
    command = [
        tool("prometheus", "prometheus"), f"--config.file={file}", f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={address}", "--log.level=warn",
    ]  # fmt: skip
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield f"http://{address}/api/v1"
        finally:
            process.kill()
            process.wait(10)


def targets(api: str) -> list[dict[str, Any]]:
    """What it says of each target; nothing while it does not answer."""
    try:
        with urllib.request.urlopen(f"{api}/targets", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["activeTargets"]
    except OSError:  # HTTPError is one
        return []
    return found


def judged(directory: Path, pages: Sequence[Page]) -> list[str]:
    """Why each of the pages is refused, empty where it is read."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            media, text = pages[int(self.path.strip("/"))]
            body = text.encode("utf-8", "surrogateescape")
            self.send_response(200)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with model_server(Pages) as port:
        jobs = "\n".join(
            f"  - {{job_name: p{at}, metrics_path: /{at}, honor_timestamps: false, static_configs:"
            f' [{{targets: ["127.0.0.1:{port}"]}}]}}'
            for at in range(len(pages))
        )
        config = f"global: {{scrape_interval: 2s, scrape_timeout: 2s}}\nscrape_configs:\n{jobs}\n"

        with scraping(directory, config) as api:
            found = eventually(lambda: _all_seen(api, len(pages)), what="every page scraped")
    return [found[f"p{at}"] for at in range(len(pages))]


def _all_seen(api: str, count: int) -> dict[str, str]:
    seen = {one["scrapePool"]: one["lastError"] for one in targets(api) if one["health"] != "unknown"}
    time.sleep(0.2)
    return seen if len(seen) == count else {}
