"""What a measure is told of."""

from typing import NamedTuple

from exporter.costing import Cost
from exporter.performance.moments import Mean
from exporter.performance.tally import Sums
from exporter.performance.task import OTHER, Task


class Case(NamedTuple):
    """The sums of a window, and what they are of."""

    task: Task
    sums: Sums
    costs: tuple[Cost, ...] = ()
    dependence: float = 1.0
    """How many rows are worth one independent row: it widens intervals."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes, as outcomes count them."""
        return (*self.task.classes, OTHER)

    def widened(self, mean: Mean) -> float:
        """The variance of a mean of rows that depend on each other."""
        return mean.variance * self.dependence
