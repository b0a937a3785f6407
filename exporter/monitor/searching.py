"""Late truth, searched for parts of the traffic that the model serves worse than the rest."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter import performed
from exporter.guarantees import Evidence
from exporter.hindsight import Performance
from exporter.monitor.cell_codes import CellCodes
from exporter.performance.joining import Usable
from exporter.performance.slices import Slices, Terms
from exporter.performance.task import Task
from exporter.performance.worst import Standing, needed, worst
from exporter.performance.wrong import Wrong, expected_of, wrong_of
from exporter.reference import Profile

_TWO: Final = 2
"""Of what is around a cell: itself, and all rows."""
_EXPECTED: Final = 0.2
"""Share of wrong ones, where the profile does not say it and none is seen."""


class Searching:
    """Of one model and profile. What it keeps is in named arrays; times are Unix times."""

    def __init__(self, codes: CellCodes, wrong: Wrong, terms: Terms) -> None:
        self._codes, self._wrong = codes, wrong
        self._slices = Slices(len(codes.names), terms, codes.meaning)

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for it to go on elsewhere; it may be written to before the first truth."""
        return self._slices.arrays(prefix)

    def held(self, prefix: str) -> Iterator[tuple[str, NDArray[Any]]]:
        """Copies of it for another time, array by array."""
        yield from self._slices.held(prefix)

    def put_back(self, held: Mapping[str, NDArray[Any]], prefix: str) -> None:
        """Go on with what was held, where it fits."""
        self._slices.put_back(held, prefix)

    # in

    def add(self, usable: Usable, at: NDArray[np.float64]) -> None:
        """Take truths in the order and at the times in which they came."""
        known, wrong = self._wrong(usable.rows)
        self._slices.add(usable.parts.cells[known], wrong, at[known])

    # out

    def told(self, now: float) -> performed.Searched:
        """What there is to say at a time."""
        self._slices.advance(now)
        standing = self._slices.standing()
        found = worst(self._slices.tables, standing)
        return performed.Searched(
            standing.searched, tuple(self._segment(standing, cell) for cell in found),
            needed(standing.searched, len(found)), standing.dependence,
        )  # fmt: skip

    def _segment(self, standing: Standing, cell: int) -> performed.WorstSegment:
        (rows, wrong), (every, all_wrong) = standing.since[:_TWO, :, cell].tolist()
        others = every - rows
        return performed.WorstSegment(
            text=", ".join(self._codes.text(*place) for place in self._slices.tables.places(cell)),
            began_s=self._slices.began_s(cell),
            rows=rows,
            error=wrong / rows,
            others=others,
            others_error=(all_wrong - wrong) / others,
            nats=float(standing.nats[cell]),
        )


def searching(
    profile: Profile, task: Task, codes: CellCodes, settings: tuple[Performance, Evidence, float]
) -> Searching | None:
    """None where nobody wants evidence, nothing is to be searched, or nobody can tell what is wrong.

    `settings` end with the length of a pane in seconds.
    """
    performance, evidence, pane_s = settings
    wrong = wrong_of(task, profile.target)
    if not evidence.enable or not codes.names or wrong is None:
        return None
    expected = expected_of(task, profile.target)
    terms = Terms(
        performance.tolerance, pane_s, evidence.default_dependence, _EXPECTED if expected is None else expected
    )
    return Searching(codes, wrong, terms)
