"""What whylogs spends: tracking a batch of rows, and the drift scores of two profiles.

Told the name of a case on standard input, it answers the seconds of CPU time that it took.
"""

import json
import sys
import time

import numpy as np
import pandas as pd
from whylogs.core import DatasetProfile
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores


def profile(rows: pd.DataFrame) -> DatasetProfile:
    found = DatasetProfile()
    found.track(rows)
    return found


def main() -> None:
    with np.load(sys.argv[1]) as arrays:
        sides = [pd.DataFrame(arrays[name]).rename(columns=str) for name in ("reference", "current")]
    reference, current = (profile(side).view() for side in sides)
    tracked = DatasetProfile()
    for line in sys.stdin:
        begun = time.process_time()
        if line.strip() == "track":
            tracked.track(sides[1])
        else:
            calculate_drift_scores(target_view=current, reference_view=reference, with_thresholds=True)
        print(json.dumps(time.process_time() - begun), flush=True)


if __name__ == "__main__":
    main()
