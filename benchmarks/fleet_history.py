"""The history of a fleet, made of one page: what many replicas would have been scraped for, as blocks of Prometheus.

Counters rise by day and night, scores wander, every twelfth feature drifts in the last quarter, and two canaries of
another version come in the last four hours. Replicas are of two kinds, each with its own numbers; those of one kind
say the same. Times are whole minutes.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from full_page import DRIFTED, ENDS_S, Series
from tsdb_blocks import Block, Chunk, Labels, Values

SCRAPE_S: Final = 60
KINDS: Final = 2
BATCH: Final = 2000
_BUSY: Final = 100
"""Times the traffic of the page."""
_CALM: Final = "f0005"
_MOVING: Final = ("window_start", "last_", "snapshot", "heartbeat")
_CONSTANT: Final = ("_info", "reference_", "threshold", "importance", "step_ratio", "tolerance")
_CANARY_BLOCKS: Final = 2


class Replica(NamedTuple):
    """One that is scraped, and what it is one of."""

    place: int
    model: str = "churn"
    canary: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """What the scrape adds."""
        instance = f"10.0.{self.place // 250}.{self.place % 250}:9877"
        return {"job": "models", "instance": instance, "pod": f"{self.model}-{self.place}", "namespace": "shop"}


class Template(NamedTuple):
    """A page, and when it was made."""

    series: Sequence[Series]
    at_s: float

    def only(self, names: Iterable[str]) -> "Template":
        """What has one of these names."""
        wanted = frozenset(names)
        return self._replace(series=[one for one in self.series if one.name in wanted])

    def times(self, copies: int) -> "Template":
        """With so many times the features, in as many hundreds."""
        more = [
            one._replace(labels=tuple((name, _further(value, copy) if name == "feature" else value)
                                      for name, value in one.labels))
            for one in self.series if "feature" in dict(one.labels) for copy in range(1, copies)
        ]  # fmt: skip
        return self._replace(series=[*self.series, *more])


def _further(feature: str, copy: int) -> str:
    return f"{feature[0]}{int(feature[1:]) + 100 * copy:04d}" if feature[1:].isdigit() else f"{feature}{copy}"


class Fleet:
    """Blocks one after the other, and what is put into them."""

    def __init__(self, data: Path, times_s: Sequence[Sequence[int]]) -> None:
        self._times = [at for part in times_s for at in part]
        self._cuts = np.cumsum([0, *map(len, times_s)]).tolist()
        self._blocks = [Block(data, part, place) for place, part in enumerate(times_s)]
        self._found: list[list[tuple[Labels, Sequence[Chunk]]]] = [[] for _ in times_s]

    def scraped(self, template: Template, replicas: Sequence[Replica]) -> None:
        """What the replicas had on their pages."""
        for kind in range(KINDS):
            of_kind = [one for one in replicas if one.place % KINDS == kind]
            numbers = Numbers(template, self._times, kind)
            for begin in range(0, len(template.series) if of_kind else 0, BATCH):
                batch = template.series[begin : begin + BATCH]
                for block, chunks in enumerate(self._written(numbers.of(batch))):
                    is_late = block >= len(self._blocks) - _CANARY_BLOCKS
                    here = [one for one in of_kind if is_late or not one.canary]
                    self._found[block] += [
                        (_labels(series, one), chunk)
                        for series, chunk in zip(batch, chunks, strict=True) for one in here
                    ]  # fmt: skip

    def put(self, named: Sequence[tuple[dict[str, str], float]]) -> None:
        """Series that wander about a value, such as what rules have recorded; those of 1 stay."""
        random = np.random.default_rng(5)
        for begin in range(0, len(named), BATCH):
            batch = named[begin : begin + BATCH]
            values = np.array([value for _, value in batch])[:, None]
            spread = np.where(values == 1, 0, 0.1)
            values = values * (1 + spread * random.uniform(-1, 1, (len(batch), len(self._times))))
            for block, chunks in enumerate(self._written(values)):
                listed = (
                    (tuple(sorted(labels.items())), chunk) for (labels, _), chunk in zip(batch, chunks, strict=True)
                )
                self._found[block] += listed

    def _written(self, values: Values) -> Iterator[list[list[Chunk]]]:
        for block, begin, end in zip(self._blocks, self._cuts, self._cuts[1:], strict=False):
            yield block.chunks(values[:, begin:end])

    def close(self) -> int:
        """How many series there are in the last block."""
        return [block.close(found) for block, found in zip(self._blocks, self._found, strict=True)][-1]


def _labels(series: Series, replica: Replica) -> Labels:
    own = {name: value for name, value in series.labels if value}
    if "model" in own:
        own["model"] = replica.model
    if replica.canary and "model_version" in own:
        own["model_version"] = "8"
    return tuple(sorted((own | replica.labels | {"__name__": series.name}).items()))


class Numbers:
    """What the series of one replica say at each time."""

    def __init__(self, template: Template, times_s: Sequence[int], seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._times = np.array(times_s, float)
        self._shift = times_s[-1] - template.at_s
        self._calm = {
            (one.name, one.labels): one.value for one in template.series if _CALM in dict(one.labels).values()
        }
        day = 1 + 0.5 * np.sin(self._times * 2 * np.pi / 86400)
        self._traffic = day * self._random.uniform(0.5, 1.5, len(times_s))
        self._late = np.arange(len(times_s)) > len(times_s) * 3 // 4

    def of(self, batch: Sequence[Series]) -> Values:
        """By series and time."""
        return np.array([self._one(series) for series in batch])

    def _one(self, series: Series) -> Values:
        value, many = series.value, len(self._times)
        if series.kind in {"counter", "histogram"}:
            rises = value * _BUSY * SCRAPE_S / ENDS_S * self._traffic
            if series.kind == "counter":
                rises = rises * self._random.uniform(0.8, 1.2, many)
            return np.floor(np.cumsum(rises))
        if series.name.endswith("timestamp_seconds"):
            is_moving = any(word in series.name for word in _MOVING)
            return value + self._shift + (self._times - self._times[-1] if is_moving else np.zeros(many))
        if value == int(value) or any(word in series.name for word in _CONSTANT):
            return np.full(many, value)
        return np.where(self._late, value, self._before(series)) * (1 + 0.1 * self._random.uniform(-1, 1, many))

    def _before(self, series: Series) -> float:
        """What a feature that drifts said before, as one that does not."""
        feature = dict(series.labels).get("feature", "")
        if feature[1:].isdigit() and int(feature[1:]) % 100 % DRIFTED == 0:
            calm = tuple((name, _CALM if name == "feature" else value) for name, value in series.labels)
            return self._calm.get((series.name, calm), series.value)
        return 0.05 * series.value if "evidence_nats" in series.name else series.value
