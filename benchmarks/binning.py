"""Ways of binning a batch of rows, all of them exact, beside the one in use.

Prints nanoseconds per value as medians of interleaved runs, and their ratio to the method in use: the ratios carry
over to other machines, the nanoseconds do not.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from exporter.reference import ABOVE, MISSING, NONFINITE, NUMERIC_BINS
from exporter.sketch.binning import NumberBins

EDGES = 13
PADDED = 16
Method = Callable[[NDArray[np.float64], NDArray[np.bool_]], NDArray[np.int64]]


def in_use(edges: NDArray[np.float64]) -> Method:
    bins = NumberBins(edges.tolist())
    offsets = np.arange(len(edges)) * NUMERIC_BINS

    def count(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.int64]:
        return tally(bins.place(values, missing) + offsets)

    return count


def binary_search(edges: NDArray[np.float64]) -> Method:
    """Four gathers from padded edges, every column at once."""
    flat = np.pad(edges, ((0, 0), (0, PADDED - EDGES)), constant_values=np.inf).ravel()
    starts = np.arange(len(edges)) * PADDED
    offsets = np.arange(len(edges)) * NUMERIC_BINS

    def count(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.int64]:
        place = np.zeros(values.shape, np.int64)
        for step in (8, 4, 2, 1):
            place += step * (values >= flat[starts + place + (step - 1)])
        return tally(special(np.minimum(place, ABOVE), values, missing) + offsets)

    return count


def by_column(edges: NDArray[np.float64]) -> Method:
    """A searchsorted and a bincount, one column at a time."""

    def count(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.int64]:
        counts = np.empty((len(edges), NUMERIC_BINS), np.int64)
        for column, numbers in enumerate(edges):
            one = values[:, column]
            place = special(np.searchsorted(numbers, one, "right"), one, missing[:, column])
            counts[column] = np.bincount(place, minlength=NUMERIC_BINS)
        return counts

    return count


def broadcast(edges: NDArray[np.float64]) -> Method:
    """One comparison with every edge, added up."""
    offsets = np.arange(len(edges)) * NUMERIC_BINS

    def count(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.int64]:
        place = (values[:, :, None] >= edges).sum(axis=2)
        return tally(special(place, values, missing) + offsets)

    return count


def edge_by_edge(edges: NDArray[np.float64]) -> Method:
    """One comparison per edge, every column at once, added up in bytes."""
    rows = np.ascontiguousarray(edges.T)
    offsets = np.arange(len(edges)) * NUMERIC_BINS

    def count(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.int64]:
        place = np.zeros(values.shape, np.int8)
        for row in rows:
            place += values >= row
        return tally(special(place, values, missing) + offsets)

    return count


def special(place: NDArray[np.int64], values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.int64]:
    place[~np.isfinite(values)] = NONFINITE
    place[missing] = MISSING
    return place


def tally(place: NDArray[np.int64]) -> NDArray[np.int64]:
    columns = place.shape[1]
    return np.bincount(place.ravel(), minlength=columns * NUMERIC_BINS).reshape(columns, NUMERIC_BINS)


METHODS = {
    "in use": in_use,
    "binary search": binary_search,
    "searchsorted by column": by_column,
    "broadcast": broadcast,
    "edge by edge": edge_by_edge,
}


def measure(rows: int, features: int, repeats: int) -> dict[str, float]:
    """Median nanoseconds per value by method."""
    random = np.random.default_rng(1)
    edges = np.sort(random.normal(size=(features, EDGES)), axis=1)
    values = random.normal(size=(rows, features))
    values[random.random(values.shape) < 0.01] = np.nan
    missing = random.random(values.shape) < 0.01
    methods = {name: make(edges) for name, make in METHODS.items()}
    first = methods["in use"](values, missing)
    times: dict[str, list[float]] = {name: [] for name in methods}
    loops = max(1, 200_000 // values.size)
    for _ in range(repeats):
        for name, method in methods.items():
            begun = time.perf_counter_ns()
            for _ in range(loops):
                counts = method(values, missing)
            times[name].append((time.perf_counter_ns() - begun) / loops / values.size)
            if not np.array_equal(counts, first):
                raise SystemExit(f"{name} counts differently")
    return {name: statistics.median(runs) for name, runs in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 32, 1000])
    parser.add_argument("--repeats", type=int, default=21)
    given = parser.parse_args()
    print(f"{'ns/value (ratio)':24}" + "".join(f"{rows:>12,} rows   " for rows in given.rows))
    results = [measure(rows, given.features, given.repeats) for rows in given.rows]
    for name in METHODS:
        cells = (f"{one[name]:10.1f} ({one[name] / one['in use']:5.2f})" for one in results)
        print(f"{name:24}" + "  ".join(cells))


if __name__ == "__main__":
    main()
