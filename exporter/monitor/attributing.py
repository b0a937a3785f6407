"""What became of exchanges that are of no model, counted since start."""

import logging
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.condition import Attribution
from exporter.marks import is_marked
from exporter.monitor.naming import OTHER, is_name
from exporter.monitor.watched import Arrays
from exporter.records import REFUSALS, Exchange, Label, Observation

_LOG = logging.getLogger("exporter.monitor")
NAME, UNKNOWN_MODEL, LIMIT, MEMORY = range(len(REFUSALS))
_WITHOUT_ROOM: Final = (LIMIT, MEMORY)


class Attributing:
    """Counts, in arrays that can be kept."""

    def __init__(self) -> None:
        self.refused: NDArray[np.int64] = np.zeros(len(REFUSALS), np.int64)
        """Exchanges counted for the model `_other`, by REFUSALS."""
        self._profile_errors: NDArray[np.int64] = np.zeros(1, np.int64)
        self._golden: NDArray[np.int64] = np.zeros(1, np.int64)
        self.own: Arrays = {
            "refused": self.refused, "profile_errors": self._profile_errors, "golden_exchanges": self._golden,
        }  # fmt: skip

    def refuse(self, reason: int) -> None:
        """Count an exchange for `_other`; that there is no room is said once."""
        if not self.refused[reason] and reason in _WITHOUT_ROOM:
            _LOG.error("no room for another model (%s): it is counted under %s", REFUSALS[reason], OTHER)
        self.refused[reason] += 1

    def is_data(self, exchange: Exchange) -> bool:
        """Whether an exchange is of a model's traffic: golden requests are not, and counted here alone."""
        if not is_marked(exchange.request_headers):
            return True
        self._golden += 1
        return False

    def miss(self, profiles: int) -> None:
        """Count profiles that could not be used."""
        self._profile_errors += profiles

    def snapshot(self) -> Attribution:
        """The counts so far."""
        refused = dict(zip(REFUSALS, self.refused.tolist(), strict=True))
        return Attribution(refused, int(self._profile_errors[0]), int(self._golden[0]))


def refusal(label: Label, exchange: Exchange, observation: Observation, *, is_full: bool) -> int | None:
    """Why an exchange makes no model watched that is not; None where it does."""
    if not (is_name(label.model) and is_name(label.version)):
        return NAME
    predicted = observation.features is not None or observation.predictions is not None
    if not (predicted and (200 <= exchange.status < 300 or not exchange.status)):  # 0 where nobody knows it
        return UNKNOWN_MODEL
    return LIMIT if is_full else None
