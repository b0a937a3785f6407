"""How soon drift pages in a fleet whose replicas come and go: pooled, by the mean of the replicas' evidence, by one pod.

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
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from exporter.evidence.bets import tilts
from exporter.evidence.engine import Engine
from exporter.evidence.streams import Stream
from exporter.evidence.terms import Terms

REPLICAS: Final = 20
FEATURES: Final = 10
PANE_S: Final = 60.0
MONDAY: Final = 1_790_553_600.0
SHARES: Final = np.array([0.01, *(0.098,) * 10, 0, 0, 0.008, 0.002, 0])
EXIST: Final = (True,) * 11 + (False, False) + (True,) * 3
LEAVE: Final = 1 / 200
"""Of a replica in a pane."""
WAVE_PANES: Final = 240
QUIET_PANES: Final = 120
MOST_PANES: Final = 1440
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


def evidence(seed: int, rate: float, share: float) -> Iterator[dict[str, float]]:
    """Evidence of each way after each pane; from QUIET_PANES on a feature has drifted."""
    fleet, one, pooled = Fleet(seed, rate), engine(), engine()
    own: dict[int, Engine] = {}
    for at in range(QUIET_PANES + MOST_PANES):
        found, wall_s = fleet.pane(at, moved(share) if at >= QUIET_PANES else SHARES), MONDAY + at * PANE_S
        one.pane(sum(counts for counts, _ in found.values()), wall_s)
        pooled.pane(sum((counts for counts, stays in found.values() if stays), np.zeros((FEATURES, 16), int)), wall_s)
        for name, (counts, stays) in found.items():
            own.setdefault(name, engine()).pane(counts, wall_s)
            if not stays:
                del own[name]
        nats = [each.model(wall_s) for each in own.values()]
        yield {"one": one.model(wall_s), "pooled": pooled.model(wall_s),
               "mean": float(logsumexp(nats) - math.log(len(nats)))}  # fmt: skip


def run(seed: int, rate: float, share: float) -> dict[str, Any]:
    """Minutes until each way pages; `false` are pages before the drift."""
    threshold = Terms().page.threshold
    found: dict[str, Any] = {"false": 0}
    for at, nats in enumerate(evidence(seed, rate, share)):
        for way, value in nats.items():
            if value >= threshold and way not in found:
                if at < QUIET_PANES:
                    found["false"] += 1
                found[way] = at + 1 - QUIET_PANES
        if len(found) == 4:
            break
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--output", type=Path, help="where the table goes as well")
    given = parser.parse_args()
    lines = ["| requests a minute | shift (total variation) | one pod | pooled | ratio | mean of replicas | ratio | false |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    begun = time.monotonic()
    for rate in (50.0, 500.0):
        for share in (0.13, 0.18):
            runs = [run(seed, rate, share) for seed in range(given.runs)]
            one, pooled, mean = (
                float(np.median([each.get(way, math.inf) for each in runs])) for way in ("one", "pooled", "mean")
            )
            lines.append(
                f"| {rate:g} | {share:g} | {one:g} min | {pooled:g} min | {pooled / one:.2f} | {mean:g} min |"
                f" {mean / one:.2f} | {sum(each['false'] for each in runs)} |"
            )
            print(lines[-1], file=sys.stderr, flush=True)
    print("\n".join(lines))
    print(f"\n{given.runs} runs each, {time.monotonic() - begun:.0f} s", file=sys.stderr)
    if given.output:
        given.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
