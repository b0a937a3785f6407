"""The web side: who was refused, and the file of `--web.config.file`."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.collect.exposition import Samples
from exporter.collect.scene import Page
from exporter.condition import Web


def collect(page: Page) -> Iterator[Samples]:
    """Families of the web side."""
    if page.health.web is not None:
        yield from of(page.health.web)


def of(web: Web) -> Iterator[Samples]:
    """The same, of any process of ours."""
    yield Samples(catalogue.WEB_REFUSED, [((reason,), count) for reason, count in web.refused.items()])
    if web.file is None:
        return
    yield Samples(catalogue.WEB_CONFIG_SUCCESSFUL, [((), int(web.file.is_fine))])
    yield Samples(catalogue.WEB_CONFIG_TIME, [((), web.file.since_wall_s)])
    if web.file.expires_wall_s is not None:
        yield Samples(catalogue.WEB_CERTIFICATE, [((), web.file.expires_wall_s)])
