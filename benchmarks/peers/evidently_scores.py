"""What Evidently spends on scores: its stattest functions, column by column, and its preset for data drift.

Told the name of a case on standard input, it answers the seconds of CPU time that one window of all columns took.
"""

import json
import sys
import time

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.stattests.registry import get_stattest
from evidently.legacy.core import ColumnType
from evidently.presets import DataDriftPreset

TESTS = ("psi", "jensenshannon", "wasserstein", "ks")


def functions(reference: pd.DataFrame, current: pd.DataFrame) -> None:
    """The default scores of every column."""
    for name in TESTS:
        test = get_stattest(reference.iloc[:, 0], current.iloc[:, 0], ColumnType.Numerical, name)
        for column in reference:
            test(reference[column], current[column], ColumnType.Numerical, None)


def preset(reference: pd.DataFrame, current: pd.DataFrame) -> None:
    """The report people make."""
    definition = DataDefinition(numerical_columns=list(reference))
    sides = [Dataset.from_pandas(side, data_definition=definition) for side in (current, reference)]
    Report([DataDriftPreset()]).run(*sides).dict()


CASES = {"functions": functions, "preset": preset}


def main() -> None:
    with np.load(sys.argv[1]) as arrays:
        sides = [pd.DataFrame(arrays[name]).rename(columns=str) for name in ("reference", "current")]
    for line in sys.stdin:
        case = CASES[line.strip()]
        begun = time.process_time()
        case(*sides)
        print(json.dumps(time.process_time() - begun), flush=True)


if __name__ == "__main__":
    main()
