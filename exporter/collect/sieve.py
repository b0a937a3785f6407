"""What a page leaves out, left out before it is made: families, and columns of families that are too long."""

from collections.abc import Iterable, Iterator, Mapping

from exporter.budget.plan import Shows
from exporter.collect.exposition import Distributions, Labels, Samples, Unmade, made
from exporter.families import Family

Collected = Iterable[Samples | Unmade | Distributions]
_COLUMNS = ("feature", "output")


def sifted(shows: Shows, collected: Collected) -> Iterator[Samples | Distributions]:
    """Families of a model as far as its page has them."""
    for item in collected:
        if item.family.name not in shows.hidden:
            yield _made(item, shows.limits)


def _made(item: Samples | Unmade | Distributions, limits: Mapping[str, frozenset[str]]) -> Samples | Distributions:
    if isinstance(item, Distributions) or item.family.name not in limits:
        return made(item)
    return Samples(item.family, list(_of(item.family, item.values, limits[item.family.name])))


def _of(
    family: Family, values: Iterable[tuple[Labels, float]], columns: frozenset[str]
) -> Iterator[tuple[Labels, float]]:  # fmt: skip
    """Samples of these columns."""
    at = next(place for place, label in enumerate(family.labels) if label in _COLUMNS)
    return ((labels, value) for labels, value in values if labels[at] in columns)
