"""Late truth in the analyser: predictions go out to their store, truths come in by POST, what is joined is added up.

The loop calls all of this but `desk`. What is joined is added before a commit and committed with the number of the last
one; predictions are handed over after the commit that counts them.
"""

import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from numpy.typing import NDArray

from exporter.addresses import listener_place
from exporter.condition import FeedbackCounts
from exporter.config import Settings
from exporter.feedback import stores
from exporter.feedback.desk import Desk
from exporter.feedback.keeping import Keeping
from exporter.feedback.record import Rules
from exporter.feedback.stores import Limits
from exporter.monitor.late import Late
from exporter.monitor.models import Models
from exporter.performance.task import Task
from exporter.truths import Joined

_PACE_S: Final = 0.5
"""So long what was joined waits for more: many at once cost a fraction of one by one."""
_MANY: Final = 2000
_PATIENCE_S: Final = 3.0


class LateTruth:
    """One analyser's."""

    def __init__(self, settings: Settings, models: Models, seats: "memoryview[int]") -> None:
        """ConfigError where no store can be at the address."""
        said = settings.feedback
        address = stores.address(said.store, settings.state.directory)
        limits = Limits(said.max_predictions, round(said.retention * 1000), round(said.early * 1000))
        stores.check(address)
        self._address = address
        open_store = partial(stores.open_store, address, limits, _replica(settings), said.store_password_file)
        self._keeping = Keeping(open_store, address.partition(":")[0], limits, said.max_buffer, seats)
        self._models, self._late = models, Late(models)
        self._tasks: Mapping[str, Task] = {}
        segments = tuple(one.name for one in settings.segments.by)
        rules = Rules(settings.request_id.columns, segments, said.max_body, said.max_records)
        self.desk = Desk(rules, self._keeping, self._task_of)
        self._has_begun = False
        self._joined: list[Joined] = []
        self._due = 0.0

    @property
    def most_bytes(self) -> int:
        """Longest body of a POST."""
        return self.desk.most_bytes

    @property
    def own(self) -> dict[str, NDArray[Any]]:
        """To be committed with all else, and restored before `settle`."""
        return {"feedback": self._keeping.counts, **self._late.own}

    def settle(self) -> None:
        """Go on from what was committed, and begin."""
        self._keeping.settle()

    def look(self) -> bool:
        """Take what was joined since; whether there is anything that a commit should have."""
        first, begins = self._keeping.first_number, False
        if first is not None:
            if not self._has_begun:
                self._late.begin(first, self._address)
                self._has_begun = begins = True
            if len(self._joined) < _MANY:
                after = self._joined[-1].number if self._joined else self._late.applied
                self._joined += self._keeping.joined(after)
        return self._keeping.sync() or begins or self._is_due

    @property
    def _is_due(self) -> bool:
        return bool(self._joined) and (len(self._joined) >= _MANY or time.monotonic() >= self._due)

    def add(self) -> None:
        """Before a commit: add what was joined, if it is time."""
        self.look()
        if self._is_due:
            joined, self._joined = self._joined, []
            self._late.join(joined, time.time())
            self._due = time.monotonic() + _PACE_S

    def hand_over(self) -> None:
        """After a commit: have predictions kept that it has counted."""
        self._keeping.open(*self._late.opened())
        self._tasks = self._late.tasks()

    def _task_of(self, model: str) -> Task | None:
        """Any thread may ask."""
        return self._tasks.get(model)

    def snapshot(self) -> FeedbackCounts | None:
        """The counts so far."""
        return replace(self._keeping.snapshot(), strangers=self._late.strangers)

    def finish(self) -> None:
        """Have all that waits kept, as far as the store can be reached; what is joined by that is added later."""
        self.hand_over()
        self._keeping.close(_PATIENCE_S)


class NoTruth:
    """Where nobody may tell any."""

    desk = None
    most_bytes = 0
    own: Final[dict[str, NDArray[Any]]] = {}

    def settle(self) -> None:
        """Nothing to go on from."""

    def look(self) -> bool:
        """Nothing to commit."""
        return False

    def add(self) -> None:
        """Nothing to add."""

    def hand_over(self) -> None:
        """Nothing waits."""

    def snapshot(self) -> FeedbackCounts | None:
        """Nothing to count."""
        return None

    def finish(self) -> None:
        """Nothing to finish."""


def _replica(settings: Settings) -> str:
    """Whose numbers they are, among those that share a store: a host may have several."""
    return f"{socket.gethostname()}:{listener_place(settings.web.listen_address)[-1]}"


def of(settings: Settings, models: Models, seats: "memoryview[int]") -> LateTruth | NoTruth:
    """What the settings say. ConfigError where no store can be at the address."""
    return LateTruth(settings, models, seats) if settings.feedback.enable else NoTruth()
