"""What a value costs on its way into bins and moments, and what the scores of a window cost; others beside.

The same rows for all: lognormal numbers, a reference of 5,000 and a window of 1,000, the scores of which are PSI,
Jensen-Shannon, Wasserstein and Kolmogorov-Smirnov (all default ones on our side). whylogs, Evidently and river run in
environments of their own (`make bench-scores` sets them up). Rounds are interleaved, medians of CPU time are told; the
ratios carry over to other machines, the times do not.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from exporter.drift import chosen
from exporter.drift.summary import Summary
from exporter.reference import MISSING, NUMERIC_BINS
from exporter.sketch.binning import NumberBins
from exporter.sketch.moments import sums

PEERS = Path(__file__).with_name("peers")
QUANTILES = (0, 0.01, *np.arange(0.1, 0.95, 0.1), 0.99, 1)
Rows = NDArray[np.float64]
Run = Callable[[], float]
"""Does one round, and tells its seconds of CPU time."""


class Case(NamedTuple):
    """Something to be timed."""

    group: str
    name: str
    run: Run
    unit: float
    """Seconds are divided by it: values, or windows."""


def timed(work: Callable[[], object], times: int = 1) -> Run:
    def run() -> float:
        begun = time.process_time()
        for _ in range(times):
            work()
        return (time.process_time() - begun) / times

    return run


class Bins:
    """Our own way of a batch."""

    def __init__(self, reference: Rows) -> None:
        self.edges = np.quantile(reference, QUANTILES, axis=0).T
        self.mean, self.sd = reference.mean(axis=0), reference.std(axis=0)
        self.reach = 2 * np.abs((reference - self.mean) / self.sd).max(axis=0)
        self._bins = NumberBins(self.edges.tolist())
        self._offsets = np.arange(reference.shape[1]) * NUMERIC_BINS

    def counts(self, rows: Rows) -> NDArray[np.int64]:
        """Shape (columns, bins)."""
        places = self._bins.place(rows, np.isnan(rows)) + self._offsets
        return np.bincount(places.ravel(), minlength=self._offsets.size * NUMERIC_BINS).reshape(-1, NUMERIC_BINS)

    def take(self, rows: Rows) -> None:
        """What a batch costs."""
        self.counts(rows)
        sums(rows, self.mean, self.sd, self.reach)

    def summary(self, rows: Rows) -> Summary:
        """One side of a comparison."""
        counts = self.counts(rows)
        ordered = counts[:, :MISSING]
        centres = np.column_stack((self.edges[:, 0], (self.edges[:, 1:] + self.edges[:, :-1]) / 2, self.edges[:, -1]))
        deviation = ((rows - self.mean) / self.sd).sum(axis=0)
        steps = np.diff(centres, axis=1) / self.sd[:, None]
        return Summary(
            counts, counts.sum(axis=1), ordered, ordered.sum(axis=1), deviation, steps, np.ones(len(counts)),
            np.full(len(counts), 4.0),
        )  # fmt: skip


def our_cases(reference: Rows, current: Rows) -> Iterator[Case]:
    bins = Bins(reference)
    few = current[:32]
    yield Case("update", "ours, 1,000 rows", timed(lambda: bins.take(current), 20), current.size)
    yield Case("update", "ours, 32 rows", timed(lambda: bins.take(few), 200), few.size)
    sides = [bins.summary(side) for side in (reference, current)]

    def score() -> None:
        for one in chosen(()).values():
            one.score(*sides)
            if one.critical:
                one.critical(*sides)

    yield Case("scores", "ours, all default ones", timed(score, 20), 1)


def raw_cases(reference: Rows, current: Rows) -> Iterator[Case]:
    def histograms() -> None:
        for column in current.T:
            np.histogram(column, 14)
            column.mean(), column.std()

    def scipy_scores() -> None:
        for one, other in zip(reference.T, current.T, strict=True):
            scipy.stats.ks_2samp(one, other)
            scipy.stats.wasserstein_distance(one, other)

    yield Case("update", "numpy, a histogram per column", timed(histograms, 3), current.size)
    yield Case("scores", "scipy, two of them on raw rows", timed(scipy_scores), 1)


@contextmanager
def peer(python: str, script: str, data: Path) -> Iterator[Callable[[str], float]]:
    """Something that runs cases of a peer in its own environment."""
    words = [python, "-W", "ignore", str(PEERS / script), str(data)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        feed, answers = process.stdin, process.stdout
        if feed is None or answers is None:
            raise RuntimeError("no pipes")

        def ask(case: str) -> float:
            feed.write(case + "\n")
            feed.flush()
            return float(json.loads(answers.readline()))

        try:
            yield ask
        finally:
            feed.close()
            process.wait()


def has(python: str, module: str) -> bool:
    """Whether a module can be imported there."""
    try:
        return not subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode
    except OSError:
        return False


def tell(cases: list[Case], found: dict[str, list[float]], group: str, unit: str, factor: float) -> None:
    chosen_cases = [case for case in cases if case.group == group]
    own = statistics.median(found[chosen_cases[0].name]) / chosen_cases[0].unit
    print(f"{unit:44}{'':12}{'to ours':>10}")
    for case in chosen_cases:
        cost = statistics.median(found[case.name]) / case.unit
        print(f"  {case.name:42}{cost * factor:12,.1f}{cost / own:10,.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--whylogs", default="build/bench-decode/bin/python", metavar="PYTHON")
    parser.add_argument("--evidently", default="build/bench-scores/bin/python", metavar="PYTHON")
    given = parser.parse_args()
    random = np.random.default_rng(1)
    reference = random.lognormal(size=(5000, given.columns))
    current = random.lognormal(0.1, size=(1000, given.columns))
    cases = [*our_cases(reference, current), *raw_cases(reference, current)]
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory, "rows.npz")
        np.savez(data, reference=reference, current=current)
        measure(given, cases, data, current.size)


PEER_CASES = (
    ("whylogs", "whylogs_scores.py", {"track": "update", "drift": "scores"}),
    ("Evidently", "evidently_scores.py", {"functions": "scores", "preset": "scores"}),
    ("river", "river_updates.py", {"summaries": "update", "adwin": "update"}),
)
"""Who, how it is asked, and its cases with their groups."""


def measure(given: argparse.Namespace, cases: list[Case], data: Path, values: int) -> None:
    pythons = {"whylogs": given.whylogs, "Evidently": given.evidently, "river": given.evidently}
    with ExitStack() as stack:
        for name, script, groups in PEER_CASES:
            if not has(pythons[name], name.lower()):
                print(f"{name} is left out: {pythons[name]} cannot import it")
                continue
            ask = stack.enter_context(peer(pythons[name], script, data))
            for case, group in groups.items():
                unit = values if group == "update" else 1
                cases.append(Case(group, f"{name}, {case}", partial(ask, case), unit))
        found: dict[str, list[float]] = {case.name: [] for case in cases}
        for _ in range(given.rounds):
            for case in cases:
                found[case.name].append(case.run())
    tell(cases, found, "update", "nanoseconds per value, bins and moments", 1e9)
    tell(cases, found, "scores", f"milliseconds per window of {given.columns} columns", 1e3)


if __name__ == "__main__":
    main()
