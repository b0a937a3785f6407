"""The section of the settings about feedback loops: models that work on their own future inputs and truths.

As in `config`, which puts it in its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from exporter.keys import setting
from exporter.segmentations import REST, Segmentation, intervals
from exporter.values import label_value, nearest, switch


@dataclass(frozen=True, slots=True)
class Holdout:
    """The part of the traffic that is served without the model's decision."""

    segment: str | None = setting(
        None,
        "What says of a request, or of its truth, that it is of the holdout: a name of segments.by, such as that of a"
        " header. None is kept where left out.",
        label_value,
    )
    value: str | None = setting(None, "And its value there; all others are exposed to the model.", label_value)

    def __post_init__(self) -> None:
        if (self.segment is None) != (self.value is None):
            raise ValueError("loops.holdout: needs both, segment and value")

    def refuse_unknown(self, by: Sequence[Segmentation]) -> None:
        """ValueError where traffic is not divided by it, or never has its value; `by` is segments.by."""
        if self.segment is None or self.value is None:
            return
        ways = {one.name: one for one in by}
        if self.segment not in ways:
            raise ValueError(
                f"loops.holdout.segment: {self.segment} is none of segments.by{nearest(self.segment, set(ways))}"
            )
        way = ways[self.segment]
        listed = {*(way.values or (intervals(way.edges) if way.edges else (self.value,))), *REST}
        if self.value not in listed:
            raise ValueError(
                f"loops.holdout.value: {self.value} is none of the segments of {self.segment}"
                f"{nearest(self.value, listed)}"
            )


@dataclass(frozen=True, slots=True)
class Loops:
    """What is said of feedback loops."""

    enable: bool = setting(
        True,
        "Whether to look for signs of feedback loops: predictions that grow alike, truths of some predictions alone,"
        " inputs that follow predictions. They point to a loop and prove none.",
        switch,
        "true",
    )
    holdout: Holdout = field(default_factory=Holdout)
