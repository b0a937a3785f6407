"""One number for a model that pages, and what it is made of: pane counts in, evidence out.

In words: on average at most one false page in so many days, however many streams there are and however often anybody
looks, while no stream has moved more of its rows to other bins than is tolerated. The evidence of a model is the mean
of its streams' capital, which no dependence between them can raise.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.clipped import Shares, log_mean_exp
from exporter.evidence.cohort import SHIFTS, Cohort
from exporter.evidence.standing import COLD, LEARNED
from exporter.evidence.streams import Stream
from exporter.evidence.terms import Terms
from exporter.evidence.verdict import Verdict
from exporter.sketch import going_on

_BEGUN, _PANE, _HOUR, _STAGE, _PLANNED, _SLOT, _NEW_UNTIL = range(7)
_NEW_PANES: Final = 5
_NEW_TIME: Final = 0.02
_NEW_ROWS: Final = 0.1
"""What began to differ before so much of a warm-up was over did so from the first row, as far as anybody can tell."""
_LOOKS: Final = ((1.5, 0.25, 1.0), (2.0, 0.08, 0.1))
"""So many times the dependence seen counts after so much of a warm-up's time and of its rows."""
_RATE_PANES: Final = 60.0


class Engine:
    """Of one model and reference. What it keeps is in named arrays; times are Unix times."""

    def __init__(self, streams: Sequence[Stream], terms: Terms) -> None:
        """`streams` have as many bins in `pane` as they have here, or fewer than its last axis."""
        self.terms = terms
        weights = np.array([one.weight for one in streams])
        weights = weights / (weights.sum() or 1.0)
        with np.errstate(divide="ignore"):
            self._log_weights = np.log(weights)
        self._pages = np.array([one.pages for one in streams])
        self._snoozed = np.array([one.snoozed_until for one in streams])
        self._places: list[NDArray[np.int64]] = []
        self._cohorts: list[Cohort] = []
        sizes = [(len(one.counts), one.ordered) for one in streams]
        for size in sorted(set(sizes)):
            places = [at for at, one in enumerate(sizes) if one == size]
            self._places.append(np.array(places, np.int64))
            self._cohorts.append(Cohort(tuple(streams[at] for at in places), weights[places], terms))
        self._clock: NDArray[np.int64] = np.full(7, -1, np.int64)
        self._clock[[_STAGE, _PLANNED]] = 0
        self._rate: Shares = np.zeros(2)
        """Rows a pane, fading, and how much of the fading past there is."""
        self._is_fresh = True
        self._meant = _meant(streams, terms)
        self._said: NDArray[np.int64] = np.full(1, self._meant)
        """What was said when evidence was gathered."""

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for it to go on elsewhere; it may be written to before the first pane."""
        kept = {f"{prefix}.clock": self._clock, f"{prefix}.rate": self._rate, f"{prefix}.said": self._said}
        for at, cohort in enumerate(self._cohorts):
            kept |= dict(cohort.arrays(f"{prefix}.{at}"))
        return kept

    def held(self, prefix: str) -> Iterator[tuple[str, NDArray[Any]]]:
        """Copies of it, array by array."""
        yield from going_on.copies(self.arrays(prefix))

    def put_back(self, held: Mapping[str, NDArray[Any]], prefix: str) -> bool:
        """Go on with what was held; whether it fitted. Nothing is changed where it did not."""
        if not going_on.put_back(self.arrays(prefix), held):
            return False
        self._is_fresh = True
        return True

    # in

    def pane(self, counts: NDArray[np.int64], wall_s: float) -> None:
        """Take the counts of a pane that began at a Unix time, shape (streams, bins); panes come in order of time."""
        self._heed()
        pane, hour = int(wall_s // self.terms.pane_s), int(wall_s // self.terms.hour_s)
        planned = self.terms.planned(self._since(pane, wall_s), wall_s + self.terms.pane_s) is not None
        self._turn_to(pane, hour, wall_s)
        if planned or self._clock[_PLANNED]:
            self._restart_pages()
            self._clock[_PLANNED] = planned
        if planned:
            return
        rows = counts.sum(axis=1).max(initial=0)
        self._rate += (np.array([rows, 1.0]) - self._rate) / _RATE_PANES
        if rows:
            for places, cohort in zip(self._places, self._cohorts, strict=True):
                cohort.add(counts[places, : cohort.bins], pane)
        self._grow_up(wall_s)

    def _heed(self) -> None:
        """Gather anew where something else is tolerated than when it was kept; what traffic has shown stays.

        Where more is, some bets are none any more, and what they had won would stay for good.
        """
        if self._said[0] != self._meant:
            self._said[0] = self._meant
            for cohort in self._cohorts:
                self._restart(cohort, np.ones(cohort.size, bool))

    def _restart(self, cohort: Cohort, streams: NDArray[np.bool_]) -> None:
        cohort.restart(streams, int(self._clock[_PANE]), int(self._clock[_HOUR]))

    def _since(self, pane: int, wall_s: float) -> float:
        """What time nobody has asked about yet: of a while without panes, as between two runs, its begin."""
        last = int(self._clock[_PANE])
        return (last + 1) * self.terms.pane_s if 0 <= last < pane - 1 else wall_s

    def _turn_to(self, pane: int, hour: int, wall_s: float) -> None:
        clock = self._clock
        if clock[_BEGUN] < 0:
            clock[_BEGUN], clock[_HOUR] = pane, hour
        elif hour != clock[_HOUR]:
            usual = self.model() < self.terms.page.threshold
            learning = self._seconds(wall_s) < 2 * self.terms.settings.learn
            for cohort in self._cohorts:
                cohort.end_hour(int(clock[_SLOT]), int(clock[_HOUR]), usual and learning)
            if clock[_STAGE] == COLD and usual:
                self._foresee(wall_s)
            clock[_HOUR] = hour
            self._is_fresh = True
        clock[_PANE] = pane
        if self._is_fresh:
            clock[_SLOT] = self.terms.slot(wall_s)
            self._refer()

    def _foresee(self, wall_s: float) -> None:
        settings = self.terms.settings
        time, rows = self._seconds(wall_s) / settings.warm_up, self._rows() / settings.warm_up_rows
        margins = (margin for margin, least, fewest in _LOOKS if time >= least and rows >= fewest)
        margin = next(margins, None)
        for cohort in self._cohorts:
            cohort.foresee(margin)

    def _refer(self) -> None:
        for cohort in self._cohorts:
            cohort.refer(int(self._clock[_SLOT]), int(self._clock[_STAGE]))
        self._is_fresh = False

    def _seconds(self, wall_s: float) -> float:
        """How long it has watched."""
        return wall_s + self.terms.pane_s - float(self._clock[_BEGUN]) * self.terms.pane_s

    def _rows(self) -> int:
        """So many rows were counted of a stream."""
        return max(int(cohort.learning.total.sum(axis=1).max()) for cohort in self._cohorts)

    def _grow_up(self, wall_s: float) -> None:
        """Take what traffic has shown once it was watched for long enough."""
        stage, settings = self._clock[_STAGE], self.terms.settings
        if self._clock[_NEW_UNTIL] < 0 and self._rows() >= _NEW_ROWS * settings.warm_up_rows:
            panes = max(_NEW_PANES, round(_NEW_TIME * settings.warm_up / self.terms.pane_s))
            self._clock[_NEW_UNTIL] = max(self._clock[_PANE], self._clock[_BEGUN] + panes)
        if stage == LEARNED or self._seconds(wall_s) < (settings.warm_up if stage == COLD else settings.learn):
            return
        if stage == COLD:
            if self._rows() < settings.warm_up_rows:
                return
            self._settle()
        else:
            for cohort in self._cohorts:
                cohort.learn()
        self._clock[_STAGE] += 1
        self._refer()

    def _settle(self) -> None:
        for cohort in self._cohorts:
            cohort.learning.end_hour(int(self._clock[_SLOT]), keep=False)
            anew = cohort.settle(self._is_from_the_first_row(cohort))
            self._restart(cohort, anew)

    def _restart_pages(self) -> None:
        """Begin to gather anew what pages, as after a planned event; what traffic has shown stays.

        Slow drift takes days to show: it only waits meanwhile, or a window of each night would hide it for ever.
        """
        for cohort in self._cohorts:
            cohort.restart_pages(np.ones(cohort.size, bool), int(self._clock[_PANE]))

    # out

    def _is_from_the_first_row(self, cohort: Cohort) -> NDArray[np.bool_]:
        """Streams that began to differ when they began to be watched."""
        until = self._clock[_NEW_UNTIL]
        return np.asarray((cohort.fast.leading().begun <= until) | (until < 0))

    def _gathered(self, values: Sequence[NDArray[Any]], dtype: type) -> NDArray[Any]:
        """Of each cohort, as they lie in the model."""
        found = np.zeros(self._log_weights.size, dtype)
        for places, of_cohort in zip(self._places, values, strict=True):
            found[places] = of_cohort
        return found

    def _merged(self, nats: Shares, counting: NDArray[np.bool_]) -> float:
        if not counting.any():
            return 0.0
        return max(0.0, float(log_mean_exp(nats[counting], self._log_weights[counting])))

    def _deferred(self) -> NDArray[np.bool_]:
        """Streams that differ slightly from the first row on: that is said when the warm-up ends, and pages nobody."""
        if self._clock[_STAGE] > COLD:
            return np.zeros(self._log_weights.size, bool)
        return self._gathered([self._is_from_the_first_row(one) & one.slight() for one in self._cohorts], bool)

    def model(self, wall_s: float = 0.0) -> float:
        """Nats of evidence that page, 0 at least."""
        nats = self._gathered([one.fast.of_streams() for one in self._cohorts], float)
        counting = self._pages & (self._snoozed <= wall_s) & ~self._deferred()
        return self._merged(nats, counting & np.isfinite(self._log_weights))

    def told(self, wall_s: float) -> Verdict | None:
        """What there is to say at a Unix time; None before the first pane."""
        if self._clock[_BEGUN] < 0:
            return None
        self._heed()
        if self._is_fresh:
            self._refer()
        of = self._cohorts
        leading = [one.fast.leading() for one in of]
        first = [one.bets for one in leading]
        nats, slow = ([cusum.of_streams() for cusum in cusums]
                      for cusums in ([one.fast for one in of], [one.slow for one in of]))  # fmt: skip
        held = [one.held_against for one in of]
        stands = [one.stands for one in of]
        counting = self._pages & (self._snoozed <= wall_s) & np.isfinite(self._log_weights)
        pane_s = self.terms.pane_s
        begun = self._gathered([one.begun for one in leading], np.int64)
        every = self._gathered(nats, float)
        return Verdict(
            nats=self._merged(every, counting & ~self._deferred()),
            threshold=self.terms.page.threshold,
            slow_nats=self._merged(self._gathered(slow, float), counting),
            slow_threshold=self.terms.ticket.threshold,
            stage=int(self._clock[_STAGE]),
            planned=bool(self._clock[_PLANNED]),
            began_s=float(self._clock[_BEGUN]) * pane_s,
            delays={shift: self._delay(shift) for shift in SHIFTS},
            streams=every,
            slow_streams=self._gathered(slow, float),
            tolerance=self._gathered([one.tolerance for one in held], float),
            dependence=self._gathered([one.dependence for one in stands], float),
            source=self._gathered([one.source for one in stands], np.int8),
            seasonal=self._gathered([one.seasonal for one in held], bool),
            monitored=self._gathered([one.monitored for one in of], bool),
            onset_s=np.maximum(begun + 1, self._clock[_BEGUN]) * pane_s,
            kind=self._gathered([one.places.kinds[at] for one, at in zip(of, first, strict=True)], np.int8),
            bin=self._gathered([one.places.bins[at] for one, at in zip(of, first, strict=True)], np.int16),
            shape=self._gathered([one.shapes.of(at) for one, at in zip(of, first, strict=True)], np.int8),
            deferred=self._deferred(),
            skew=self._gathered([one.found.skew for one in of], float),
            skew_critical=self._gathered([one.found.skew_critical for one in of], float),
            recentred=self._gathered([one.found.recentred for one in of], bool),
        )  # fmt: skip

    def _delay(self, shift: float) -> float:
        """Seconds until a shift of one stream pages, of half of the streams at most; infinite without traffic."""
        weighing = np.isfinite(self._log_weights)
        if not (self._rate[0] and weighing.any()):
            return float("inf")
        rows = np.median(self._gathered([one.delays[shift] for one in self._cohorts], float)[weighing])
        panes = max(float(rows) / float(self._rate[0] / self._rate[1]), float(self.terms.settings.least_panes))
        return panes * self.terms.pane_s


def _meant(streams: Sequence[Stream], terms: Terms) -> int:
    """A number for what is said of tolerance and dependence."""
    said = [(one.tolerance, one.dependence, one.wander) for one in streams]
    settings = terms.settings
    defaults = settings.tolerance, settings.default_tolerance, settings.default_dependence
    return int.from_bytes(hashlib.sha256(repr((said, defaults)).encode()).digest()[:8], signed=True)
