"""What one model answers, as its task reads it: it waits for its truth, and scores say of themselves what they can."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from exporter.ageing import Staleness
from exporter.business import BusinessValue
from exporter.guarantees import Evidence
from exporter.hindsight import Performance
from exporter.loops import Loops
from exporter.monitor.answers import Answers
from exporter.monitor.batch import Batch, Came, Run, Scope
from exporter.monitor.belonging import Belonging
from exporter.monitor.cell_codes import coded
from exporter.monitor.estimating import Estimating, estimating
from exporter.monitor.performing import Performing, Settings
from exporter.monitor.said import Said
from exporter.monitor.segments.ways import Way
from exporter.performance.costs import unknown
from exporter.performance.deduced import deduced
from exporter.performance.joining import filled
from exporter.performed import Estimated
from exporter.reference import Profile

_LOG = logging.getLogger("exporter.monitor")
_NAME = "estimated"
_FEATURES, _OUTPUTS = "features", "outputs"
Arrays = Mapping[str, NDArray[Any]]


class Hindsight(NamedTuple):
    """What is made of late truth, whatever the model."""

    feedback: bool = False
    """Whether anybody may tell it."""
    performance: Performance = Performance()
    values: tuple[BusinessValue, ...] = ()
    staleness: Staleness = Staleness()
    loops: Loops = Loops()
    is_shared: bool = False
    """Whether truth may reach another replica than the one that predicted."""


class Predicting:
    """Of one model and profile."""

    def __init__(
        self, answers: Answers, belonging: Belonging, performing: Performing | None, estimates: Estimating | None
    ) -> None:  # fmt: skip
        """As `predicting` puts it together."""
        self._answers, self._belonging = answers, belonging
        self.performing = performing
        """None where nobody tells the truth."""
        self._estimating = estimates

    # what is kept

    def arrays(self, series: str, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept: another profile of the same task goes on with what begins with `series`."""
        kept = self._estimating.arrays(f"{prefix}.{_NAME}") if self._estimating else {}
        return kept | (self.performing.arrays(series, prefix) if self.performing else {})

    def held(self, now: float, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at `now`, a Unix time, to be kept for another time."""
        if self._estimating:
            yield from self._estimating.held(_NAME, now)
        if self.performing:
            yield from self.performing.held(wall_s)

    def put_back(self, held: Arrays, shift_s: float, now: float, wall_s: float) -> None:
        """Go on with windows that were held when the clock showed `shift_s` less."""
        if self._estimating:
            self._estimating.put_back(held, _NAME, shift_s, now)
        if self.performing:
            self.performing.put_back(held, wall_s)

    # in

    def note(self, came: Came, start: int, rows: int) -> None:
        """Take in that the next so many answers are those of an exchange from `start` on."""
        if self.performing:
            self.performing.note(came, start, rows)

    def add(self, asked: Batch | None, batch: Batch, runs: Sequence[Run]) -> None:
        """Take answers; all that were noted, too. Those in `runs` go together with rows of the request."""
        said = self._answers.said(batch)
        if self.performing:
            self.performing.add(said, self._belonging.of(asked, batch, runs))
        if self._estimating:
            self._estimating.add(filled(self._answers.task, said), batch.at)

    # out

    def estimated(self, now: float) -> tuple[Estimated, ...]:
        """What scores say at `now`."""
        return self._estimating.snapshot(now) if self._estimating else ()


def predicting(
    profile: Profile | None, scopes: Mapping[str, Scope], said: Said, ways: Sequence[Way],
    settings: tuple[Hindsight, Evidence],
) -> Predicting | None:  # fmt: skip
    """None where there is nothing to be said: where truth is told, it is logged why.

    `scopes` are those of features and outputs, `ways` those that traffic is divided in.
    """
    scope, (hindsight, evidence) = scopes.get(_OUTPUTS), settings
    if profile is None or scope is None:
        return None
    performance, pane_s = hindsight.performance, scope.windows.pane
    task, reason = deduced(profile, performance)
    try:
        answers = Answers(task, scope) if task else None
    except ValueError as error:
        answers, reason = None, str(error)
    if task is None or answers is None:
        if hindsight.feedback:
            _LOG.warning("no performance of the model %r: %s", profile.model, reason)
        return None
    for fault in unknown(performance.costs, task) if hindsight.feedback else ():
        _LOG.warning("of the model %r: %s", profile.model, fault)
    estimates = estimating(task, profile.target, performance, pane_s)
    belonging = Belonging(ways, coded(said.segments, scopes.get(_FEATURES)))
    strange = [name for name in said.segments.search if name not in belonging.codes.names]
    for name in strange if hindsight.feedback else ():
        _LOG.warning("of the model %r: segments.search: %r is no feature that is watched", profile.model, name)
    how = Settings(performance, evidence, pane_s, hindsight.staleness, hindsight.loops, hindsight.is_shared)
    told = Performing(profile, task, belonging, how, said.salt) if hindsight.feedback else None
    return Predicting(answers, belonging, told, estimates) if told or estimates else None
