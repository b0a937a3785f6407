"""Whether a drift came at once: what a bet's shift was shortly before it began to win, against what it is since.

A change that grows was there, smaller, before the tolerance was passed; one that came at once was not.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.clipped import Shares

UNKNOWN, SUDDEN, GRADUAL = range(3)
SHAPES: Final = ("", "sudden", "gradual")
_BEFORE_PANES: Final = 60
_NOT_BEFORE: Final = 0.15
_BEFORE: Final = 0.3
"""Of the shift since. In between, nobody can tell."""


class Shapes:
    """Of the fixed bets of streams."""

    def __init__(self, shape: tuple[int, int]) -> None:
        """`shape` is (streams, fixed bets)."""
        self._lately: Shares = np.zeros(shape)
        """Shifts that fade, as are the rows."""
        self._rows_lately: Shares = np.zeros((shape[0], 1))
        self._rows: Shares = np.zeros((shape[0], 1))
        self._before: NDArray[np.float32] = np.zeros(shape, np.float32)
        """The shift of a row when the bet had won nothing."""
        self._since: Shares = np.zeros(shape)
        self._rows_before: Shares = np.zeros(shape)

    def arrays(self, prefix: str) -> Mapping[str, NDArray[Any]]:
        """What must be kept."""
        names = ("lately", "rows_lately", "rows", "before", "since", "rows_before")
        return {f"{prefix}.{name}": getattr(self, f"_{name}") for name in names}

    def add(self, shifts: Shares, rows: Shares, lost: NDArray[np.bool_]) -> None:
        """Take a pane: the shift of its rows towards each bet, added up; `lost` are bets that have won nothing.

        Shapes (streams, fixed bets), (streams,) and (streams, fixed bets).
        """
        fading = math.exp(-1 / _BEFORE_PANES)
        self._rows += rows[:, None]
        self._since += shifts
        with np.errstate(divide="ignore", invalid="ignore"):
            np.copyto(
                self._before,
                np.nan_to_num(self._lately / self._rows_lately, posinf=0.0),
                where=lost,
                casting="same_kind",
            )
        self._lately = self._lately * fading + shifts
        self._rows_lately = self._rows_lately * fading + rows[:, None]
        self._since[lost] = 0.0
        np.copyto(self._rows_before, self._rows, where=lost)

    def of(self, bets: NDArray[np.int64]) -> NDArray[np.int8]:
        """Of one bet of each stream, place in SHAPES; none of that is known of the bets behind the fixed ones."""
        fixed = bets < self._before.shape[1]
        at = np.arange(bets.size), np.where(fixed, bets, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            since = self._since[at] / (self._rows[:, 0] - self._rows_before[at])
            ratio = np.where((since > 0) & fixed, self._before[at] / since, np.nan)
        return np.select([ratio < _NOT_BEFORE, ratio > _BEFORE], [SUDDEN, GRADUAL], UNKNOWN).astype(np.int8)
