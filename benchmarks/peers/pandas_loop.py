"""What one writes in an afternoon: json, a data frame of each payload, and gaps, mean and histogram by column.

Told the name of a case on standard input, it answers the seconds of CPU time that one body took.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

EDGES = np.linspace(-20, 25, 13)


class Columns:
    """Counts by column since the start."""

    def __init__(self) -> None:
        self.bins: dict[str, np.ndarray] = {}
        self.categories: dict[str, pd.Series] = {}
        self.sums: dict[str, float] = {}
        self.gaps: dict[str, int] = {}

    def add(self, frame: pd.DataFrame) -> None:
        """Add the rows of a frame."""
        for name in frame:
            column = frame[name]
            self.gaps[name] = self.gaps.get(name, 0) + int(column.isna().sum())
            if column.dtype.kind in "fi":
                self.sums[name] = self.sums.get(name, 0.0) + float(column.sum())
                counts, _ = np.histogram(column.dropna(), EDGES)
                self.bins[name] = self.bins.get(name, 0) + counts
            else:
                self.categories[name] = column.value_counts().add(self.categories.get(name, 0), fill_value=0)


def main() -> None:
    payloads = json.loads(Path(sys.argv[1]).read_text())
    found = {name: Columns() for name in payloads}
    for line in sys.stdin:
        name = line.strip()
        bodies: Sequence[str] = payloads.get(name, [])
        begun = time.process_time()
        for body in bodies:
            found[name].add(pd.DataFrame(json.loads(body)["instances"]))
        print(json.dumps((time.process_time() - begun) / len(bodies) if bodies else None), flush=True)


if __name__ == "__main__":
    main()
