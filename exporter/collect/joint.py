"""The families of several models as one: each stands on a page once, with the samples of all.

Families with the label `model` have all their samples side by side; those without are about the exporter, and what
every model adds to them is added up.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from exporter.collect.exposition import Distributions, Labels, Samples

Family = Samples | Distributions


def joined(parts: Iterable[tuple[bool, Iterable[Family]]]) -> Iterator[Family]:
    """Families in the order in which they came first; of parts that are not visible only what is added up.

    A part has a family once. Of the first part families are taken as they are asked for: mostly it is the only one
    with many samples.
    """
    first, *others = list(parts) or [(False, ())]
    found: dict[str, list[Family]] = {}
    for item in chain.from_iterable(_shown(*part) for part in others):
        found.setdefault(item.family.name, []).append(item)
    for item in _shown(*first):
        yield _join([item, *found.pop(item.family.name, ())])
    for items in found.values():
        yield _join(items)


def _shown(visible: bool, collected: Iterable[Family]) -> Iterator[Family]:
    return (item for item in collected if visible or "model" not in item.family.labels)


def _join(items: list[Family]) -> Family:
    first = items[0]
    if len(items) == 1:
        return first
    if isinstance(first, Distributions):
        return first._replace(
            values=[pair for item in items if isinstance(item, Distributions) for pair in item.values]
        )
    values = [pair for item in items if isinstance(item, Samples) for pair in item.values]
    if "model" in first.family.labels:
        return first._replace(values=values)
    total: dict[Labels, float] = {}
    for labels, value in values:
        total[labels] = total.get(labels, 0) + value
    return first._replace(values=list(total.items()))
