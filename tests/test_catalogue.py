"""What is said twice is the same: catalogue, README, statistics."""

import re
from pathlib import Path

from exporter import catalogue
from exporter.drift import STATISTICS
from exporter.reference import QUALITY
from exporter.snapshots import IMPACT

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
NAMES = {family.name for family in catalogue.families()}


def test_names_are_said_once_and_follow_the_conventions() -> None:
    families = catalogue.families()
    assert len(NAMES) == len(families)
    for family in families:
        assert re.fullmatch(r"(model|inference_exporter)_[a-z0-9_]+", family.name)
        assert family.name.endswith("_total") == (family.type == catalogue.COUNTER)
        assert family.help.endswith(".")
        of_replicas = {"job"} if family.name.startswith("model_fleet_") else set()  # scraped with honor_labels
        assert not ({"le", "quantile", "job", "instance"} - of_replicas) & set(family.labels)


def test_every_statistic_and_every_quality_has_its_families_on_both_sides() -> None:
    for columns in (catalogue.FEATURES, catalogue.OUTPUTS):
        assert list(columns.statistics) == [*STATISTICS, IMPACT]
        judged = {name for name, statistic in STATISTICS.items() if statistic.critical}
        assert set(columns.critical) == judged | {f"{name}_ratio" for name in QUALITY}
        assert tuple(columns.quality_values) == tuple(columns.quality_ratios) == QUALITY


def test_the_readme_names_only_metrics_and_labels_that_exist() -> None:
    known = {family.name: set(family.labels) for family in catalogue.families()}
    named = re.findall(r"\b((?:model|inference_exporter)_[a-z_]+)(?:\{([a-z_,]*)\})?", README)
    assert len(named) > 15
    for name, labels in named:
        if name != "model_version":
            assert name in known
            assert set(filter(None, labels.split(","))) <= known[name]


def test_the_printed_catalogue_is_the_documented_one() -> None:
    documented = (ROOT / "docs" / "metrics.md").read_text()
    assert catalogue.table() in documented, "run: make docs"
