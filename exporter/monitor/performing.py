"""How good one model turns out to be: what it answers waits for its truth elsewhere, and comes back with it.

It keeps no prediction: those that have an id are handed on (`take`), and what is joined to its truth comes in (`join`).
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from exporter.business import BusinessValue
from exporter.hindsight import Performance
from exporter.monitor.batch import Batch, Came, Scope
from exporter.monitor.judging import Judging
from exporter.monitor.opening import Opened, Opening
from exporter.monitor.said import Said
from exporter.performance.deduced import deduced
from exporter.performance.task import Task
from exporter.performance.training import in_training
from exporter.performed import Performed
from exporter.reference import Profile
from exporter.scalars.salted import Salt
from exporter.truths import Joined

_LOG = logging.getLogger("exporter.monitor")
_NAME = "performance"
Arrays = Mapping[str, NDArray[Any]]


class Hindsight(NamedTuple):
    """What is made of late truth, whatever the model."""

    feedback: bool = False
    """Whether anybody may tell it."""
    performance: Performance = Performance()
    values: tuple[BusinessValue, ...] = ()


class Performing:
    """Of one model and profile."""

    def __init__(self, task: Task, opening: Opening, judging: Judging, profile: Profile) -> None:
        """As `performing` puts it together."""
        self.task = task
        self._opening, self._judging = opening, judging
        self._training = in_training(task, profile.performance)

    # what is kept

    def arrays(self, series: str) -> dict[str, NDArray[Any]]:
        """What must be kept: another profile of the same task goes on with it."""
        return self._judging.arrays(f"{series}.{_NAME}")

    def held(self, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at a Unix time, to be kept for another time."""
        return self._judging.held(_NAME, wall_s)

    def put_back(self, held: Arrays, wall_s: float) -> None:
        """Go on with windows that were held."""
        self._judging.put_back(held, _NAME, wall_s)

    # in

    def note(self, came: Came, start: int, rows: int) -> None:
        """Take in that the next so many answers are those of an exchange from `start` on."""
        self._opening.note(came, start, rows)

    def add(self, batch: Batch) -> None:
        """Take the answers that were noted."""
        at_s = self._opening.add(batch)
        if at_s.size:
            self._judging.opened(at_s)

    def take(self) -> tuple[list[Opened], int]:
        """Predictions that came since, and how many more there was no room for."""
        dropped, self._opening.dropped = self._opening.dropped, 0
        return self._opening.take(), dropped

    def join(self, joined: Sequence[Joined], wall_s: float) -> None:
        """Add predictions with their truth, in the order of their numbers, each but once."""
        self._judging.join(joined, wall_s)

    def rejoin(self, joined: Sequence[Joined], wall_s: float) -> None:
        """Have windows hold what was joined before this run."""
        self._judging.rejoin(joined, wall_s)

    # out

    def snapshot(self, wall_s: float) -> Performed:
        """All that is known at a Unix time."""
        judged = tuple(self._judging.judged(wall_s))
        return Performed(self.task.kind, self._judging.counted(), judged, self._training)


def performing(
    profile: Profile | None, scope: Scope | None, said: Said, hindsight: Hindsight
) -> Performing | None:  # fmt: skip
    """None where nobody tells the truth, or it is not known what is predicted: that is said. `scope` of the outputs."""
    if not hindsight.feedback or profile is None or scope is None:
        return None
    task, reason = deduced(profile, hindsight.performance)
    if task is None:
        _LOG.warning("no performance of the model %r: %s", profile.model, reason)
        return None
    try:
        opening = Opening(task, scope)
    except ValueError as error:
        _LOG.warning("no performance of the model %r: %s", profile.model, error)
        return None
    judging = Judging(task, hindsight.performance, scope.windows.pane, _hashing(task, profile, said.salt))
    return Performing(task, opening, judging, profile)


def _hashing(task: Task, profile: Profile, salt: Salt | None) -> Callable[[str], str] | None:
    """What gives the classes of a task their names, where these are hashed under a salt."""
    named = [profile.target.column] if profile.target else [one for one in profile.outputs if one.name == task.label]
    return salt.name if salt and any(one.salt for one in named) else None
