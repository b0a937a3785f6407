"""Two of everything at once: clusters that call their replicas alike, profiles of one version, versions, people."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from monitoring import ask, recorded
from shipped_boards import queries

from exporter import catalogue as c
from exporter.dashboards.boards.predictions_language import generations
from exporter.families import FLEET, GAUGE, HISTOGRAM, Family

BEGUN_S, AT_S = 3000, 3600
REPLICAS = [("c1", "pod-0", "7", "aaaa"), ("c1", "pod-1", "7", "bbbb"), ("c1", "pod-2", "8", "bbbb"),
            ("c2", "pod-0", "7", "aaaa"), ("c2", "pod-1", "8", "bbbb")]  # fmt: skip
"""Cluster, instance, version and profile: one version is given another profile while another version is rolled out."""
OFFERED = {"bin": ("00", "01"), "feature": ("amount", r'c++ \"x\"'), "output": ("score", "class"), "window": ("1h",),
           "code": ("200", "500", "4xx"), "against": ("previous", "version:8"), "side": ("request", "response"),
           "rank": ("0.1", "0.9"), "value": ("red", "blue"), "kind": ("up", "type"), "le": ("0.1", "+Inf"),
           "total_variation": ("0.2",), "model": ("churn",)}  # fmt: skip
"""What labels may be; others are one word, and texts differ as profiles and versions of exporters do."""


def _lines() -> Iterator[str]:
    for family, (cluster, instance, version, profile) in product(c.families(), REPLICAS):
        own = [label for label in family.labels if label not in FLEET]
        for values in _values(family, own, (cluster, version, profile)):
            said = "".join(f',{label}="{value}"' for label, value in values.items())
            name = f"{family.name}_bucket" if family.type == HISTOGRAM else family.name
            target = f'job="models",cluster="{cluster}",namespace="ml",instance="{instance}"'
            for at in range(BEGUN_S, AT_S + 60, 120):
                yield f"{name}{{{target}{said}}} {1 if family.type == GAUGE else at - BEGUN_S + 1} {at}"


def _values(family: Family, own: list[str], replica: tuple[str, str, str]) -> Iterator[dict[str, str]]:
    cluster, version, profile = replica
    labels = [*own, "le"] if family.type == HISTOGRAM else own
    fixed = {
        "model_version": (version,),
        "profile": (profile,),
        "text": (f"words of {profile}" + " said anew" * (cluster == "c2"),),
    }
    for values in product(*(fixed.get(label) or OFFERED.get(label, ("one",)) for label in labels)):
        yield dict(zip(labels, values, strict=True))


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("many")
    with recorded(directory / "prometheus", "\n".join([*_lines(), "# EOF", ""])) as url:
        yield url


@pytest.fixture(scope="module")
def found(prometheus: str) -> set[str]:
    """Which queries find something; one that Prometheus cannot answer fails."""
    return {name for name, query in queries()
            if ask(f"{prometheus}/api/v1/query", query=query, time=AT_S)["data"]["result"]}  # fmt: skip


def test_no_query_finds_two_where_it_looks_for_one(found: set[str]) -> None:
    assert len(found) > len([*queries()]) / 2, "the series are those asked for"


def test_what_language_models_say_is_found(found: set[str]) -> None:
    """Of which there is none in the worlds of the other tests."""
    titles = {panel.title for panel in generations()}
    assert {name.partition(": ")[2].rpartition(", ")[0] for name in found} >= titles
