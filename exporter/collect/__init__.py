"""From what is known to what is shown: a table of collectors, each a function to families.

Collectors only render. A collector that fails costs its own families, never the page: see `Renderer`.
"""

import logging
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from exporter import __version__, catalogue, glance
from exporter.budget.shape import Shape
from exporter.collect import (
    ageing,
    columns,
    dependencies,
    events,
    evidence,
    failed,
    feedback,
    generated,
    golden,
    grouped,
    loops,
    models,
    performance,
    performed_segments,
    reference,
    relay,
    retrain,
    segments,
    server,
    slices,
    traffic,
    versions,
    web,
    witness,
)
from exporter.collect.exposition import NO_EXEMPLARS, Block, Distributions, Exemplars, Samples, Unmade
from exporter.collect.joint import joined
from exporter.collect.rendered import Rendered
from exporter.collect.room import Room
from exporter.collect.scene import Page, Scene
from exporter.collect.sieve import sifted
from exporter.collect.writing import Writing

_LOG = logging.getLogger("exporter.collect")
_COMPILED: Final = "no" if glance.__file__.endswith(".py") else "yes"
Collected = Iterable[Samples | Distributions]
_SHAPE: Final = Shape()


@dataclass(frozen=True, slots=True)
class Collector:
    """One entry of the table."""

    name: str
    collect: Callable[[Page], Collected]


def _each(collect: Callable[[Scene], Iterable[Samples | Unmade | Distributions]]) -> Callable[[Page], Collected]:
    """A collector of pages from one that looks at one model: of it what the page has room for."""
    return lambda page: joined((scene.visible, sifted(versions.shown(scene), collect(scene))) for scene in page.scenes)


COLLECTORS: Final = (
    Collector("traffic", _each(traffic.collect)),
    Collector("server", _each(server.collect)),
    Collector("dependencies", _each(dependencies.collect)),
    Collector("reference", _each(reference.collect)),
    Collector("columns", _each(columns.collect)),
    Collector("evidence", _each(evidence.collect)),
    Collector("performance", _each(performance.collect)),
    Collector("ageing", _each(ageing.collect)),
    Collector("slices", _each(slices.collect)),
    Collector("loops", _each(loops.collect)),
    Collector("failed", _each(failed.collect)),
    Collector("segments", _each(segments.collect)),
    Collector("segment performance", _each(performed_segments.collect)),
    Collector("grouped", _each(grouped.collect)),
    Collector("generated", _each(generated.collect)),
    Collector("versions", _each(versions.collect)),
    Collector("models", models.collect),
    Collector("golden", golden.collect),
    Collector("relay", relay.collect),
    Collector("events", events.collect),
    Collector("feedback", feedback.collect),
    Collector("retrain", retrain.collect),
    Collector("web", web.collect),
    Collector("witness", witness.collect),
)


class Renderer:
    """Renders page after page, none of which has more series than it may."""

    def __init__(self, shape: Shape = _SHAPE, host: str = "") -> None:
        """`shape` is what settings say of how many there are, `host` what this replica is called.

        ConfigError where they name families that are none.
        """
        self._writing, self._room = Writing(), Room(shape, host)
        self._exemplars: Exemplars = {}

    def render(self, page: Page) -> Rendered:
        """What is on /metrics."""
        planned, self._exemplars = self._room.planned(page), page.exemplars
        version = (__version__, platform.python_version(), _COMPILED)
        blocks = self._written([Samples(catalogue.BUILD_INFO, [(version, 1)])])
        success = []
        for collector in COLLECTORS:
            try:
                blocks += self._written(map(self._room.trimmed, collector.collect(planned)))
            except Exception:  # noqa: BLE001 (one collector never costs the page)
                _LOG.exception("collector %s failed", collector.name)
                success.append(((collector.name,), 0))
            else:
                success.append(((collector.name,), 1))
        last = self._written([Samples(catalogue.COLLECTOR_SUCCESS, success)])
        blocks = [*self._room.guarded(blocks, sum(block.series for block in last)), *last]
        about = self._room.about(sum(block.series for block in blocks))
        return Rendered([*blocks, *self._written(about)])

    def _written(self, items: Collected) -> list[Block]:
        """Those that are shown."""
        shown = (item for item in items if self._room.shows(item.family.name))
        return [self._writing.block(item, self._exemplars.get(item.family.name, NO_EXEMPLARS)) for item in shown]
