"""What telling costs: facts of one page, made of a snapshot once somebody asks, and as JSON, by number of features.

The model is as a day leaves it (see `full_page`). Each round has a new page; medians of CPU time are told. What is
asked a second time of the same page costs nothing: it is told beside as "again".
"""

import argparse
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson
from full_page import Watched, whole

from exporter import config
from exporter.collect.scene import Page
from exporter.rules import files
from exporter.status.told import Told

SETTINGS = config.resolve(("benchmark", {"upstream": "http://127.0.0.1:9"}))


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of CPU time."""
    begun = time.process_time()
    work()
    return 1000 * (time.process_time() - begun)


def costs(page: Page, rounds: int) -> dict[str, float]:
    """Medians by what is asked."""
    limits, found = files.defaults(), dict[str, list[float]]()
    told = Told(SETTINGS, lambda: limits)
    of = (page.scenes[0].model, page.scenes[0].version)
    for _ in range(rounds):
        one = dataclasses.replace(page)
        for name, work in (
            ("show", lambda: told.show(one)),  # noqa: B023 (it is done at once)
            ("status", told.now),
            ("columns", lambda: (told.columns(*of, "feature"), told.columns(*of, "output"))),
            ("one column", lambda: told.column(*of, "feature", "f0000")),
            ("as JSON", lambda: (orjson.dumps(told.now()), orjson.dumps(told.columns(*of, "feature")))),
            ("again", lambda: (told.now(), told.columns(*of, "feature"), told.columns(*of, "output"))),
        ):
            found.setdefault(name, []).append(timed(work))
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    """A table, in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--rounds", type=int, default=21)
    asked = parser.parse_args()
    for features in asked.features:
        with tempfile.TemporaryDirectory() as directory:
            page = whole(Watched(features=features, rows=20 if features > 500 else 50), Path(directory))
        found = costs(page, asked.rounds)
        told = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
        print(f"{features} features, ms of CPU: {told}; all {sum(found.values()):.1f}", flush=True)


if __name__ == "__main__":
    main()
