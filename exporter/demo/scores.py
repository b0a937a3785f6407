"""The last scores of the shortest window, read off /metrics as any client of the text format would."""

import math
import urllib.request
from collections.abc import Mapping
from typing import Final, NamedTuple

_SIDES: Final = ("feature", "prediction")
_MATTERS: Final = 0.1
"""As in the rules that judge drift."""


class Score(NamedTuple):
    """How far one column has drifted, and whether to believe it; NaN where the window is empty."""

    column: str
    psi: float
    critical: float
    """What chance alone exceeds once in 1000 windows of that size."""
    samples: float
    sufficient: bool
    missing: float
    """Share of the values, 0 to 1; NaN for a prediction."""
    changed: float
    """Total variation: share of the values that changed bin."""
    critical_change: float
    """What of that chance alone exceeds once in 1000 windows of that size."""
    nats: float = math.nan
    """Evidence of drift, of no window."""

    @property
    def moved(self) -> bool:
        """Beyond what chance explains."""
        return self.sufficient and self.psi > self.critical

    @property
    def drifted(self) -> bool:
        """Moved, and enough to matter: on this the shipped rules make a ticket, if it lasts."""
        return self.moved and self.changed > max(_MATTERS, self.critical_change)


def scrape(web_port: int) -> list[Score]:
    """Scores in the order of the page; none before the first snapshot. OSError where the page cannot be had."""
    with urllib.request.urlopen(f"http://127.0.0.1:{web_port}/metrics", timeout=5) as answer:
        return read(answer.read().decode())


def read(page: str) -> list[Score]:
    """Scores from the text of a page."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 (an extra)

    values: dict[tuple[str, str, str], float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            column = sample.labels.get("feature") or sample.labels.get("output")
            if column is not None:
                values[sample.name, column, sample.labels.get("window", "")] = sample.value
    return [
        _score(values, side, column, window)
        for side in _SIDES
        for column, window in _shortest(values, f"model_{side}_window_samples").items()
    ]  # fmt: skip


def _shortest(values: Mapping[tuple[str, str, str], float], name: str) -> dict[str, str]:
    """The shortest window of each column: windows stand in the order of their lengths."""
    found: dict[str, str] = {}
    for family, column, window in values:
        if family == name:
            found.setdefault(column, window)
    return found


def _score(values: Mapping[tuple[str, str, str], float], side: str, column: str, window: str) -> Score:
    def value(measure: str) -> float:
        return values.get((f"model_{side}_{measure}", column, window), math.nan)

    nats = values.get((f"model_{side}_drift_evidence_nats", column, ""), math.nan)
    return Score(
        column, value("psi"), value("psi_critical"), value("window_samples"), value("window_sufficient") == 1,
        value("missing_ratio"), value("total_variation"), value("total_variation_critical"),
        nats,
    )  # fmt: skip
