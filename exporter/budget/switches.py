"""What settings switch off of a page. Whoever only looks at settings needs none of what counts series."""

from fnmatch import fnmatchcase

from exporter import catalogue
from exporter.allowance import ALWAYS, LEADER, Metrics
from exporter.budget.leading import leads
from exporter.budget.order import REFERENCE
from exporter.errors import ConfigError
from exporter.values import nearest


def switched_off(metrics: Metrics, host: str) -> frozenset[str]:
    """Families that nobody wants here. ConfigError where a pattern is of none."""
    known = {family.name for family in catalogue.families()}
    found = set[str]()
    for pattern in metrics.disable:
        those = {name for name in known if fnmatchcase(name, pattern)}
        if not those:
            raise ConfigError(f"metrics.disable: {pattern}: no family is called so{nearest(pattern, known)}")
        found |= those
    shown = metrics.expose_reference == ALWAYS or (metrics.expose_reference == LEADER and leads(metrics, host))
    return frozenset(found if shown else found | REFERENCE)
