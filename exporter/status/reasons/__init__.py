"""Why a verdict is as it is: each file knows reasons of one kind, and finds those that hold of a model now.

Each is an alert's condition as it is now, on this replica's own numbers and without the time that the alert waits, or
says why nobody can tell.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from exporter.status.facts import Reason
from exporter.status.reasons import ageing, amiss, drifting, itself, learning, seeing, serving, truthful
from exporter.status.seen import Seen

Find = Callable[[Seen], Iterator[Reason]]
OF_SERVED: Final[Sequence[Find]] = (
    drifting.reasons, truthful.reasons, amiss.reasons, serving.reasons, ageing.reasons, seeing.reasons,
    itself.reasons, learning.reasons,
)  # fmt: skip
OF_SHADOWS: Final[Sequence[Find]] = (truthful.reasons, learning.reasons)
"""Of a copy that answers nobody nothing counts that would be of what is served: no alert sees it."""
