"""Values outside of what people allow: numbers beyond a range, categories that are not on a list.

Bins cannot tell, as their edges are the training data's; so these are counted from the values themselves, of columns of
which something is said. Windows hold the values judged beside those outside: a rule that is new knows nothing of what
was before it. Names of arrays carry what is said, so that counts by another rule are never mixed in.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.override import Override
from exporter.sections import Windows as WindowSettings
from exporter.sketch.window import Arrays, Windows

_JUDGED, _OUTSIDE = range(2)


class Outside:
    """Some columns of a block, by their places in it."""

    def __init__(self, rules: Sequence[Override], windows: WindowSettings) -> None:
        """`rules` are those of all the block's columns."""
        self.places = np.array([at for at, rule in enumerate(rules) if rule.range or rule.allowed], np.int64)
        """Of the columns of which something is said."""
        said = [(rules[at].range, rules[at].allowed) for at in self.places]
        self._name = hashlib.sha256(repr((self.places.tolist(), said)).encode()).hexdigest()[:16]
        self._low = np.array([rule.range[0] if rule.range else -np.inf for rule in rules])
        self._high = np.array([rule.range[1] if rule.range else np.inf for rule in rules])
        self._allowed = {at: frozenset(rule.allowed) for at, rule in enumerate(rules) if rule.allowed}
        self._totals = np.zeros(self.places.size, np.int64)
        self._fresh = np.zeros(len(rules), np.int64)
        """Counted and not in the totals yet, by place in the block."""
        self._windows = Windows(windows.lengths, windows.pane, (self.places.size, 2), np.int32)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; nothing where nothing is said."""
        if not self.places.size:
            return {}
        prefix = f"{prefix}.{self._name}"
        return {f"{prefix}.totals": self._totals, **self._windows.arrays(prefix)}

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`, to be kept for another time."""
        return self._windows.held(f"{prefix}.{self._name}", now) if self.places.size else {}

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with windows that were held when the clock showed `shift_s` less, where the same was said."""
        if self.places.size:
            self._windows.put_back(held, f"{prefix}.{self._name}", shift_s, now)

    # in

    def numbers(self, places: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Judge numbers of some columns, shape (rows, len(places)). What is not finite is no number outside."""
        if self.places.size:
            outside = (values < self._low[places]) | (values > self._high[places])
            self._fresh[places] += (outside & np.isfinite(values)).sum(axis=0)

    def names(self, place: int, names: Sequence[str | None]) -> None:
        """Judge categories of a column; None is missing."""
        allowed = self._allowed.get(place)
        if allowed is not None:
            self._fresh[place] += sum(name is not None and name not in allowed for name in names)

    def add(self, at: float, rows: int) -> None:
        """Bring what was judged into the counts: so many rows, which belong to the moment `at`."""
        if not self.places.size:
            return
        outside = self._fresh[self.places]
        self._fresh[:] = 0
        self._totals += outside
        self._windows.add(at, np.stack((np.full(outside.size, rows), outside), axis=1))

    # out

    def totals(self) -> NDArray[np.int64]:
        """Values outside since start, in the order of `places`."""
        return self._totals.copy()

    def ratios(self, now: float, length: float) -> NDArray[np.float64]:
        """Share of the values outside in the window of `length` that ends at `now`, in the order of `places`.

        NaN where none was judged.
        """
        counts = self._windows.total(now, length)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios: NDArray[np.float64] = counts[:, _OUTSIDE] / counts[:, _JUDGED]
        return ratios
