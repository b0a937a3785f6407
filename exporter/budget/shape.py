"""The settings that decide how many series a page may come to have."""

from dataclasses import dataclass, field
from typing import Final

from exporter.allowance import Metrics
from exporter.config import Settings
from exporter.guarantees import Evidence
from exporter.hindsight import Performance
from exporter.loops import Loops
from exporter.sections import Segments, Windows

_LONG: Final = 60
"""Panes of a window in which the answers to a feature's values are compared."""
_MOST_VERSIONS: Final = 4
_LEAST_OF_WEEK: Final = 1800.0
_WEEK: Final = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Shape:
    """The settings that decide how many series there are."""

    metrics: Metrics = field(default_factory=Metrics)
    windows: Windows = field(default_factory=Windows)
    segments: Segments = field(default_factory=Segments)
    evidence: Evidence = field(default_factory=Evidence)
    processes: int = 1
    """That relay."""
    dependencies: int = 0
    """Of the model server, that are probed."""
    beside: int = 0
    """Series of the model server's own metrics that may stand beside ours."""
    performance: Performance = field(default_factory=Performance)
    feedback: bool = False
    """Whether anybody may tell the truth."""
    values: int = 0
    """Business values."""
    loops: Loops = field(default_factory=Loops)
    golden: bool = False
    """Whether golden requests are sent."""
    retrain: bool = False
    """Whether anybody is asked to train a model again."""
    spans: bool = False
    """Whether spans are sent, and lines logged."""
    lines: bool = False

    @property
    def limit(self) -> int:
        """Series that a page may have of ours, whoever says so."""
        most, whole = self.metrics.max_series, self.metrics.sample_limit
        return min(most, whole - self.beside) if whole else most

    def allowing(self, series: int) -> str:
        """The flags with which a page may have so many."""
        most, whole = self.metrics.max_series, self.metrics.sample_limit
        flags = [f"--max-series {series}"] if most < series else []
        if whole and whole - self.beside < series:
            flags.append(f"--metrics.sample-limit {series + self.beside}")
        if self.metrics.max_series_per_family:
            flags.append("--metrics.max-series-per-family 0")
        return " ".join(flags)

    @property
    def times(self) -> int:
        """Windows of time."""
        return len(self.windows.lengths)

    @property
    def all_windows(self) -> int:
        """And of rows, too."""
        return self.times + len(self.windows.rows)

    @property
    def long(self) -> int:
        """Windows of time that are long; where none is, the longest counts as one."""
        return max(sum(length >= _LONG * self.windows.pane for length in self.windows.lengths), min(self.times, 1))

    @property
    def segment_windows(self) -> int:
        """Windows in which segments are scored."""
        return min(len(set(self.segments.windows)), self.times)

    def against(self, versions: int) -> int:
        """Comparisons of a column with what is live, where there are so many other versions."""
        compare = self.windows.compare
        week = any(length >= _LEAST_OF_WEEK and not _WEEK % length for length in self.windows.lengths)
        others = min(versions, _MOST_VERSIONS) * self.all_windows if "versions" in compare else 0
        return self.times * ("previous" in compare) + ("last_week" in compare and week) + others


def of(settings: Settings) -> Shape:
    """What the settings say of it."""
    beside = settings.merge.max_series if settings.merge.upstream_metrics else 0
    return Shape(
        settings.metrics, settings.windows, settings.segments, settings.evidence, settings.relays,
        len(settings.dependencies), beside, settings.performance, settings.feedback.enable,
        len(settings.values), settings.loops, settings.golden.file is not None, settings.retrain.enable,
        settings.tracing.enable, settings.prediction_log.enable,
    )  # fmt: skip
