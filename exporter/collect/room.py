"""Keeps a page within the series that it may have: by a plan that is made ahead, and a guard for what nobody foresaw.

What the guard has cut stays away until settings, models or profiles change: nothing comes and goes with the traffic.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from exporter import catalogue
from exporter.budget import costs
from exporter.budget.order import emergency
from exporter.budget.plan import Plan, Watched, plan, ranked
from exporter.budget.shape import Shape
from exporter.budget.switches import switched_off
from exporter.collect.exposition import Block, Distributions, Samples
from exporter.collect.scene import Page, Scene

_LOG = logging.getLogger("exporter.collect")
_BESIDE_BOUNDS: Final = 3
"""Lines of a histogram: the last bucket, count and sum."""
_Composition = tuple[tuple[Any, ...], ...]


class Room:
    """Of the pages of one exporter."""

    def __init__(self, shape: Shape, host: str) -> None:
        """`host` is what this replica is called. ConfigError where settings name families that are none."""
        self._shape = shape
        self._off = switched_off(shape.metrics, host)
        self._late = costs.of_merging(shape, self._off)
        self._composition: _Composition | None = None
        self._plan = Plan((), 0, 0, {}, {}, (0, 0))
        self._cut: dict[str, int] = {}
        """Series of families that the guard has taken away, by name."""

    # ahead

    def planned(self, page: Page) -> Page:
        """The page, each of whose scenes knows what is shown of it."""
        composition = tuple(_of(scene) for scene in page.scenes)
        if self._composition is None or not _is_same(composition, self._composition):
            self._composition, self._cut = composition, {}
            self._plan = plan(self._shape, watched(self._shape, page.scenes), self._off)
            self._tell()
        cut = frozenset(self._cut)
        shows = [one._replace(hidden=one.hidden | cut) for one in self._plan.models]
        return replace(
            page, scenes=tuple(replace(scene, shows=one) for scene, one in zip(page.scenes, shows, strict=True))
        )

    def _tell(self) -> None:
        found, limit = self._plan, self._shape.limit
        if not found.lost:
            _LOG.info("/metrics: up to %d series expected, of %d that it may have", found.expected, limit)
            return
        gone = sum(name not in found.by_family for name in found.lost)
        _LOG.warning(
            "/metrics: up to %d series expected, and it may have %d: left out are %d families, and the series of %d of"
            " %d columns. Allow more (%s would do), or see docs/series.md for what else can go",
            found.wanted, limit, gone, found.columns[1] - found.columns[0], found.columns[1],
            self._shape.allowing(found.wanted),
        )  # fmt: skip

    # afterwards

    def shows(self, name: str) -> bool:
        """Whether a family that is of no model is shown."""
        return name not in self._off and name not in self._cut

    def trimmed(self, item: Samples | Distributions) -> Samples | Distributions:
        """A family with no more series than one may have: its first ones."""
        most = self._shape.metrics.max_series_per_family
        if not most:
            return item
        if isinstance(item, Samples):
            return item if len(item.values) <= most else item._replace(values=item.values[:most])
        return item._replace(values=item.values[: max(1, most // (len(item.bounds) + _BESIDE_BOUNDS))])

    def guarded(self, blocks: Sequence[Block], more: int) -> list[Block]:
        """These without the families that must go so that they and `more` series are within the limit."""
        sizes = {block.name: block.series for block in blocks}
        total = more + sum(sizes.values())
        gone = []
        for name in emergency(sizes):
            if self._whole(total) <= self._shape.limit:
                break
            total -= sizes[name]
            self._cut[name] = sizes[name]
            gone.append(name)
        if gone:
            _LOG.error(
                "/metrics: more series than the %d allowed, and than were expected; left out from now on: %s. Allow"
                " more with --max-series, or switch off what is not needed with metrics.disable",
                self._shape.limit, ", ".join(gone),
            )  # fmt: skip
        return [block for block in blocks if block.name not in self._cut]

    def _whole(self, series: int) -> int:
        """Series of a page with what it says of itself, and of the merging once it is asked for."""
        numbers = sum(self.shows(one.name) for one in (catalogue.PAGE_SERIES, catalogue.MAX_SERIES))
        lost = len(self._lost()) if self.shows(catalogue.DROPPED_SERIES.name) else 0
        return series + self._late + numbers + lost

    def _lost(self) -> Mapping[str, int]:
        """Series that the page has no room for, by family."""
        return {**self._plan.lost, **self._cut}

    def about(self, series: int) -> list[Samples]:
        """What a page says of how much it has, and lacks, beside `series` others."""
        lost = [((name,), count) for name, count in sorted(self._lost().items())]
        return [
            Samples(catalogue.PAGE_SERIES, [((), self._whole(series))]),
            Samples(catalogue.MAX_SERIES, [((), self._shape.limit)]),
            Samples(catalogue.DROPPED_SERIES, lost),
        ]


def watched(shape: Shape, scenes: Sequence[Scene]) -> list[Watched]:
    """Models as the plan sees them."""
    names = [scene.model for scene in scenes]
    alike = [(scene.model, scene.profile.digest) if scene.profile else None for scene in scenes]
    found = []
    for at, scene in enumerate(scenes):
        if scene.profile is None:
            found.append(Watched(costs.bare(shape), ((), ()), ((), ())))
            continue
        others = alike.count(alike[at]) - 1 if alike[at] not in alike[:at] else 0  # the newest alone is compared
        said = tuple(block.said if block else () for block in (scene.block(0), scene.block(1)))
        features, outputs = ([one.name for one in side] for side in (scene.profile.features, scene.profile.outputs))
        expected = costs.costs(shape, scene.profile, said, others, is_alone=names.count(scene.model) == 1)
        found.append(Watched(expected, ranked(scene.profile, said), (features, outputs)))
    return found


def _of(scene: Scene) -> tuple[Any, ...]:
    """What decides which series a model may come to have."""
    said = (block.said if block else None for block in (scene.block(0), scene.block(1)))
    return (scene.model, scene.version, scene.profile, *said)


def _is_same(one: _Composition, other: _Composition) -> bool:
    """Whether these are the same things: not merely equal ones, which would take long to tell."""
    return len(one) == len(other) and all(
        a[:2] == b[:2] and all(x is y for x, y in zip(a[2:], b[2:], strict=True))
        for a, b in zip(one, other, strict=True)
    )
