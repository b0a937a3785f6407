"""What the status page and `/api/v1` cost: bytes, and CPU time of the analyser, by number of features.

    make bench-status                    a minute; ARGS="--features 100"

The model is as a day leaves it (see `full_page`), its panes answer from a thread as the analyser's loop does. `made` is
the first request after a snapshot: facts, panes, page or JSON, packed; `again` is one of the same snapshot, `unchanged`
one of a client that has it. Medians over rounds. What all who ask together may cost is bounded beside: see `budget`.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from flask import Flask
from flask.testing import FlaskClient
from full_page import ENDS_S, STARTED_S, Watched, monitored

from exporter import config
from exporter.monitor import Monitor
from exporter.records import Label
from exporter.rules import files
from exporter.status.panes import Desk
from exporter.status.told import Told
from exporter.web import status
from exporter.web.limits import Bucket
from exporter.web.status import api, page
from exporter.web.status.budget import Budget

SETTINGS = config.resolve(("benchmark", {"upstream": "http://127.0.0.1:9"}))
EARLIER_S = STARTED_S + ENDS_S - 7200
ASKED = (
    "/", f"/?at={EARLIER_S:.0f}", "/?feature=f0000", "/api/v1/status", "/api/v1/features?per_page=100",
    "/api/v1/feature?name=f0000", "/api/v1/trails", f"/api/v1/moment?at={EARLIER_S:.0f}",
)  # fmt: skip
TURN_S = 0.005


class Known(NamedTuple):
    """A model that is watched, as the desk has it."""

    label: Label
    monitor: Monitor


class Cost(NamedTuple):
    """Of one address: bytes, packed, and milliseconds."""

    size: int
    packed: int
    made: float
    again: float
    unchanged: float


@contextmanager
def answering(desk: Desk, known: Known) -> Iterator[None]:
    """As long as the block lasts, panes are told."""
    over = threading.Event()

    def turns() -> None:
        while not over.wait(TURN_S):
            desk.answer([known])

    thread = threading.Thread(target=turns)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of CPU time, of all threads."""
    begun = time.process_time()
    work()
    return 1000 * (time.process_time() - begun)


def cost(browser: FlaskClient, path: str, fresh: Callable[[], None], rounds: int) -> Cost:
    """Each round has a new snapshot."""
    packed = {"Accept-Encoding": "gzip"}
    made, again, unchanged = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        fresh()
        made.append(timed(lambda: browser.get(path, headers=packed).close()))
        again.append(timed(lambda: browser.get(path, headers=packed).close()))
        with browser.get(path) as whole:
            size, tag = len(whole.data), whole.headers["ETag"]
        unchanged.append(timed(lambda: browser.get(path, headers={"If-None-Match": tag}).close()))  # noqa: B023 (at once)
    with browser.get(path, headers=packed) as answer:
        return Cost(size, len(answer.data), *map(statistics.median, (made, again, unchanged)))


def measure(features: int, rounds: int) -> None:
    """Rows of the table."""
    with tempfile.TemporaryDirectory() as directory:
        shown, monitor = monitored(Watched(features=features, rows=20 if features > 500 else 50), Path(directory))
    desk = Desk(lambda at: at + STARTED_S, lambda: ENDS_S)
    told, budget, app = Told(SETTINGS, files.defaults, desk), Budget(Bucket(1e9, 1e9)), Flask("x", static_folder=None)
    page.add(app, told, status.NOWHERE, budget)
    api.add(app, told, budget)
    with answering(desk, Known(Label(*shown.scenes[0].labels), monitor)):
        for path in ASKED:
            found = cost(app.test_client(), path, lambda: told.show(replace(shown)), rounds)
            print(f"| {features} | {path} | {found.size:,} | {found.packed:,} "
                  f"| {found.made:.1f} | {found.again:.1f} | {found.unchanged:.1f} |", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    print("| features | asked | bytes | packed | made, ms | again | unchanged |\n|---|---|---|---|---|---|---|")
    for features in given.features:
        measure(features, given.rounds)


if __name__ == "__main__":
    main()
