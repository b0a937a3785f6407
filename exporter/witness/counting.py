"""What became of things that are carried away, in an array that outlives the process."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.witness.porter import Porter
from exporter.witnessed import Carried

_OFFERED, _DELIVERED = range(2)
_REASONS: Final = 2
LOST: Final = "analyser_lost"


class Counting:
    """Of one porter."""

    def __init__(self, porter: Porter, reasons: Sequence[str]) -> None:
        """`reasons` end with LOST."""
        self._porter, self._reasons = porter, reasons
        self.array: NDArray[np.int64] = np.zeros(_REASONS + len(reasons), np.int64)
        self._before = self.array.copy()
        """What an earlier process had."""

    def settle(self) -> None:
        """What was offered to an earlier process and did not arrive is lost."""
        offered, *others = self.array.tolist()
        self.array[_REASONS + self._reasons.index(LOST)] += offered - sum(others)
        self._before = self.array.copy()

    def look(self) -> bool:
        """Take the porter's numbers; whether any has changed."""
        offered, delivered, dropped = self._porter.counted()
        told = np.array([offered, delivered, *(dropped.get(reason, 0) for reason in self._reasons)])
        now = self._before + told
        if (now == self.array).all():
            return False
        self.array[...] = now
        return True

    def counts(self) -> Carried:
        """As they are now."""
        offered, delivered, *dropped = self.array.tolist()
        return Carried(offered, delivered, dict(zip(self._reasons, dropped, strict=True)))
