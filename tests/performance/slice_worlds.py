"""Worlds in which a model is wrong in some parts of its traffic, told truth by truth to a search for these parts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.slices import Slices, Terms
from exporter.performance.worst import needed, worst

PANE_S = 60.0
UNEVEN = ((0.5, 0.3, 0.2), (0.4, 0.3, 0.2, 0.1), (0.4, 0.3, 0.2, 0.1))
LONE = ((0.9, 0.07, 0.03), (0.7, 0.2, 0.07, 0.03), (0.4, 0.3, 0.2, 0.1))
EVEN = ((1 / 3,) * 3, (1 / 4,) * 4, (1 / 4,) * 4)
"""Shares of the values of three columns: 11 values and 40 pairs of them, 51 cells."""
Place = tuple[int, int]


class World(NamedTuple):
    """Who asks, and how often the answer is wrong."""

    shares: Sequence[Sequence[float]] = EVEN
    base: float = 0.2
    planted: tuple[Place, ...] = ()
    """Columns and values of the part that is served worse."""
    error: float = 0.0
    """In that part."""
    harmless: float = 0.0
    """By how much the first value of the first column is worse."""
    alike: int = 1
    """So many rows are the same, and as wrong."""

    def rows(self, seed: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Codes, and whether the answer was wrong."""
        random, own = np.random.default_rng(seed), -(-count // self.alike)
        codes = np.stack([random.choice(len(shares), own, p=shares) for shares in self.shares], 1).astype(np.uint8)
        share = self.base + self.harmless * (codes[:, 0] == 0)
        inside = np.all([codes[:, column] == value for column, value in self.planted], axis=0) & bool(self.planted)
        wrong = random.random(own) < np.where(inside, self.error, share)
        return codes.repeat(self.alike, axis=0)[:count], wrong.repeat(self.alike)[:count]


class Told(NamedTuple):
    """What came of it."""

    found: int | None
    """Truths after which the planted part was named; None where it was not."""
    named: frozenset[int]
    """All that were named at any time."""
    last: tuple[int, ...]
    """And at the end."""
    slices: Slices


def tell(world: World, seed: int, count: int, a_pane: int = 50, slices: Slices | None = None) -> Told:
    """Truths that come pane by pane; after each somebody looks."""
    one = slices or Slices(len(world.shares), Terms(0.02, PANE_S))
    planted = one.tables.number(*world.planted) if world.planted else -1
    codes, wrong = world.rows(seed, count)
    found, named, last = None, set[int](), list[int]()
    begin = int(one.arrays("")[".slices.3.clock"][0]) + 1
    for pane, start in enumerate(range(0, count, a_pane), begin):
        some = slice(start, start + a_pane)
        one.add(codes[some], wrong[some], np.full(wrong[some].size, (pane + 0.5) * PANE_S))
        one.advance((pane + 1) * PANE_S)
        standing = one.standing()
        last = []
        if standing.nats.max() >= needed(standing.searched, 5):
            last = worst(one.tables, standing)
        named |= {*last}
        if planted in last and found is None:
            found = start + a_pane
    return Told(found, frozenset(named), tuple(last), one)


def ever_named(world: World, seeds: range, count: int, a_pane: int = 50) -> list[int]:
    """Seeds in which anything was named."""
    return [seed for seed in seeds if tell(world, seed, count, a_pane).named]


def found_within(world: World, seeds: range, count: int, a_pane: int = 50) -> list[int]:
    """After how many truths the planted part was named, of each seed in which it was."""
    found = (tell(world, seed, count, a_pane).found for seed in seeds)
    return [truths for truths in found if truths is not None]
