"""Minutes that pass as seconds: durations are shortened, and nothing else is touched."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.demo import watchers
from exporter.demo.compression import compressed, shortened

RULES = Path(__file__).parents[2] / "alert_rules"
SHIPPED = [RULES / name for name in (*watchers.RULES, "alertmanager.yml")]
DURATION = re.compile(r"\b\d+(?:ms|[smhdw])\b|(?<=\.Add )-?\d+\b")


@pytest.mark.parametrize(("text", "factor", "short"), [
    ("1h", 60, "60s"), ("30m", 60, "30s"), ("30s", 60, "500ms"), ("10s", 60, "166ms"), ("1d", 60, "1440s"),
    ("1h30m", 60, "90s"), ("5m", 300, "1s"), ("10m", 0.5, "1200s"),
])  # fmt: skip
def test_a_duration_is_shortened(text: str, factor: float, short: str) -> None:
    assert shortened(text, factor) == short


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_compressed_files_differ_from_the_shipped_ones_in_their_durations_alone(path: Path) -> None:
    shipped = yaml.safe_load(path.read_text())
    text, short = written(shipped), written(compressed(shipped, 60))
    assert DURATION.split(text) == DURATION.split(short)
    pairs = zip(DURATION.findall(text), DURATION.findall(short), strict=True)
    changed = [(long, brief) for long, brief in pairs if long != brief]
    assert len(changed) >= 3
    assert {(long, sixtieth(long)) for long, _ in changed} == set(changed)


def sixtieth(text: str) -> str:
    """Durations have a unit; what Go adds to a time are nanoseconds."""
    return shortened(text, 60) if text[-1].isalpha() else str(int(text) // 60)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_no_duration_that_is_waited_for_is_left_out(path: Path) -> None:
    assert not re.search(r"\[\d+[mhd]\b|offset \d+[mhd]\b|(_?for|interval|wait): \d+[mhd]\b", written(
        compressed(yaml.safe_load(path.read_text()), 60)
    ))  # fmt: skip


def written(document: Any) -> str:
    return yaml.safe_dump(document, width=1_000_000)
