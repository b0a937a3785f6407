"""How soon drift pages in a fleet whose replicas come and go: pooled, by the mean of their evidence, by one exporter.

Each replica sees a twentieth of the traffic. Replicas are replaced at random, in waves (rolling updates) and as their
number goes up and down; who leaves takes the rows since its last scrape along. Counts go to the engines at once, there
is no HTTP. `pooled` is what `inference-exporter fleet` does, `mean` the recording rule ln(avg(exp(evidence))), `one` a
single exporter that sees all traffic.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from exporter.evidence.bets import tilts
from exporter.evidence.engine import Engine
from exporter.evidence.streams import Stream
from exporter.evidence.terms import Terms

REPLICAS: Final = 20
FEATURES: Final = 5
PANE_S: Final = 60.0
MONDAY: Final = 1_790_553_600.0
SHARES: Final = np.array([0.01, *(0.098,) * 10, 0, 0, 0.008, 0.002, 0])
EXIST: Final = (True,) * 11 + (False, False) + (True,) * 3
LEAVE: Final = 1 / 200
"""Of a replica in a pane."""
WAVE_PANES: Final = 240
QUIET_PANES: Final = 60
WITH_MEAN: Final = 3
"""Runs in which replicas are watched one by one as well: that takes twenty times as long."""
Counts = NDArray[np.int64]


def engine() -> Engine:
    counts = tuple(np.rint(SHARES * 50_000).astype(int).tolist())
    one = Stream(counts, EXIST, ordered=14, error=0.01, dependence=1.0, wander=0.0, source="profile")
    return Engine([one] * FEATURES, Terms())


def moved(share: float) -> NDArray[np.float64]:
    up = tilts(SHARES[None], 14)[0, 2]
    return np.asarray(SHARES + share / (np.abs(up - SHARES).sum() / 2) * (up - SHARES))


class Fleet:
    """Replicas that come and go. The number of each counts up, so that a new one is told from an old one."""

    def __init__(self, seed: int, rate: float) -> None:
        self._draw, self._rate = np.random.default_rng(seed), rate
        self._next = REPLICAS
        self.replicas = list(range(REPLICAS))

    def pane(self, at: int, shares: NDArray[np.float64]) -> dict[int, tuple[Counts, bool]]:
        """By replica: what it counted, and whether it was there at the end."""
        wave = at % WAVE_PANES
        wanted = REPLICAS + round(5 * math.sin(2 * math.pi * at / 500))
        leaving = {one for one in self.replicas if self._draw.random() < LEAVE or (wave < 10 and one % 10 == wave)}
        found = {one: self._counted(shares, one in leaving) for one in self.replicas}
        self.replicas = [one for one in self.replicas if one not in leaving][:wanted]
        while len(self.replicas) < wanted:
            self.replicas.append(self._next)
            self._next += 1
        return found

    def _counted(self, shares: NDArray[np.float64], leaves: bool) -> tuple[Counts, bool]:
        rows = int(self._draw.poisson(self._rate / len(self.replicas)))
        counts = self._draw.multinomial(rows, SHARES, FEATURES)
        counts[FEATURES // 2] = self._draw.multinomial(rows, shares)
        return counts, not leaves


class Replicas:
    """An exporter for each of them, which begins with it."""

    def __init__(self) -> None:
        self._own: dict[int, Engine] = {}

    def pane(self, found: dict[int, tuple[Counts, bool]], wall_s: float) -> float:
        """ln(avg(exp(evidence))) after a pane, of those that are there."""
        for name, (counts, stays) in found.items():
            self._own.setdefault(name, engine()).pane(counts, wall_s)
            if not stays:
                del self._own[name]
        nats = [each.model(wall_s) for each in self._own.values()]
        return float(logsumexp(nats) - math.log(len(nats)))


def evidence(seed: int, rate: float, share: float, minutes: int) -> Iterator[dict[str, float]]:
    """Evidence of each way after each pane; from QUIET_PANES on a feature has drifted."""
    fleet, one, pooled = Fleet(seed, rate), engine(), engine()
    each = Replicas() if seed < WITH_MEAN else None
    for at in range(QUIET_PANES + minutes):
        found, wall_s = fleet.pane(at, moved(share) if at >= QUIET_PANES else SHARES), MONDAY + at * PANE_S
        nothing: Counts = np.zeros((FEATURES, len(SHARES)), np.int64)
        one.pane(sum((counts for counts, _ in found.values()), nothing), wall_s)
        pooled.pane(sum((counts for counts, stays in found.values() if stays), nothing), wall_s)
        yield {"one": one.model(wall_s), "pooled": pooled.model(wall_s)} | (
            {"mean": each.pane(found, wall_s)} if each else {}
        )


def run(seed: int, rate: float, share: float, minutes: int) -> dict[str, float]:
    """Minutes until each way pages, negative where it did before the drift; without those that did not."""
    threshold = Terms().page.threshold
    found: dict[str, float] = {}
    for at, nats in enumerate(evidence(seed, rate, share, minutes)):
        found |= {way: at + 1 - QUIET_PANES for way, value in nats.items() if value >= threshold and way not in found}
        if len(found) == len(nats):
            break
    return found


def row(of: tuple[float, float], runs: list[dict[str, float]], minutes: int) -> str:
    """Of the table."""
    one, pooled = (np.array([each.get(way, math.inf) for each in runs]) for way in ("one", "pooled"))
    mean = np.median([each.get("mean", math.inf) for each in runs[:WITH_MEAN]])
    words = f"{mean:g}" if math.isfinite(mean) else f"over {minutes}"
    false = sum(found <= 0 for each in runs for found in each.values())
    return (
        f"| {of[0]:g} | {of[1]:.0%} | {np.median(one):g} | {np.median(pooled):g} | {np.median(pooled / one):.2f} |"
        f" {words} | {false} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--minutes", type=int, default=120, help="to wait for a page (120)")
    given = parser.parse_args()
    begun = time.monotonic()
    print("| requests a minute | values that moved | one exporter | pooled | ratio | mean of replicas | false pages |")
    print("|---|---|---|---|---|---|---|")
    for rate in (50.0, 500.0):
        for share in (0.09, 0.13, 0.18):
            runs = [run(seed, rate, share, given.minutes) for seed in range(given.runs)]
            print(row((rate, share), runs, given.minutes), flush=True)
    print(f"{given.runs} runs each, {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
