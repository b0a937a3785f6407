"""Which parts of the traffic a model serves worse than all the rest, of every cell of one or two columns.

Of each cell evidence is gathered that the share of wrong answers in it exceeds that of all other rows by more than
the tolerance (`evidence.two_shares`), lump of truths by lump, in several sizes of bets. A cell may become worse at any
time: its evidence is what was won since one start, times the weight of that start. The weights of all starts add up to
1, so what a cell has that is within the tolerance is at most 1 on average, at any time and however often one looks; a
start is given up where the next one is worth more. Truths that come as one, which `clumps` measures, count as one.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.clipped import log_mean_exp
from exporter.evidence.two_shares import Block, gained
from exporter.performance.cell_tables import AROUND, Tables
from exporter.performance.clumps import Clumps
from exporter.performance.worst import Standing, needed
from exporter.sketch import going_on

LEAST_TRUTHS: Final = 24
"""Of a lump."""
LEAST_ROWS: Final = 30
"""Of a cell, since ever, for it to be named; it is one of those that are searched from its first one on."""
_RAISED: Final = {0.35: 0.3, 0.8: 0.55, 1.6: 0.15}
"""Bets, and their weights: by how much the log odds of being wrong are above those of what is tolerated at the most."""
_BETS, _LOG_WEIGHTS = np.array([*_RAISED]), np.log([*_RAISED.values()])
_FIRST_WEIGHT: Final = 2 / 3
"""Of the first start; all others share the rest, and the later ones of them a little less each."""
_LATEST: Final = 1000.0
"""Truths by which is said how many wrong ones are expected; older ones count for less."""
_BEYOND: Final = 3.0
"""Nats by which evidence may exceed what names a cell alone: so that it falls soon once the cell is as the others."""
_LIKELY: Final = 2.0
"""Truths that come as one, as is believed before their lumps are compared."""
_DOUBT: Final = 5.0
"""So many times the default come as one while that is all that is known."""
_PANE, _FIRST, _MEANT, _LUMPS = range(4)
_NAMES: Final = ("lump", "all", "since", "nats", "start", "began", "seen", "clock", "latest")
Bits = NDArray[np.bool_]


class Terms(NamedTuple):
    """What is promised, and what is known before the first truth."""

    tolerance: float
    """By how much the share of wrong ones in a cell may exceed that of the others."""
    pane_s: float
    default_dependence: float = 5.0
    """How many truths are taken to come as one before it is measured."""
    expected: float = 0.2
    """The share of wrong ones before any is seen."""


class Slices:
    """Of one model. What it keeps is in named arrays; times are Unix times."""

    def __init__(self, columns: int, terms: Terms, meaning: object = None) -> None:
        """`meaning` differs where codes of the columns mean anything else."""
        self.tables, self._terms, self._meaning = Tables(columns), terms, meaning
        cells = self.tables.cells
        self._lump: NDArray[np.int64] = np.zeros((2, cells), np.int64)
        """Truths of each cell that are not weighed yet, and the wrong ones among them."""
        self._all: NDArray[np.int64] = np.zeros(2, np.int64)
        """Of all of those the right ones and the wrong ones."""
        self._since: NDArray[np.int64] = np.zeros((AROUND, 2, cells), np.int64)
        """Since the start of each cell: rows of it and around it, and the wrong ones among them."""
        self._nats: NDArray[np.float64] = np.zeros((cells, _BETS.size))
        """What each bet has won since then, were each truth to stand for itself."""
        self._start: NDArray[np.int64] = np.zeros(cells, np.int64)
        """The lump that a cell started with, from 0."""
        self._began: NDArray[np.int64] = np.zeros(cells, np.int64)
        """And the pane."""
        self._seen: NDArray[np.int64] = np.zeros(cells, np.int64)
        self._clock: NDArray[np.int64] = np.array([-1, -1, self._meant(), 0], np.int64)
        self._latest: NDArray[np.float64] = np.array([1.0, terms.expected])
        """Of the latest truths: how many, and how many wrong ones."""
        self._clumps = Clumps(_LIKELY)

    def _meant(self) -> int:
        """A number for what evidence is gathered against."""
        meant = self._terms.tolerance, self._terms.pane_s, self._meaning, *_RAISED.items()
        return int.from_bytes(hashlib.sha256(repr(meant).encode()).digest()[:8], signed=True)

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for it to go on elsewhere; it may be written to before the first truth."""
        name = f"{prefix}.slices.{self.tables.columns}"
        own = {f"{name}.{one}": getattr(self, f"_{one}") for one in _NAMES}
        return {**own, **self._clumps.arrays(f"{name}.clumps")}

    def held(self, prefix: str) -> Iterator[tuple[str, NDArray[Any]]]:
        """Copies of it for another time, array by array."""
        yield from going_on.copies(self.arrays(prefix))

    def put_back(self, held: Mapping[str, NDArray[Any]], prefix: str) -> bool:
        """Go on with what was held; whether it fitted. Nothing is changed where it did not."""
        return going_on.put_back(self.arrays(prefix), held)

    # in

    def add(self, codes: NDArray[np.uint8], wrong: Bits, at: NDArray[np.float64]) -> None:
        """Take truths in the order and at the times in which they came: whether the model was wrong, shape (rows,).

        `codes` are those of the columns, shape (rows, columns).
        """
        if not wrong.size:
            return
        self._heed()
        panes = np.maximum.accumulate(np.maximum((at // self._terms.pane_s).astype(np.int64), self._clock[_PANE]))
        starts = np.flatnonzero(np.diff(panes, prepend=-1))
        parts = np.split(codes, starts[1:]), np.split(wrong, starts[1:]), panes[starts].tolist()
        for some, bad, pane in zip(*parts, strict=True):
            self._turn_to(pane)
            if not self._all.any():
                self._clock[_FIRST] = pane
            self._all += (bad.size - bad.sum(), bad.sum())
            self._lump += self.tables.counted(some, bad)

    def advance(self, now: float) -> None:
        """Weigh what waits, if its pane is over at `now`; after a clock that was ahead wait for it no longer."""
        self._heed()
        pane = int(now // self._terms.pane_s)
        if self._clock[_PANE] >= 0 and not 0 <= self._clock[_PANE] - pane <= 1:
            self._turn_to(pane)

    def _heed(self) -> None:
        """Begin anew where it is against something else than when it was kept."""
        if self._clock[_MEANT] != self._meant():
            fresh = Slices(self.tables.columns, self._terms, self._meaning).arrays("")
            for name, array in self.arrays("").items():
                array[...] = fresh[name]

    def _turn_to(self, pane: int) -> None:
        if pane > self._clock[_PANE] and self._all.sum() >= LEAST_TRUTHS:
            self._weigh()
        self._clock[_PANE] = pane

    def _weigh(self) -> None:
        """Take the lump."""
        self._start_anew()
        around = self.tables.around(self._lump)
        self._since += around
        self._seen += self._lump[0]
        self._bet(around)
        self._clumps.add(self._all)
        self._latest *= _LATEST / (_LATEST + self._all.sum())
        self._latest += self._all.sum(), self._all[1]
        self._clock[_LUMPS] += 1
        self._lump[...] = 0
        self._all[...] = 0
        beyond = np.maximum(self.evidence - needed(self.searched, 1) - _BEYOND, 0.0)
        self._nats -= beyond[:, None] * self.dependence

    def _start_anew(self) -> None:
        """Cells that have less than what it is worth to start with this lump do that."""
        less = self.evidence <= _log_weights(self._clock[_LUMPS])
        self._nats[less] = 0.0
        self._since[:, :, less] = 0
        self._start[less] = self._clock[_LUMPS]
        self._began[less] = self._clock[_FIRST]

    def _bet(self, around: NDArray[np.int64]) -> None:
        """Cells win and lose by a lump, of which nothing was known when it was said how many are expected."""
        there = np.flatnonzero(self._lump[0])
        inside, every = around[0][:, there], around[1][:, there]
        expected = float(self._latest[1] / self._latest[0])
        self._nats[there] += gained(Block(*inside, *(every - inside)), expected, self._terms.tolerance, _BETS)

    # out

    @property
    def dependence(self) -> float:
        """How many truths are taken to come as one."""
        return self._clumps.carefully if self._clumps.is_believed else _DOUBT * self._terms.default_dependence

    @property
    def searched(self) -> int:
        """Cells that had any rows."""
        return int(np.count_nonzero(self._seen))

    @property
    def evidence(self) -> NDArray[np.float64]:
        """Nats of each cell: logarithm of an e-value."""
        return log_mean_exp(self._nats / self.dependence, _LOG_WEIGHTS) + _log_weights(self._start)

    def standing(self) -> Standing:
        """What there is to choose from."""
        likely = np.flatnonzero(self._seen >= LEAST_ROWS)
        return Standing(self.evidence, self._since, likely, self.searched, self._terms.tolerance, self.dependence)

    def began_s(self, cell: int) -> float:
        """Unix time of the start of a cell."""
        return float(self._began[cell]) * self._terms.pane_s


def _log_weights(lumps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of starts with lumps of those numbers: 1/(1 + ln s) less the same of s+1, of all from 1 on 1 together."""
    later = np.maximum(lumps, 1).astype(np.float64)
    share = np.log1p(1 / later) / ((1 + np.log(later)) * (1 + np.log1p(later)))
    return np.asarray(np.where(lumps > 0, np.log((1 - _FIRST_WEIGHT) * share), math.log(_FIRST_WEIGHT)))
