"""Counters as they were sampled, as what was counted between the samples: differences, not rates that are extrapolated.

A counter that falls has begun at 0 again with its process, and all counters of a process do so together: where one of
them falls, every one counts from 0. Where a sample is missing nothing is known of what lies on either side of it.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Sampled = NDArray[np.float64]


def increments(samples: Sampled) -> tuple[Counts, NDArray[np.bool_]]:
    """Of one process's counters of shape (times, counters) what was counted in between, and which of that is known.

    Shapes (times - 1, counters) and (times - 1,). NaN is no sample; a counter that has none at all is one of nothing.
    """
    there = ~np.isnan(samples)
    held = np.where(there | there.any(axis=0), samples, 0.0)
    complete: NDArray[np.bool_] = np.asarray(~np.isnan(held).any(axis=1))
    known = complete[1:] & complete[:-1]
    numbers = np.where(complete[:, None], held, 0.0)
    grown = np.diff(numbers, axis=0)
    grown = np.where((grown < 0).any(axis=1, keepdims=True), numbers[1:], grown)
    return np.where(known[:, None], np.rint(grown), 0).astype(np.int64), known


def sampled(
    series: Iterable[tuple[Mapping[str, str], Sequence[tuple[float, float]]]], at: tuple[float, float, int], bins: int
) -> Sampled:
    """Of one process and column the counters of its bins, shape (times, bins), NaN where there was no sample.

    `at` are the first time, the step and the number of times; a label `bin` says which counter a series is.
    """
    start, step, times = at
    found = np.full((times, bins), np.nan)
    for labels, points in series:
        place = labels.get("bin", "")
        if place.isascii() and place.isdigit() and int(place) < bins and points:
            moments, values = np.array(points).T
            places = np.rint((moments - start) / step).astype(np.int64)
            inside = (places >= 0) & (places < times)
            found[places[inside], int(place)] = values[inside]
    return found
