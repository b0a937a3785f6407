"""What the operator says beside the profiles, whatever model they are of."""

from typing import Final, NamedTuple

from exporter.override import NO_OVERRIDES, Overrides
from exporter.scalars.salted import Salt


class Said(NamedTuple):
    """Files that are read beside the profile."""

    overrides: Overrides = NO_OVERRIDES
    salt: Salt | None = None
    """Under which categories of a profile may be hashed."""


NOTHING_SAID: Final = Said()
