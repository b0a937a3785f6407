"""What river spends on a value: a histogram and the moments of every column, or ADWIN, value by value.

Told the name of a case on standard input, it answers the seconds of CPU time that all values took.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np
from river import drift, sketch, stats


def summaries(columns: list[list[float]]) -> None:
    for column in columns:
        histogram, moments = sketch.Histogram(max_bins=16), stats.Var()
        for value in column:
            histogram.update(value)
            moments.update(value)


def adwin(columns: list[list[float]]) -> None:
    for column in columns:
        detector = drift.ADWIN()
        for value in column:
            detector.update(value)


CASES: dict[str, Callable[[list[list[float]]], None]] = {"summaries": summaries, "adwin": adwin}


def main() -> None:
    with np.load(sys.argv[1]) as arrays:
        columns = arrays["current"].T.tolist()
    for line in sys.stdin:
        begun = time.process_time()
        CASES[line.strip()](columns)
        print(json.dumps(time.process_time() - begun), flush=True)


if __name__ == "__main__":
    main()
