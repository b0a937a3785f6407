"""How long it takes until a drift of one of twenty features pages, beside PSI > 0.2 over an hour."""

import copy
from typing import Final, NamedTuple

import numpy as np
from made_up import DAY, MONDAY, Traffic, stream
from numpy.typing import NDArray

from exporter.calibration.reference_error import reference_error
from exporter.evidence.bets import tilts
from exporter.evidence.engine import Engine
from exporter.evidence.terms import Terms
from exporter.guarantees import Evidence

FEATURES: Final = 20
CAP: Final = 240
"""Minutes after which nobody waits any longer."""
HOUR: Final = 60


class Delays(NamedTuple):
    """Median minutes; the cap where most were not found."""

    rate: float
    psi: float
    shift: float
    """Total variation."""
    known: float
    learnt: float
    by_psi: float
    found_by_psi: float
    """Of all runs."""


def shifted(shares: NDArray[np.float64], psi: float) -> NDArray[np.float64]:
    """Moved up, so far that PSI is as stated."""
    up = tilts(shares[None], 14)[0, 2]
    part = np.linspace(0, 1.3, 2000)[:, None]
    moved = np.maximum(shares + part * (up - shares), 1e-12)
    safe = np.where(shares > 0, shares, 1.0)
    found = np.where(shares > 0, (moved - shares) * np.log(moved / safe), 0.0).sum(axis=1)
    chosen = moved[np.abs(found - psi).argmin()] * (shares > 0)
    return np.asarray(chosen / chosen.sum())


def psi_of(counts: NDArray[np.int64], reference: NDArray[np.int64]) -> float:
    """Half a row added to each bin that has any."""
    held = (counts + reference) > 0
    p, r = counts[held] + 0.5, reference[held] + 0.5
    p, r = p / p.sum(), r / r.sum()
    return float(((p - r) * np.log(p / r)).sum())


def one(traffic: Traffic, engine: Engine, psi: float, from_s: float) -> tuple[int, int]:
    """Minutes until the evidence pages, and until PSI > 0.2."""
    bad, window = traffic.shares.copy(), []
    bad[3] = shifted(bad[3], psi)
    good, found, by_psi = traffic.shares, CAP, CAP
    reference = traffic.reference(50_000)[3]
    calm = max(HOUR, round(1200 / traffic.rate))
    for at in range(-calm, CAP):
        traffic.shares = bad if at >= 0 else good
        counts = traffic.at_level(0, 0.0)
        window = [*window[-HOUR + 1 :], counts[3]]
        wall_s = from_s + 60.0 * (at + calm)
        engine.pane(counts, wall_s)
        if at >= 0:
            found = min(found, at + 1) if engine.model(wall_s) >= engine.terms.page.threshold else found
            by_psi = min(by_psi, at + 1) if psi_of(np.sum(window, axis=0), reference) > 0.2 else by_psi
        if found < CAP and by_psi < CAP:
            break
    traffic.shares = good
    return found, by_psi


def delays(rate: float, psi: float, runs: int = 9, warm: tuple[Traffic, Engine] | None = None) -> Delays:
    known, learnt, by_psi = [], [], []
    for seed in range(runs):
        traffic = Traffic(np.random.default_rng(seed), 1, FEATURES, rate)
        counts = traffic.reference(50_000)
        calm = {"dependence": 1.0, "wander": 0.0, "source": "profile"}
        streams = [stream(traffic, row, reference_error(row), **calm) for row in counts]
        minutes, other = one(traffic, Engine(streams, Terms()), psi, MONDAY)
        known.append(minutes)
        by_psi.append(other)
        if warm:
            drifting = copy.copy(warm[0])
            drifting.draw = np.random.default_rng(seed + 100)
            learnt.append(one(drifting, copy.deepcopy(warm[1]), psi, MONDAY + 8.0 * 86400)[0])
    moved = float(np.abs(shifted(traffic.shares[3], psi) - traffic.shares[3]).sum() / 2)
    return Delays(
        rate, psi, moved, float(np.median(known)), float(np.median(learnt)) if learnt else float("nan"),
        float(np.median(by_psi)), float(np.mean(np.array(by_psi) < CAP)),
    )  # fmt: skip


def warmed(rate: float) -> tuple[Traffic, Engine]:
    """An engine of which nothing was known before its eight days of traffic."""
    traffic = Traffic(np.random.default_rng(99), 1, FEATURES, rate)
    counts = traffic.reference(50_000)
    engine = Engine([stream(traffic, row, reference_error(row)) for row in counts], Terms())
    for at in range(8 * DAY):
        engine.pane(traffic.pane(at), MONDAY + 60.0 * at)
    return traffic, engine


def adversary(rate: int, every: int, panes: int, adapts: bool, seed: int) -> float:
    """Panes between two pages where as much is moved as is tolerated, in the worst direction known."""
    draw = np.random.default_rng(seed)
    traffic = Traffic(draw, 1, 1, rate)
    shares = traffic.shares[0]
    training = np.rint(shares * 1e6).astype(np.int64)
    known = stream(traffic, training, 0.0, dependence=1.0, wander=0.0, source="profile")
    engine = Engine([known], Terms(Evidence(false_page_every=every * 60.0)))
    up = tilts(shares[None], 14)[0]
    ways = [up[2], up[3], up[6], shares * 0.7 + 0.3 * np.eye(len(shares))[13]]
    pages, armed = 0, True
    for at in range(panes):
        told = engine.told(0.0)
        way = ways[{0: 0, 1: 1, 2: 2, 4: 3}.get(int(told.kind[0]), 0)] if adapts and told else ways[0]
        draws = draw.multinomial(rate, worst(shares, way, 0.03))[None]
        engine.pane(draws, MONDAY + 60.0 * at)
        nats, threshold = engine.model(0.0), engine.terms.page.threshold
        pages += armed and nats >= threshold
        armed = nats < (threshold if armed else threshold - 3)
    return panes / max(pages, 0.5)


def worst(shares: NDArray[np.float64], way: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """So much mass taken from where a bet loses most and put where it wins most."""
    order = np.argsort(np.where(shares > 0, way / np.where(shares > 0, shares, 1), 1.0))
    moved, left = shares.copy(), share
    moved[order[-1]] += share
    for place in order:
        taken = min(left, moved[place])
        moved[place] -= taken
        left -= taken
    return np.asarray(moved)


def main() -> None:
    for rate in (5.0, 50.0, 500.0):
        warm = warmed(rate)
        for psi in (0.1, 0.15, 0.2):
            print(delays(rate, psi, warm=warm), flush=True)
    for rate in (5, 50, 500):
        for adapts in (False, True):
            between = [adversary(rate, 300, 6000, adapts, seed) for seed in range(2)]
            print(
                f"adversary {rate}/min adapts={adapts}: {np.mean(between):.0f} panes between pages, 300 promised",
                flush=True,
            )


if __name__ == "__main__":
    main()
