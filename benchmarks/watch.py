"""What a sidecar's processes hold, as /proc says, and what its /metrics page says, at one moment."""

import contextlib
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from processes import command, started_s, tree

Sample = dict[str, float]
"""Numbers by name: `worker-0 own`, `page series`."""
_PREFIX = "inference_exporter_"


def processes(supervisor: int) -> dict[str, int]:
    """Process ids by name, as /metrics has them. Supervisors start workers in their order, and worker-0 is spared."""
    found = {"supervisor": supervisor}
    workers = []
    for pid in tree(supervisor)[1:]:
        with contextlib.suppress(OSError):
            words = command(pid)
            if "exporter.analyser" in words:
                found["analyser"] = pid
            elif "exporter.worker" in words:
                workers.append(pid)
    return found | {f"worker-{number}": pid for number, pid in enumerate(sorted(workers, key=started_s))}


def weigh(pid: int) -> Sample:
    """What one process holds, memory in bytes; empty where it has just ended.

    `own` is what no other process can have mapped (RssAnon): `uss` also holds pages of a ring that the other side has
    not touched yet.
    """
    place = Path(f"/proc/{pid}")
    try:
        status = _fields(place / "status")
        memory = _fields(place / "smaps_rollup")
        return {
            "own": status["RssAnon"] * 1024,
            "rss": status["VmRSS"] * 1024,
            "pss": memory["Pss"] * 1024,
            "uss": (memory["Private_Clean"] + memory["Private_Dirty"]) * 1024,
            "descriptors": len(list((place / "fd").iterdir())),
            "threads": status["Threads"],
            "mappings": len((place / "maps").read_bytes().splitlines()),
        }
    except (OSError, KeyError):
        return {}


def _fields(file: Path) -> dict[str, int]:
    pairs = (line.split()[:2] for line in file.read_text().splitlines())
    return {pair[0].rstrip(":"): int(pair[1]) for pair in pairs if len(pair) > 1 and pair[1].isdigit()}


class Page:
    """One scrape."""

    def __init__(self, text: str) -> None:
        self.length = len(text)
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        self.values: Mapping[str, float] = {name: float(value) for name, _, value in lines}

    def total(self, name: str) -> float:
        """The sum of a family of our own."""
        return sum(value for key, value in self.values.items() if key.partition("{")[0] == _PREFIX + name)

    def sample(self) -> Sample:
        """What is judged of it, or must be zero in a lull."""
        fills = [value for key, value in self.values.items() if key.startswith(_PREFIX + "ring_fill_ratio{")]
        return {
            "series": len(self.values),
            "bytes": self.length,
            "ring fill": max(fills),
            "ring queued": self.total("ring_queued_bytes"),
            "connections": self.total("proxy_connections_open"),
            "in flight": sum(value for key, value in self.values.items() if key.startswith("model_requests_in_flight")),
            "offered": self.total("exchanges_offered_total"),
        }


def scrape(port: int) -> Page | None:
    """The page; None while nobody serves it."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            return Page(page.read().decode())
    except OSError:
        return None
