"""What late truth costs those who ask the model: the relay with feedback under way, and without, in the same run.

    make bench-feedback-relay            about three minutes; ARGS="--rounds 9 --truths 5000"

Two sidecars stand before the same upstream, one of which keeps every prediction for its truth and is told so many
truths a second meanwhile; requests have an id of their own at both. They are measured in turn, round by round, and
medians are shown with their ratio: CPU time of the worker per request first, which other processes hardly show in, then
latency with pauses between the requests of a connection. wrk, the upstream and who tells truths have one core, the
sidecars another, where there are two.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from contenders import Running, sidecar, upstream
from processes import on_core
from relay import IDS, UNIQUE, Load, Sample, drive

_PREFIX = "3f2504e0-4f89-11d3-9a0c-"
_BATCH = 500


class Under(NamedTuple):
    """A run of wrk and what truths became of meanwhile."""

    sample: Sample
    told: int


def told(running: Running, prefix: str, first: int) -> int:
    """POST a batch of truths; how many found their prediction, or wait for it."""
    records = [{"id": f"{prefix}{number:012}", "truth": "class_03"} for number in range(first, first + _BATCH)]
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.metrics}/feedback?results=errors", json.dumps(records).encode(),
        {"content-type": "application/json"},
    )  # fmt: skip
    with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=20) as answer:
        found = json.load(answer)
        return int(found["matched"] + found["early"])
    return 0


@contextlib.contextmanager
def telling(running: Running, prefix: str, rate: int) -> Iterator[list[int]]:
    """Meanwhile so many truths a second are told; of how many something became."""
    over, counted = threading.Event(), [0]

    def tell() -> None:
        first, due = 1, time.monotonic() + 0.5
        while not over.wait(max(0.0, due - time.monotonic())):
            counted[0] += told(running, prefix, first)
            first, due = first + _BATCH, max(due + _BATCH / rate, time.monotonic())

    thread = threading.Thread(target=tell)
    thread.start()
    try:
        yield counted
    finally:
        over.set()
        thread.join()


def measured(running: Running, directory: Path, number: int, given: argparse.Namespace) -> Under:
    """One run of wrk; truths are told where anybody takes them."""
    prefix = f"run-{number}-"
    load, ids = Load(UNIQUE, given.connections, given.seconds, 1), IDS.replace(_PREFIX, prefix)
    rate = given.truths if running.groups.get("told") else 0
    with telling(running, prefix, rate) if rate else contextlib.nullcontext([0]) as counted:
        sample = drive(running, load, directory, ids)
    return Under(sample, counted[0])


def main() -> None:
    """Measure, and print the table."""
    given = _arguments()
    cores = sorted(os.sched_getaffinity(0))
    last, first = (cores[-1], cores[0]) if len(cores) > 1 else (None, None)
    samples = defaultdict[str, list[Under]](list)
    with contextlib.ExitStack() as up, tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        up.enter_context(on_core(first))
        place = up.enter_context(upstream(directory))
        with on_core(last):
            without = up.enter_context(sidecar(place))
            with_ = up.enter_context(
                sidecar(place, "--feedback.enable", "true", "--feedback.store", f"sqlite:{directory}/f.sqlite")
            )
        both = {"without": without, "with": with_._replace(groups={**with_.groups, "told": [1]})}
        for number in range(given.rounds + 1):
            for one, running in both.items():
                under = measured(running, directory, number, given)
                if number:  # the first round warms up
                    samples[one].append(under)
            print(f"  {'warm' if not number else f'round {number} of {given.rounds}'}", flush=True)
    _print(samples, given)


def _print(samples: dict[str, list[Under]], given: argparse.Namespace) -> None:
    print("                          without      with   with / without")
    for field, unit in (("cpu", "CPU per request, µs"), ("p50", "p50, µs"), ("p99", "p99, µs"), ("rate", "requests/s"),
                        ("analyser", "analyser's CPU, µs")):  # fmt: skip
        a, b = (statistics.median(getattr(one.sample, field) for one in samples[name]) for name in ("without", "with"))
        print(f"{unit:>22} {a:>10.1f} {b:>9.1f} {b / a:>10.2f}")
    rate = statistics.median(one.told for one in samples["with"]) / given.seconds
    print(f"{rate:.0f} truths a second were taken")
    print(f"Python {sys.version.split()[0]}, {given.rounds} rounds of {given.seconds} s, medians")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--truths", type=int, default=1000, help="told each second")
    return parser.parse_args()


if __name__ == "__main__":
    main()
