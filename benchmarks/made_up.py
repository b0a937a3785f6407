"""Traffic of made-up models in which nothing is wrong, pane by pane: of many models at once.

Each kind of traffic knows the counts of a pane, shape (models * features, bins); models are independent of each other,
the features of a model are not: rows that come together do so in each of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.bets import tilts
from exporter.evidence.streams import Stream

Shares = NDArray[np.float64]
Counts = NDArray[np.int64]
DAY: Final = 1440
WEEK: Final = 7 * DAY
MONDAY: Final = 1_790_553_600
"""00:00 UTC."""
ORDERED: Final = 14


@dataclass
class Traffic:
    """Of models, each with some features."""

    draw: np.random.Generator
    models: int
    features: int
    rate: float
    """Rows a pane, on average."""
    kind: str = "iid"
    columns: str = "numeric"
    shares: Shares = field(init=False)
    """Of each feature on average over time, shape (models * features, bins)."""

    def __post_init__(self) -> None:
        one = np.array([SHARES[self.columns]() for _ in range(self.features)])
        self.shares = np.tile(one, (self.models, 1))
        away = tilts(self.shares, ORDERED)[:, 2] if self.ordered else _spiked(self.shares)
        self._away = (away - self.shares) / np.maximum(np.abs(away - self.shares).sum(axis=1, keepdims=True) / 2, 1e-9)
        self._level = np.zeros(self.models)
        self._bins: Counts = np.zeros((0, 0), np.int64)
        self._burst: NDArray[np.float64] = np.full(self.models, -1e9)

    @property
    def ordered(self) -> int:
        """So many bins have an order."""
        return 0 if self.columns == "categories" else ORDERED

    def reference(self, rows: int) -> Counts:
        """Training rows, independent ones from all of the time."""
        return self.draw.multinomial(rows, self.shares)

    def pane(self, at: int) -> Counts:
        """The counts of a pane, minutes from Monday on."""
        return KINDS[self.kind](self, at)

    # what the kinds are made of

    def rows(self, at: int) -> NDArray[np.int64]:
        """Of each feature: those of a model have as many."""
        day = 1 + 0.5 * math.sin(2 * math.pi * at / DAY) if self.kind not in {"iid", "stops"} else 1.0
        return np.repeat(self.draw.poisson(self.rate * day, self.models), self.features)

    def at_level(self, at: int, level: Shares | float) -> Counts:
        """Independent rows, so much of them moved: a total variation, with its sign, of each model."""
        moved = np.repeat(np.broadcast_to(level, self.models), self.features)[:, None]
        p = np.maximum(self.shares + moved * self._away, 0)
        return self.draw.multinomial(self.rows(at), p / p.sum(axis=1, keepdims=True))

    def chosen(self, each: int) -> Counts:
        """Bins of so many rows of each model, shape (models * features, each)."""
        cut = self.shares.cumsum(axis=1)[:, None, :-1]
        return (self.draw.random((len(self.shares), each))[:, :, None] > cut).sum(axis=2)

    def counted(self, bins: Counts, sizes: Counts) -> Counts:
        """Bins with how many rows each of them stands for."""
        width = self.shares.shape[1]
        at = (np.arange(len(bins))[:, None] * width + bins).ravel()
        return np.bincount(at, sizes.ravel(), bins.shape[0] * width).astype(np.int64).reshape(-1, width)

    def groups(self, at: int, mean: float) -> Counts:
        """Rows come in groups of a geometric size, all alike."""
        number = self.draw.poisson(self.rate / mean * (1 + 0.5 * math.sin(2 * math.pi * at / DAY)), self.models)
        sizes = self.draw.geometric(1 / mean, (self.models, number.max(initial=0)))
        sizes[np.arange(sizes.shape[1])[None] >= number[:, None]] = 0
        return self.counted(self.chosen(sizes.shape[1]), np.repeat(sizes, self.features, axis=0))

    def long_groups(self, panes: float) -> Counts:
        """Each session sends a row a pane, for ten panes on average, always the same."""
        active = max(1, round(self.rate))
        if not self._bins.size:
            self._bins = self.chosen(active)
        ends = np.repeat(self.draw.random((self.models, active)) < 1 / panes, self.features, axis=0)
        self._bins = np.where(ends, self.chosen(active), self._bins)
        return self.counted(self._bins, np.ones_like(self._bins))

    def wandering(self, at: int) -> Counts:
        """A season of 2 %, and a level that wanders for hours, by 6 % at the most."""
        fade = math.exp(-1 / 360)
        self._level = self._level * fade + math.sqrt(1 - fade**2) * 0.02 * self.draw.standard_normal(self.models)
        return self.at_level(at, np.clip(self._level + 0.02 * math.sin(2 * math.pi * at / DAY), -0.06, 0.06))

    def with_bursts(self, at: int, share: float) -> Counts:
        """Once a day, one client sends the same row for twenty minutes, a share of the traffic of its own."""
        self._burst = np.where(self.draw.random(self.models) < 1 / DAY, at, self._burst)
        more = np.where(at - self._burst < 20, self.draw.poisson(self.rate * share, self.models), 0)
        found = self.at_level(at, 0.0)
        first = self.shares.argmax(axis=1)
        found[np.arange(len(first)), first] += np.repeat(more, self.features)
        return found


def _numeric() -> Shares:
    missing = 0.005
    tails = np.array([0.01, *(0.097,) * 10, 0.0, 0.0, 0.01])
    return np.append(tails / tails.sum() * (1 - missing), [missing, 0.0])


def _missing() -> Shares:
    tails = np.array([0.01, *(0.097,) * 10, 0.0, 0.0, 0.01])
    return np.append(tails / tails.sum() * 0.7, [0.3, 0.0])


def _constant() -> Shares:
    return np.array([0.0] * 5 + [1.0] + [0.0] * 10)


def _categories() -> Shares:
    zipf = 1 / np.arange(1.0, 31.0)
    return np.append(zipf / zipf.sum(), [0.0, 0.0, 0.0])


def _spiked(shares: Shares) -> Shares:
    """Half of the rows in the second bin."""
    return (shares + np.eye(shares.shape[1])[1]) / 2


def _mixed(of: Traffic, at: int) -> Counts:
    """Two pools, far apart; between 97 to 3 and 90 to 10 by the hour."""
    part = 0.065 + 0.035 * math.sin(2 * math.pi * (at // 60 * 60) / DAY)
    return of.at_level(at, 0.5 * (part - 0.065))


def _stops(of: Traffic, at: int) -> Counts:
    """Traffic from nine to five on five days of the week, with outages."""
    works = at % WEEK < 5 * DAY and 9 <= at % DAY // 60 < 17 and at // 37 % 11 != 0
    return of.at_level(at, 0.0) if works else np.zeros(of.shares.shape, np.int64)


SHARES: Final = {"numeric": _numeric, "missing": _missing, "constant": _constant, "categories": _categories}
KINDS: Final[dict[str, Callable[[Traffic, int], Counts]]] = {
    "iid": lambda of, at: of.at_level(at, 0.0),
    "sessions": lambda of, at: of.groups(at, 5.0),
    "long sessions": lambda of, _: of.long_groups(10.0),
    "pools": _mixed,
    "season": lambda of, at: of.at_level(at, 0.02 * math.sin(2 * math.pi * at / DAY)),
    "weekend": lambda of, at: of.at_level(at, 0.04 * 5 / 7 if at % WEEK >= 5 * DAY else -0.04 * 2 / 7),
    "wander": Traffic.wandering,
    "bursts": lambda of, at: of.with_bursts(at, 0.05),
    "stops": _stops,
}


def exist(traffic: Traffic) -> tuple[bool, ...]:
    """Which bins have a meaning, whether or not there are rows in them."""
    if not traffic.ordered:
        return (True,) * traffic.shares.shape[1]
    inside = traffic.shares.sum(axis=0)[1:13] > 0
    return (True, *inside.tolist(), True, True, True)


def stream(traffic: Traffic, counts: Counts, error: float, **more: object) -> Stream:
    """Of one feature."""
    return Stream(tuple(counts.tolist()), exist(traffic), traffic.ordered, error, **more)  # type: ignore[arg-type]
