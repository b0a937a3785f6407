"""Profiles of many numeric columns, made without training data."""

from functools import cache

import numpy as np

from exporter.reference import NUMERIC_BINS, Column, Profile

_QUANTILES = (0, 0.01, *np.arange(0.1, 0.95, 0.1), 0.99, 1)


@cache
def profile_of(columns: int, outputs: int = 1) -> Profile:
    """So many features, nearly as `profile build` makes them."""
    features = tuple(_column(f"f{at}", at) for at in range(columns))
    answers = tuple(_column(f"score{at}", -at - 1) for at in range(outputs))
    return Profile("m", "1", None, 500, "made up", features, answers, "0" * 64)


def _column(name: str, seed: int) -> Column:
    values = np.random.default_rng(seed + 1000).lognormal(size=500)
    edges = np.quantile(values, _QUANTILES)
    edges[-1] = np.nextafter(edges[-1], np.inf)
    counts = np.zeros(NUMERIC_BINS, np.int64)
    counts[1:13] = np.histogram(values, edges)[0]
    moments = [float(of(values)) for of in (np.mean, np.std, np.min, np.max)]
    return Column(name, "numeric", tuple(counts.tolist()), tuple(edges.tolist()), *moments)
