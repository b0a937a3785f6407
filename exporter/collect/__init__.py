"""From what is known to what is shown: a table of collectors, each a function to families.

Collectors only render. A collector that fails costs its own families, never the page: see `Renderer`.
"""

import logging
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from exporter import __version__, catalogue, glance
from exporter.collect import (
    columns,
    dependencies,
    events,
    evidence,
    failed,
    generated,
    grouped,
    models,
    reference,
    relay,
    segments,
    server,
    traffic,
    web,
)
from exporter.collect.exposition import Distributions, Samples
from exporter.collect.joint import joined
from exporter.collect.rendered import Rendered
from exporter.collect.scene import Page, Scene
from exporter.collect.writing import Writing

_LOG = logging.getLogger("exporter.collect")
_COMPILED: Final = "no" if glance.__file__.endswith(".py") else "yes"
Collected = Iterable[Samples | Distributions]


@dataclass(frozen=True, slots=True)
class Collector:
    """One entry of the table."""

    name: str
    collect: Callable[[Page], Collected]


def _each(collect: Callable[[Scene], Collected]) -> Callable[[Page], Collected]:
    """A collector of pages from one that looks at one model."""
    return lambda page: joined((scene.visible, collect(scene)) for scene in page.scenes)


COLLECTORS: Final = (
    Collector("traffic", _each(traffic.collect)),
    Collector("server", _each(server.collect)),
    Collector("dependencies", _each(dependencies.collect)),
    Collector("reference", _each(reference.collect)),
    Collector("columns", _each(columns.collect)),
    Collector("evidence", _each(evidence.collect)),
    Collector("failed", _each(failed.collect)),
    Collector("segments", _each(segments.collect)),
    Collector("grouped", _each(grouped.collect)),
    Collector("generated", _each(generated.collect)),
    Collector("models", models.collect),
    Collector("relay", relay.collect),
    Collector("events", events.collect),
    Collector("web", web.collect),
)


class Renderer:
    """Renders page after page."""

    def __init__(self) -> None:
        self._writing = Writing()

    def render(self, page: Page) -> Rendered:
        """What is on /metrics."""
        version = (__version__, platform.python_version(), _COMPILED)
        blocks = [self._writing.block(Samples(catalogue.BUILD_INFO, [(version, 1)]))]
        success = []
        for collector in COLLECTORS:
            try:
                blocks += [self._writing.block(item) for item in collector.collect(page)]
            except Exception:  # noqa: BLE001 (one collector never costs the page)
                _LOG.exception("collector %s failed", collector.name)
                success.append(((collector.name,), 0))
            else:
                success.append(((collector.name,), 1))
        blocks.append(self._writing.block(Samples(catalogue.COLLECTOR_SUCCESS, success)))
        return Rendered(blocks)
