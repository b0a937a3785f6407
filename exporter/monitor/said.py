"""What the operator says beside the profiles, whatever model they are of."""

from typing import Final, NamedTuple

from exporter.override import NO_OVERRIDES, Overrides
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.sections import NO_SEGMENTS, Segments


class Said(NamedTuple):
    """Of columns, in files beside the profile, and of traffic."""

    overrides: Overrides = NO_OVERRIDES
    salt: Salt | None = None
    """Under which categories of a profile may be hashed."""
    segments: Segments = NO_SEGMENTS
    """By what traffic is divided."""
    segment_bytes: int = 1 << 30
    """Most that the windows of one model's segments may take."""
    private: Private | None = None
    """What is to be hidden; None where nothing is."""


NOTHING_SAID: Final = Said()
