"""The capital of many bets as it adds up over panes, and what all of it together is worth.

Each pane's counts c multiply the capital of each bet by Π e_b^(c_b/φ): no more than 1 in the mean, whatever came
before, while every stream stays within its tolerance. A capital below 1 is set to 1. The mean of such capitals over
bets and streams is dominated by a Shiryaev-Roberts sum, so its mean time to reach A panes is A at least (Shin, Ramdas
& Rinaldo, E-detectors, NEJSDS 2023), for any dependence between streams. φ is the dependence factor: groups of at most
φ dependent values count as one (Hölder).
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.clipped import Shares, log_mean_exp

_NAMED_SHARE: Final = 0.5
HYSTERESIS: Final = 3.0
"""Nats by which evidence must fall below the threshold before it may page again, and by which it may exceed it."""


class Guarantee(NamedTuple):
    """What is promised."""

    panes: float
    """Mean number of panes between two false pages, at least."""
    least_panes: int = 3
    """No fewer panes can page."""

    @property
    def threshold(self) -> float:
        """Nats of evidence that page."""
        return float(np.log(self.panes))


class Leading(NamedTuple):
    """The bet of each stream that has won most; shape (streams,)."""

    bets: NDArray[np.int64]
    begun: NDArray[np.int64]
    """The last pane at which it had won nothing."""


class Cusum:
    """Of streams of one number of bins, as logarithms."""

    def __init__(self, weights: Shares, named: int, of_streams: Shares, guarantee: Guarantee) -> None:
        """The first `named` bets are on something that has a name.

        `weights` of the bets, shape (streams, bets), add up to 1 for each stream; `of_streams` do so over the model. A
        stream that weighs nothing wins nothing.
        """
        self._named = named
        with np.errstate(divide="ignore"):
            self._log_weights = np.log(weights)
            self._needed = guarantee.threshold - self._log_weights - np.log(of_streams)[:, None]
        self.needed = self._needed
        """At which one bet of one stream pages alone; infinite where nothing is bet."""
        self._never = ~np.isfinite(self._needed)
        self._most = np.where(self._never, 0.0, self._needed + HYSTERESIS)
        self._a_pane = np.where(self._never, 0.0, self._needed / guarantee.least_panes)
        self.capital: Shares = np.zeros(weights.shape)
        """Nats, never below 0."""
        self._begun: NDArray[np.int64] = np.zeros(weights.shape, np.int64)

    def arrays(self, prefix: str) -> Mapping[str, NDArray[Any]]:
        """What must be kept."""
        return {f"{prefix}.capital": self.capital, f"{prefix}.begun": self._begun}

    def add(self, gained: Shares, pane: int, panes: int = 1) -> NDArray[np.bool_]:
        """Take a pane of this number: what each bet gained of its counts, nats, dependence taken into account.

        It may win no more than so many `panes` may. Which bets have won nothing now.
        """
        grown = self.capital + np.minimum(gained, self._a_pane * panes)
        lost = grown <= 0
        self._begun[lost] = pane
        np.minimum(np.maximum(grown, 0.0, out=grown), self._most, out=self.capital)
        return np.asarray(lost)

    def restart(self, streams: NDArray[np.bool_], pane: int) -> None:
        """Begin anew with some streams."""
        self.capital[streams] = 0.0
        self._begun[streams] = pane

    def of_streams(self) -> Shares:
        """Nats of evidence of each stream, shape (streams,)."""
        return log_mean_exp(self.capital, self._log_weights)

    def leading(self) -> Leading:
        """What has won most. A bet on something that has a name leads where it has won half as much as any."""
        worth = self.capital + self._log_weights
        first, named = worth.argmax(axis=1), worth[:, : self._named].argmax(axis=1)
        of_each = np.arange(len(worth))
        enough = self.capital[of_each, named] >= _NAMED_SHARE * self.capital[of_each, first]
        at = of_each, np.where(enough, named, first)
        return Leading(at[1], self._begun[at])
