"""How good one model turns out to be: what it answers waits for its truth elsewhere, and comes back with it.

It keeps no prediction: those that have an id are handed on (`take`), and what is joined to its truth comes in (`join`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.aged import Trend
from exporter.ageing import Staleness
from exporter.guarantees import Evidence
from exporter.hindsight import Performance
from exporter.loops import Loops
from exporter.monitor.batch import Came
from exporter.monitor.belonging import Belonging
from exporter.monitor.choosing import Choosing
from exporter.monitor.judging import Judging
from exporter.monitor.judging_segments import segment_judging
from exporter.monitor.opening import Opened, Opening
from exporter.monitor.searching import searching
from exporter.monitor.trending import Trending, limit_of
from exporter.monitor.truths import truths_of
from exporter.performance.concept import Reference, concept_of, is_alike, reference_of
from exporter.performance.joining import Joining, Usable
from exporter.performance.parts import Parts
from exporter.performance.tally import LAYOUT
from exporter.performance.task import Task
from exporter.performance.training import in_training
from exporter.performed import Performed
from exporter.reference import Profile
from exporter.scalars.salted import Salt
from exporter.truths import Joined

_NAME: Final = "performance"
Arrays = Mapping[str, NDArray[Any]]


class Settings(NamedTuple):
    """What people say of it."""

    performance: Performance
    evidence: Evidence
    pane_s: float
    staleness: Staleness = Staleness()
    loops: Loops = Loops()
    is_shared: bool = False
    """Whether truth may reach another replica than the one that predicted."""


class Performing:
    """Of one model and profile."""

    def __init__(
        self, profile: Profile, task: Task, belonging: Belonging, settings: Settings, salt: Salt | None
    ) -> None:  # fmt: skip
        """`salt` is the one under which categories of the profile are hashed."""
        performance, evidence, pane_s = settings[:3]
        self.task = task
        self._opening, self._judging = Opening(), Judging(task, performance, pane_s)
        self._joining = Joining(task, _hashing(task, profile, salt), belonging.read)
        self._belonging = belonging
        self._truths = truths_of(profile.target, performance, pane_s, salt)
        self._concept = concept_of(task, profile.target, performance, evidence, pane_s)
        self.choosing = Choosing(profile, task, belonging, (performance, settings.loops, pane_s, settings.is_shared))
        self._segments = segment_judging(task, belonging.ways, self._reference(profile), performance, pane_s)
        self._dependence = evidence.default_dependence
        self._searching = searching(profile, task, belonging.codes, settings[:3])
        self._training = in_training(task, profile.performance)
        limit = limit_of(task, profile.target, self._training, (performance, settings.staleness))
        self._trending = Trending(task, settings.staleness.trend, pane_s, limit)
        self._held = np.zeros(1, np.int64)
        """The number of the last one that the windows had when they were held; what comes again up to it is in them."""
        self._newest = np.zeros(1, np.int64)
        """And of the last one that they have now."""

    def _reference(self, profile: Profile) -> Reference | None:
        """What is wrong, as the training data were judged; None where these say nothing of it, or judged otherwise."""
        is_known = profile.target is not None and is_alike(profile.target, self.task)
        return reference_of(profile.target) if is_known else None

    # what is kept

    def arrays(self, series: str, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept: another profile of the same task goes on with what begins with `series`."""
        name = f"{series}.{self._name}"
        kept = {f"{name}.held": self._held, f"{name}.newest": self._newest, **self._judging.arrays(name),
                **self._trending.arrays(name), **self.choosing.arrays(series)}  # fmt: skip
        kept |= self._truths.arrays(prefix) if self._truths else {}
        kept |= self._segments.arrays(prefix) if self._segments else {}
        kept |= self._searching.arrays(prefix) if self._searching else {}
        return kept | (self._concept.arrays(prefix) if self._concept else {})

    @property
    def _name(self) -> str:
        return f"{_NAME}.{LAYOUT}.{self.task.fingerprint}"

    def held(self, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at a Unix time, to be kept for another time; no counts since start."""
        yield f"{self._name}.newest", self._newest.copy()
        yield from self._judging.held(self._name, wall_s)
        yield from self._trending.held(self._name, wall_s)
        yield from self.choosing.held(wall_s)
        if self._truths:
            yield from self._truths.held(_NAME, wall_s)
        if self._concept:
            yield from self._concept.held(_NAME)
        if self._segments:
            yield from self._segments.held(_NAME, wall_s)
        if self._searching:
            yield from self._searching.held(_NAME)

    def put_back(self, held: Arrays, wall_s: float) -> None:
        """Go on with windows that were held; those of truths only where there are none yet."""
        self._judging.put_back_opened(held, self._name, wall_s)
        self._trending.put_back_opened(held, self._name, wall_s)
        self.choosing.put_back_opened(held, wall_s)
        newest = held.get(f"{self._name}.newest")
        if newest is None or newest.shape != (1,) or self._newest[0]:
            return
        self._held[0] = self._newest[0] = newest[0]
        self._judging.put_back(held, self._name, wall_s)
        self._trending.put_back(held, self._name, wall_s)
        self.choosing.put_back(held, wall_s)
        if self._truths:
            self._truths.put_back(held, _NAME, 0.0, wall_s)
        if self._concept:
            self._concept.put_back(held, _NAME)
        if self._segments:
            self._segments.put_back(held, _NAME, wall_s)
        if self._searching:
            self._searching.put_back(held, _NAME)

    # in

    def note(self, came: Came, start: int, rows: int) -> None:
        """Take in that the next so many answers are those of an exchange from `start` on."""
        self._opening.note(came, start, rows)

    def add(self, said: NDArray[np.float64], parts: Parts) -> None:
        """Take the answers that were noted, shape (rows, width), and of what they are a part."""
        rows, at_s = self._opening.add(said, self._belonging.written(parts))
        if at_s.size:
            self._judging.opened(at_s)
            self._trending.opened(at_s)
            self.choosing.opened(said[rows], at_s)

    def take(self) -> tuple[list[Opened], int]:
        """Predictions that came since, and how many more there was no room for."""
        dropped, self._opening.dropped = self._opening.dropped, 0
        return self._opening.take(), dropped

    def join(self, joined: Sequence[Joined], wall_s: float) -> Sequence[Joined]:
        """Add predictions with their truth, in the order of their numbers, each but once; those that could be used."""
        usable = self._joining.usable(joined)
        self._judging.join(usable, len(joined) - len(usable.joined), wall_s)
        self._note(usable, wall_s)
        if self._concept:
            self._concept.add_rows(usable.rows, told_s(usable.joined, wall_s))
        if self._searching:
            self._searching.add(usable, told_s(usable.joined, wall_s))
        return usable.joined

    def rejoin(self, joined: Sequence[Joined], wall_s: float) -> Sequence[Joined]:
        """Have windows hold what was joined before this run, as far as they do not: what there was of that.

        Counts since start do not go back by that, and evidence has seen it.
        """
        usable = self._joining.usable([one for one in joined if one.number > self._held[0]])
        self._judging.rejoin(usable, wall_s)
        self._note(usable, wall_s)
        return usable.joined

    def _note(self, usable: Usable, wall_s: float) -> None:
        self._trending.join(usable, wall_s)
        if usable.joined:
            self.choosing.join(usable, wall_s)
        if self._segments:
            self._segments.add(usable, wall_s)
        if self._truths:
            self._truths.add([one.true for one in usable.joined], told_s(usable.joined, wall_s))
        if usable.joined:
            self._newest[0] = max(int(self._newest[0]), usable.joined[-1].number)

    @property
    def _together(self) -> float:
        """How many truths are taken to come as one."""
        return self._concept.dependence if self._concept else self._dependence

    # out

    def trend(self, wall_s: float) -> Trend | None:
        """How its errors go from day to day, at a Unix time; None without any truth."""
        return self._trending.told(wall_s)

    def snapshot(self, wall_s: float) -> Performed:
        """All that is known at a Unix time."""
        return Performed(
            self.task.kind, self._judging.counted(), tuple(self._judging.judged(wall_s)), self._training,
            self._truths.snapshot(wall_s) if self._truths else (),
            self._concept.told(wall_s) if self._concept else None,
            tuple(self._segments.judged(wall_s, self._together)) if self._segments else (),
            self._searching.told(wall_s) if self._searching else None,
        )  # fmt: skip


def told_s(joined: Sequence[Joined], wall_s: float) -> NDArray[np.float64]:
    """When truths came, Unix times; not later than now, whatever another's clock said."""
    return np.minimum(np.array([one.told_ms for one in joined], np.float64) / 1e3, wall_s)


def _hashing(task: Task, profile: Profile, salt: Salt | None) -> Callable[[str], str] | None:
    """What gives the classes of a task their names, where these are hashed under a salt."""
    named = [profile.target.column] if profile.target else [one for one in profile.outputs if one.name == task.label]
    return salt.name if salt and any(one.salt for one in named) else None
