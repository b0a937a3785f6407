"""The files of rules, each with where it comes from."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from itertools import product
from types import MappingProxyType
from typing import Final

from exporter.errors import ConfigError
from exporter.profile import strict_yaml
from exporter.records import DURATION_BOUNDS
from exporter.rules import pooled
from exporter.rules.rendering import rendered
from exporter.rules.values import Value, flat

SHIPPED: Final = resources.files("exporter") / "shipped"
_VALUES: Final = "values.yml"
_LATENCY: Final = "slo.latency_seconds"
_OBJECTIVES: Final = ("slo.failed", "slo.slow")
_BURNS: Final = ("slo.fast_burn", "slo.fast_burn_6h", "slo.slow_burn", "slo.slow_burn_3d")
_EXAMPLES: Final = (".tmpl", "alertmanager.yml", "alertmanager.receivers.example.yml")
"""How the names end of what people make their own: no threshold is in there."""


@cache
def defaults() -> Mapping[str, Value]:
    """Every threshold as it is shipped."""
    return MappingProxyType(flat(strict_yaml.load(commented()), _VALUES))


def commented() -> str:
    """The file of thresholds as people read it."""
    return (SHIPPED / _VALUES).read_text(encoding="utf-8")


def sources() -> Iterator[tuple[str, str]]:
    """Name and text of what people write."""
    for file in sorted((SHIPPED / "sources").iterdir(), key=lambda one: one.name):
        yield file.name, file.read_text(encoding="utf-8")


def made(values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Name and text of each file of rules with these thresholds. ConfigError where no rule could ever see one."""
    if values[_LATENCY] not in DURATION_BOUNDS:
        bounds = ", ".join(f"{bound:g}" for bound in DURATION_BOUNDS)
        raise ConfigError(f"{_LATENCY}: {values[_LATENCY]} is no bound of the histogram of latencies: {bounds}")
    for objective, burn in product(_OBJECTIVES, _BURNS):
        share, times = float(values[objective]), float(values[burn])
        # Who lets all requests fail wants no alert; who lets a tenth fail does not know that none could come.
        if share < 1 <= share * times:
            raise ConfigError(f"{burn}: {times:g} times {objective}, {share:g}, are all requests: no alert could come")
    for name, source in sources():
        yield name.replace(".yml", ".rules.yml"), rendered(source, f"sources/{name}", values)
    yield pooled.NAME, pooled.rules(values)


def examples() -> Iterator[tuple[str, str]]:
    """Name and text of what Alertmanager needs besides: a configuration to begin with, and its templates."""
    for file in sorted(SHIPPED.iterdir(), key=lambda one: one.name):
        if file.name.endswith(_EXAMPLES):
            yield file.name, file.read_text(encoding="utf-8")
