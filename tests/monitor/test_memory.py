"""What a thousand columns hold is known before the first value comes, and a million values do not change it."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from windows import profile_of, seen

from exporter.monitor import Monitor
from exporter.sections import Windows

COLUMNS: Final = 1000
MOST_A_COLUMN: Final = 72 << 10
"""Bytes of all arrays, with windows of 5m, 1h and 24h: 22 kB are the bins of their 348 panes, 8 kB quantiles."""


def size(arrays: Mapping[str, Any]) -> int:
    return sum(array.nbytes for array in arrays.values())


def test_the_arrays_of_a_thousand_columns_are_bounded_whatever_comes() -> None:
    monitor = Monitor(profile_of(COLUMNS), Windows(), ())
    random, sizes = np.random.default_rng(1), []
    for minute in range(10):  # 10^5 values each
        monitor.observe(*seen(random.lognormal(minute, size=(100, COLUMNS)), 1000.0 + 60 * minute))
        monitor.flush()
        sizes.append(size(monitor.arrays()))
    assert sizes == sizes[:1] * 10
    assert sizes[0] <= MOST_A_COLUMN * COLUMNS
    assert size(dict(monitor.held(1600.0))) <= sizes[0]
