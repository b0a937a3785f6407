"""Made-up models whose truths come pane by pane."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.guarantees import Evidence
from exporter.hindsight import Performance
from exporter.performance.concept import Concept, concept_of
from exporter.performance.deduced import of_target
from exporter.reference import Column
from exporter.target import Target

PANE_S = 60.0
DAY_S = 86_400.0
CLASSES = Target(
    Column("bought", "boolean", (90_000, 10_000, 0, 0, 0), categories=("false", "true")), "binary",
    label="buys", classes=("false", "true"), errors=(90_000, 10_000),
)  # fmt: skip
"""Of ten, one was wrong."""
Draw = Callable[[int], NDArray[np.bool_]]


def concept(target: Target = CLASSES, pane_s: float = PANE_S, **settings: Any) -> Concept:
    found = concept_of(of_target(target, Performance()), target, Performance(**settings), Evidence(), pane_s)
    assert found
    return found


def errors(seed: int, share: float, alike: int = 1) -> Draw:
    """Draws of so many truths, of which a share is wrong; so many one after the other alike."""
    draw = np.random.default_rng(seed)
    return lambda rows: np.repeat(draw.random(-(-rows // alike)) < share, alike)[:rows]


class Told:
    """Truths as they come, and the pages there were: where evidence reached the threshold from 3 nats below it."""

    def __init__(self, one: Concept, at: float = 0.0) -> None:
        self.concept, self.at, self.rows = one, at - at % PANE_S, 0
        self.pages: list[int] = []
        """After how many truths."""
        self.most = 0.0
        self._armed = True

    def pane(self, wrong: NDArray[np.bool_]) -> None:
        """Take the truths of a pane, and look at its end."""
        self.concept.add(wrong, np.full(wrong.size, self.at))
        self.rows += wrong.size
        self.at += PANE_S
        found = self.concept.told(self.at)
        self.most = max(self.most, found.nats)
        if self._armed and found.nats >= found.threshold:
            self.pages.append(self.rows)
            self._armed = False
        self._armed |= found.nats < found.threshold - 3

    def panes(self, draw: Draw, rows: int, a_pane: int) -> "Told":
        """So many truths, so many a pane."""
        for _ in range(rows // a_pane):
            self.pane(draw(a_pane))
        return self

    def until_page(self, draw: Draw, most: int, a_pane: int) -> float:
        """So many more truths until the next page; infinite where there is none among so many."""
        begun, before = self.rows, len(self.pages)
        while len(self.pages) == before and self.rows - begun < most:
            self.pane(draw(a_pane))
        return self.rows - begun if len(self.pages) > before else float("inf")

    def night(self, wrong: NDArray[np.bool_], panes: int = 1) -> "Told":
        """All truths of a day within some panes, and a look at the end of the night."""
        for part in np.array_split(wrong, panes):
            self.pane(part)
        self.at += DAY_S - panes * PANE_S
        return self
