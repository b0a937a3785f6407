"""Signs of feedback loops in what a model is asked, what it answers, and which of its answers are told to be right."""

from exporter.looped import Looped
from exporter.monitor.block import Block
from exporter.monitor.concentrating import Concentrating
from exporter.monitor.performing import Performing
from exporter.monitor.returning import returning
from exporter.snapshots import BlockSnapshot


class Looping:
    """Of one model and profile."""

    def __init__(self, features: Block | None, outputs: Block) -> None:
        self._concentrating = Concentrating(outputs.scope.columns)
        self._returning = returning(features, outputs)

    def snapshot(self, outputs: BlockSnapshot, performing: Performing | None, now: float, wall_s: float) -> Looped:
        """All that is known at `now`, a Unix time, too."""
        covered, selected, gaps = performing.choosing.snapshot(wall_s) if performing else ((), (), ())
        returned = self._returning.snapshot(now) if self._returning else None
        reference, spread = self._concentrating.reference(), self._concentrating.snapshot(outputs.scores)
        return Looped(reference, spread, returned, covered, selected, gaps)


def looping(features: Block | None, outputs: Block | None, *, wanted: bool) -> Looping | None:
    """None where nobody wants it, or no outputs are watched."""
    return Looping(features, outputs) if wanted and outputs else None
