"""Whether a model is wrong more often than in training, by the truths that come: evidence that pages.

In words: on average at most one false page in `evidence.false_page_every`, and in 24 truths for each pane of that time
(a million by default), while, whenever a truth comes, the prediction is wrong with no more than the chance that it had
in training and the tolerance on top. Becoming better is no evidence. Bets are on some higher shares of wrong ones;
`evidence.clipped` makes them, `evidence.cusum` adds them up.

Truths come in lumps, a day's in a minute often, and nobody knows in what order. So what is weighed at once is a lump:
all truths of some panes one after the other, 24 of them at least, whose order makes no difference. As a lump takes a
pane or longer, as many lumps as there are panes in the promised time are that time at least; as it has 24 truths or
more, they are that many truths, too. How many truths come as one (all of one customer, say) is measured by `clumps`,
which begins with `evidence.default_dependence`. Before it has seen seven pairs of lumps, three lumps at least
must agree on a page; afterwards three times 24 truths that stand for themselves, so that one lump may be enough.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter import performed
from exporter.evidence.clipped import log_ratios
from exporter.evidence.cusum import Cusum, Guarantee
from exporter.guarantees import Evidence
from exporter.hindsight import Performance
from exporter.performance.clumps import Clumps
from exporter.performance.task import Rows, Task
from exporter.sketch import going_on
from exporter.sketch.adwin import Adwin
from exporter.target import Target

LEAST_TRUTHS: Final = 24
"""Of a lump."""
_RAISED: Final = {0.07: 0.1, 0.15: 0.15, 0.3: 0.2, 0.6: 0.35, 1.2: 0.2}
"""Bets, and their weights: by how much the log odds of being wrong are above those of what is tolerated at the most."""
_FARTHEST: Final = 0.1
"""Of numbers, the share of the training rows that count as wrong: those that are this far off, or nearly."""
_DOUBT: Final = 2.326
"""A normal number exceeds it once in 100 times."""
_PANE, _FIRST, _MEANT = range(3)
Bits = NDArray[np.bool_]


class Reference(NamedTuple):
    """How often the model was wrong in training."""

    share: float
    margin: float
    """By how much the share of all rows like these may be larger: an upper bound that holds 99 times of 100."""
    edge: float = math.nan
    """Of numbers: an error of this size and larger is a wrong one. NaN of classes."""
    right: int = 1
    """The first so many of the counts of errors that the profile has are of right ones."""

    def wrong(self, rows: Rows) -> tuple[Bits, Bits]:
        """Which rows can be judged, and of each of those whether it is wrong."""
        said, true = rows.said[:, 0], rows.true
        known = np.isfinite(said) & np.isfinite(true)
        off = np.abs(said[known] - true[known])
        return known, off > 0 if math.isnan(self.edge) else off >= self.edge

    def split(self, errors: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
        """Of counts of errors as the profile has them, of some parts, the wrong ones and all."""
        return [sum(counts[self.right :]) for counts in errors], [sum(counts) for counts in errors]


def reference_of(target: Target | None) -> Reference | None:
    """None where the training data do not say how wrong the model was."""
    if target is None or not sum(target.errors):
        return None
    rows = sum(target.errors)
    beyond = [sum(target.errors[at + 1 :]) for at in range(len(target.errors) - 1)]
    if not target.edges:
        return Reference(beyond[0] / rows, margin(beyond[0] / rows, rows))
    at = min(range(len(target.edges)), key=lambda one: abs(math.log((beyond[one] + 0.5) / rows / _FARTHEST)))
    return Reference(beyond[at] / rows, margin(beyond[at] / rows, rows), target.edges[at], at + 1)


def margin(share: float, rows: int) -> float:
    """From a share of so many rows to Wilson's upper bound (JASA 22, 1927)."""
    squared = _DOUBT**2 / rows
    spread = math.sqrt(squared * share * (1 - share) + squared**2 / 4)
    return (share + squared / 2 + spread) / (1 + squared) - share


class Concept:
    """Of one model and reference. What it keeps is in named arrays; times are Unix times."""

    def __init__(self, reference: Reference, settings: Performance, evidence: Evidence, pane_s: float) -> None:
        self.reference, self._evidence, self._pane_s = reference, evidence, pane_s
        self.tolerance = settings.tolerance + reference.margin
        """Share of wrong ones beyond the reference that is tolerated, all in all."""
        self._guarantee = Guarantee(evidence.false_page_every / pane_s, evidence.least_panes)
        self._nats = _bets(reference.share, self.tolerance)
        self._cusum = Cusum(np.array([[*_RAISED.values()]]), len(_RAISED), np.ones(1), self._guarantee)
        self._clumps, self._latest = Clumps(evidence.default_dependence), Adwin()
        self._lump: NDArray[np.int64] = np.zeros(2, np.int64)
        """Truths that are not weighed yet: right ones and wrong ones."""
        self._clock: NDArray[np.int64] = np.array([-1, -1, self._meant()], np.int64)
        self._onset: NDArray[np.int64] = np.zeros(len(_RAISED), np.int64)
        """The pane with which each bet's present growth began."""

    def _meant(self) -> int:
        """A number for what evidence is gathered against."""
        meant = self.reference, self.tolerance, self._guarantee, self._pane_s
        return int.from_bytes(hashlib.sha256(repr(meant).encode()).digest()[:8], signed=True)

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for it to go on elsewhere; it may be written to before the first truth."""
        prefix = f"{prefix}.concept"
        return {
            f"{prefix}.clock": self._clock, f"{prefix}.lump": self._lump, f"{prefix}.onset": self._onset,
            **self._cusum.arrays(f"{prefix}.cusum"), **self._clumps.arrays(f"{prefix}.clumps"),
            **self._latest.arrays(f"{prefix}.latest"),
        }  # fmt: skip

    def held(self, prefix: str) -> Iterator[tuple[str, NDArray[Any]]]:
        """Copies of it for another time, array by array. What is counted since start is not among them."""
        yield from going_on.copies(self._lasting(prefix))

    def put_back(self, held: Mapping[str, NDArray[Any]], prefix: str) -> bool:
        """Go on with what was held; whether it fitted. Nothing is changed where it did not."""
        return going_on.put_back(self._lasting(prefix), held)

    def _lasting(self, prefix: str) -> dict[str, NDArray[Any]]:
        counter = f"{prefix}.concept.latest.changes"
        return {name: array for name, array in self.arrays(prefix).items() if name != counter}

    # in

    def add_rows(self, rows: Rows, at: NDArray[np.float64]) -> None:
        """Take predictions with their truths, in the order and at the times in which the truths came, shape (rows,).

        What the model did not answer, or no answer could be, is left out.
        """
        known, wrong = self.reference.wrong(rows)
        self.add(wrong, at[known])

    def add(self, wrong: Bits, at: NDArray[np.float64]) -> None:
        """Take truths in the order and at the times in which they came: whether the model was wrong, shape (rows,)."""
        if not wrong.size:
            return
        self._heed()
        self._latest.add(wrong)
        panes = np.maximum.accumulate(np.maximum((at // self._pane_s).astype(np.int64), self._clock[_PANE]))
        starts = np.flatnonzero(np.diff(panes, prepend=-1))
        for part, pane in zip(np.split(wrong, starts[1:]), panes[starts].tolist(), strict=True):
            self._turn_to(pane)
            if not self._lump.any():
                self._clock[_FIRST] = pane
            self._lump += (part.size - part.sum(), part.sum())

    def advance(self, now: float) -> None:
        """Weigh what waits, if its pane is over at `now`; after a clock that was ahead wait for it no longer."""
        self._heed()
        pane = int(now // self._pane_s)
        if self._clock[_PANE] >= 0 and not 0 <= self._clock[_PANE] - pane <= 1:
            self._turn_to(pane)

    def _heed(self) -> None:
        """Gather anew where it is against something else than when it was kept; what truths have shown stays."""
        if self._clock[_MEANT] != self._meant():
            self._clock[...] = -1, -1, self._meant()  # panes may be of another width
            self._cusum.restart(np.ones(1, bool), 0)
            self._lump[...] = 0

    def _turn_to(self, pane: int) -> None:
        if pane > self._clock[_PANE] and self._lump.sum() >= LEAST_TRUTHS:
            self._weigh()
        self._clock[_PANE] = pane

    def _weigh(self) -> None:
        """Take the lump, which ended in the pane that is the latest still."""
        self._onset[self._cusum.capital[0] <= 0] = self._clock[_FIRST]
        dependence, believed = self.dependence, self._clumps.is_believed
        panes = max(1, int(self._lump.sum() / dependence) // LEAST_TRUTHS) if believed else 1
        self._cusum.add((self._nats @ self._lump)[None] / dependence, int(self._clock[_PANE]), panes)
        self._clumps.add(self._lump)
        if not believed:  # it was gathered as if fewer came as one
            self._cusum.capital *= min(1.0, dependence / self.dependence)
        self._lump[...] = 0

    # out

    @property
    def dependence(self) -> float:
        """How many truths are taken to come as one."""
        return self._clumps.dependence

    def _evidence_now(self) -> float:
        return max(0.0, float(self._cusum.of_streams()[0]))

    def told(self, now: float) -> performed.Concept:
        """What there is to say at a Unix time."""
        self.advance(now)
        nats = self._evidence_now()
        leading = int(self._cusum.leading().bets[0])
        return performed.Concept(
            nats=nats,
            threshold=self._guarantee.threshold,
            began_s=float(self._onset[leading]) * self._pane_s if nats else math.nan,
            reference=self.reference.share,
            tolerance=self.tolerance,
            recent=self._latest.share,
            recent_rows=self._latest.width,
            changes=self._latest.changes,
            dependence=self.dependence,
        )


def _bets(share: float, tolerance: float) -> NDArray[np.float64]:
    """Nats that each bet gains of a right one and of a wrong one, shape (bets, 2)."""
    most = min(share + tolerance, 1.0)
    odds = most / (1 - most) if most < 1 else math.inf
    raised = [1 - 1 / (1 + odds * math.exp(more)) for more in _RAISED]
    alternatives = np.array([[1 - one, one] for one in raised])
    return np.asarray(log_ratios(np.array([[1 - share, share]]), alternatives[None], np.array([tolerance]))[0])


def concept_of(
    task: Task, target: Target | None, settings: Performance, evidence: Evidence, pane_s: float
) -> Concept | None:
    """None where nobody wants evidence, or there is nothing to compare with.

    That is so too where the task, which predictions are judged by now, judges otherwise than the training data were.
    """
    reference = reference_of(target)
    if reference is None or target is None or not evidence.enable or not is_alike(target, task):
        return None
    return Concept(reference, settings, evidence, pane_s)


def is_alike(target: Target, task: Task) -> bool:
    """Whether the same outputs are judged in the same way: a class by its name, a score by threshold and class."""
    same = (task.kind, task.label, task.scores) == (target.task, target.label, target.scores)
    return same and (bool(task.label) or (task.threshold, task.classes) == (target.threshold, target.classes))
