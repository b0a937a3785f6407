"""Signs of feedback loops in what a model is asked, what it answers, and which of its answers are told to be right."""

from exporter.looped import Covered, Looped, Selected
from exporter.monitor.block import Block
from exporter.monitor.performing import Performing
from exporter.monitor.returning import returning
from exporter.monitor.spreading import Spreading
from exporter.snapshots import BlockSnapshot


class Looping:
    """Of one model and profile."""

    def __init__(self, features: Block | None, outputs: Block) -> None:
        self._spreading = Spreading(outputs.scope.columns)
        self._returning = returning(features, outputs)

    def snapshot(self, outputs: BlockSnapshot, performing: Performing | None, now: float, wall_s: float) -> Looped:
        """All that is known at `now`, a Unix time, too."""
        covered: tuple[Covered, ...] = ()
        selected: tuple[Selected, ...] = ()
        if performing and performing.selecting:
            covered, selected = performing.selecting.snapshot(wall_s)
        returned = self._returning.snapshot(now) if self._returning else None
        return Looped(
            self._spreading.reference(), self._spreading.snapshot(outputs.scores), returned, covered, selected
        )  # fmt: skip


def looping(features: Block | None, outputs: Block | None, *, wanted: bool) -> Looping | None:
    """None where nobody wants it, or no outputs are watched."""
    return Looping(features, outputs) if wanted and outputs else None
