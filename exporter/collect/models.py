"""How many models are watched, and what became of exchanges that are of none of them."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.collect.exposition import Samples
from exporter.collect.scene import Page


def collect(page: Page) -> Iterator[Samples]:
    """Families about the models as a whole."""
    watched = [scene for scene in page.scenes if scene.visible and not scene.is_other]
    scored = sum(scene.profile is not None for scene in watched)
    yield Samples(catalogue.PROFILE_LOADED, [((), int(scored > 0))])
    yield Samples(catalogue.MODELS, [(("profile",), scored), (("none",), len(watched) - scored)])
    yield Samples(catalogue.UNATTRIBUTED, [((reason,), count) for reason, count in page.attribution.refused.items()])
    yield Samples(catalogue.PROVISIONAL_ROWS, list(page.collecting.items()))
    yield Samples(catalogue.PROFILE_ERRORS, [((), page.attribution.profile_errors + page.health.profile_errors)])
