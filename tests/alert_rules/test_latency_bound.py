"""The bound of latencies that alerts ask for is one of the histogram's, however people write it."""

import re
from pathlib import Path

import pytest
import yaml
from support import command

from exporter.records import DURATION_BOUNDS
from exporter.rules import files

BUCKETS = [str(bound) for bound in (*DURATION_BOUNDS, float("inf"))]
"""As the page writes them."""


def asked(rules: str) -> str:
    """The pattern by which the rules find their bucket."""
    (pattern,) = {
        found
        for group in yaml.load(rules, yaml.CSafeLoader)["groups"]
        for rule in group["rules"]
        for found in re.findall(r'le=~"([^"]+)"', rule["expr"])
    }
    return pattern


@pytest.mark.parametrize("bound", [*DURATION_BOUNDS, 1, 30])
def test_each_bound_of_the_histogram_finds_its_bucket_and_no_other(bound: float) -> None:
    made = dict(files.made(files.defaults() | {"slo.latency_seconds": bound}))
    pattern = asked(made["serving.rules.yml"])
    assert [bucket for bucket in BUCKETS if re.fullmatch(pattern, bucket)] == [str(float(bound))]


def test_what_is_no_bound_is_refused_with_those_there_are(tmp_path: Path) -> None:
    done = command("rules", "--output", str(tmp_path / "rules"), "--set", "slo.latency_seconds=3")
    assert done.returncode == 64
    assert "slo.latency_seconds: 3 is no bound of the histogram of latencies: 0.001, 0.0025," in done.stderr
    assert not (tmp_path / "rules").exists()
