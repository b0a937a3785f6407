"""Which names are ours, whether they are on the page now or not: in both formats, with all names of series."""

from collections.abc import Iterable, Iterator
from typing import Final

from exporter import catalogue
from exporter.families import COUNTER, HISTOGRAM, Family
from exporter.merging.grammar import Form
from exporter.merging.parting import Part

CLASH: Final = "clash"
_OWN: Final = "inference_exporter_"
"""Whatever begins so is ours, or will be."""
_PROMETHEUS: Final = frozenset((
    "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
    "scrape_series_added", "scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes",
))  # fmt: skip
"""Those that it adds to each scrape itself."""


def refuse(parts: Iterable[Part], form: Form) -> None:
    """Refuse families of which a name is one of ours."""
    for part in parts:
        if any(name in _TAKEN or name.startswith(_OWN) for name in part.names(form)):
            part.fault = CLASH


def _names(family: Family) -> Iterator[str]:
    yield family.name
    if family.type == COUNTER:
        base = family.name.removesuffix("_total")
        yield from (base, base + "_created")
    if family.type == HISTOGRAM:
        yield from (family.name + suffix for suffix in ("_bucket", "_sum", "_count", "_created"))


_TAKEN: Final = _PROMETHEUS.union(*(_names(family) for family in catalogue.families()))
