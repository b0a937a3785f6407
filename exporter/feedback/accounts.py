"""What became of predictions and truths, as one array of numbers by name, that the analyser commits with all else."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.feedback.stores import Sizes
from exporter.truths import GONE, OUTCOMES, PREDICTION_LOSSES, WAITED

_GROUPS: Final = {
    "dropped": PREDICTION_LOSSES,
    "gone": GONE,
    "told": OUTCOMES,
    "later": OUTCOMES,
    "waited": WAITED,
}
_ALONE: Final = ("kept", "known", "joined", "found", "found_early", "lost", "failures", "set_aside")


def _names() -> Iterator[str]:
    yield from _ALONE
    for group, names in _GROUPS.items():
        yield from (f"{group}.{name}" for name in names)


_PLACES: Final = {name: place for place, name in enumerate(_names())}


class Accounts:
    """Counts by name, such as `kept` or `told.early`."""

    def __init__(self) -> None:
        """All 0."""
        self.array: NDArray[np.int64] = np.zeros(len(_PLACES), np.int64)

    def add(self, name: str, number: int = 1) -> None:
        """Count more."""
        self.array[_PLACES[name]] += number

    def put(self, name: str, number: int) -> None:
        """Make it that."""
        self.array[_PLACES[name]] = number

    def __getitem__(self, name: str) -> int:
        return int(self.array[_PLACES[name]])

    def group(self, group: str) -> dict[str, int]:
        """By what comes behind the dot."""
        return {name: self[f"{group}.{name}"] for name in _GROUPS[group]}

    def sum(self, group: str) -> int:
        """Of a group."""
        return sum(self.group(group).values())

    # what follows from them

    @property
    def decided_predictions(self) -> int:
        """Of how many that were handed over it is known what became of them."""
        return self["kept"] + self["known"] + self.sum("dropped")

    @property
    def decided_truths(self) -> int:
        """Of how many that were received it is known what became of them."""
        return self.sum("told") + self["lost"]

    @property
    def open(self) -> int:
        """Predictions that must be open in a store of one replica."""
        return self["found"] + self["kept"] - self["joined"] - self.sum("gone")

    @property
    def early(self) -> int:
        """Early truths that must be in a store of one replica."""
        return self["found_early"] + self["told.early"] - self.sum("waited")

    # the store begins, or is lost

    def begin(self, sizes: Sizes, *, is_new: bool) -> None:
        """Go on with a store that has so much; where it is a new one, what an earlier one had is lost.

        What a predecessor had done and not committed is made good by what is found.
        """
        if is_new and not any(sizes[:3]):
            self.lose()
        self.add("found", sizes.open - self.open)
        self.add("found_early", sizes.early - self.early)

    def lose(self) -> None:
        """All that the store had is gone."""
        self.add("gone.store_lost", self.open)
        self.add("waited.lost", self.early)
