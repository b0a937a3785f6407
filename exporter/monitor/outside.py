"""Values outside of what people allow: numbers beyond a range, categories that are not on a list.

Bins cannot tell, as their edges are the training data's; so these are counted from the values themselves, of columns of
which something is said. Windows hold the values judged beside those outside: a rule that is new knows nothing of what
was before it. Names of arrays carry what is said, so that counts by another rule are never mixed in.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.sketch.window import Arrays, Windows

_JUDGED, _OUTSIDE = range(2)


class Outside:
    """Some columns of a side, by their places in it."""

    def __init__(self, scope: Scope) -> None:
        rules = scope.said
        self.places = np.array([at for at, rule in enumerate(rules) if rule.range or rule.allowed], np.int64)
        """Of the columns of which something is said."""
        said = [(rules[at].range, rules[at].allowed) for at in self.places]
        self.name = hashlib.sha256(repr((self.places.tolist(), said)).encode()).hexdigest()[:16]
        """Of what is said: counts by another rule have another."""
        ordered = np.flatnonzero([column.ordered for column in scope.columns])
        self._of_numbers = np.flatnonzero(np.isin(self.places, ordered))
        self._at = np.searchsorted(ordered, self.places[self._of_numbers])
        self._low, self._high = (
            np.array([rule.range[end] for rule in map(rules.__getitem__, self.places) if rule.range]) for end in (0, 1)
        )
        self._allowed = {at: frozenset(allowed) for at, (_, allowed) in enumerate(said) if allowed}
        self._totals = np.zeros(self.places.size, np.int64)
        windows = scope.windows
        self._windows = Windows(windows.lengths, windows.pane, (self.places.size, 2), np.int32)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; nothing where nothing is said."""
        if not self.places.size:
            return {}
        prefix = f"{prefix}.{self.name}"
        return {f"{prefix}.totals": self._totals, **self._windows.arrays(prefix)}

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`, to be kept for another time."""
        return self._windows.held(f"{prefix}.{self.name}", now) if self.places.size else {}

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with windows that were held when the clock showed `shift_s` less, where the same was said."""
        if self.places.size:
            self._windows.put_back(held, f"{prefix}.{self.name}", shift_s, now)

    # in

    def add(self, batch: Batch) -> None:
        """Judge rows."""
        if self.places.size:
            counts = self.judged(batch, slice(None))
            self._totals += counts[:, _OUTSIDE]
            self._windows.add(batch.at, counts)

    def judged(self, batch: Batch, part: slice) -> NDArray[np.int64]:
        """How many values of some rows were judged, and how many of them are outside: shape (len(places), 2).

        What is not finite is no number outside, and what is missing no category.
        """
        outside = np.zeros(self.places.size, np.int64)
        values = batch.numbers[part][:, self._at]
        outside[self._of_numbers] = (((values < self._low) | (values > self._high)) & np.isfinite(values)).sum(axis=0)
        for at, allowed in self._allowed.items():
            names = batch.names[int(self.places[at])][part]
            outside[at] = sum(name is not None and name not in allowed for name in names)
        return np.stack((np.full(outside.size, len(values)), outside), axis=1)

    # out

    def totals(self) -> NDArray[np.int64]:
        """Values outside since start, in the order of `places`."""
        return self._totals.copy()

    def ratios(self, now: float, length: float) -> NDArray[np.float64]:
        """Share of the values outside in the window of `length` that ends at `now`, in the order of `places`.

        NaN where none was judged.
        """
        return share(self._windows.total(now, length))


def share(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of values judged, those outside; NaN where none was judged."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: NDArray[np.float64] = counts[:, _OUTSIDE] / counts[:, _JUDGED]
    return ratios
