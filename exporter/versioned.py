"""The nouns of versions that are there together. Plain data, as in snapshots."""

import math
from typing import Final, NamedTuple

STABLE, CANARY, SHADOW = "stable", "canary", "shadow"
ROLES: Final = (STABLE, CANARY, SHADOW)
SETTINGS, PROFILE, FIRST = "settings", "profile", "first"
"""By whom it is known which version is stable: what the operator says, what the profile names, who came first."""


class Difference(NamedTuple):
    """Something of a version less the same of the stable one."""

    name: str
    """An output, or a measure."""
    window: str
    value: float
    critical: float = math.nan
    """What its size exceeds about once in 1000 windows of these very sizes where nothing differs."""
    lower: float = math.nan
    """Of the interval that has the true one 95 times of 100, where it has one."""
    upper: float = math.nan
    of_class: str = ""
    """Of which the share differs most, where the output is one of classes."""


class Averaged(NamedTuple):
    """An output that is a number, in one window."""

    name: str
    window: str
    samples: int
    """Finite numbers."""
    mean: float
    deviation: float
    """Standard deviation, with n - 1; NaN of a single one."""


class Versioned(NamedTuple):
    """What is known of a version as one of several."""

    role: str
    """One of ROLES."""
    by: str
    against: str = ""
    """The stable version that it is compared with; empty where there is none here, or it is this one."""
    averaged: tuple[Averaged, ...] = ()
    """Its own outputs."""
    means: tuple[Difference, ...] = ()
    shares: tuple[Difference, ...] = ()
    performance: tuple[Difference, ...] = ()
