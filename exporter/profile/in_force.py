"""The profile as it counts at a moment: where somebody has adopted a live distribution, that one, until it expires.

What the training data had stays in `Profile.replaced`, to be shown beside it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from exporter.adoption import Adoption
from exporter.calibration.reference_error import reference_error
from exporter.profile import document
from exporter.reference import Column, Profile

_SIDES: Final = ("features", "outputs")


def is_in_force(adoption: Adoption, now: float) -> bool:
    """Whether it counts at `now`, Unix time: the moment it expires is the first at which it does not."""
    return adoption.expires_at is None or now < adoption.expires_at


def next_expiry(profile: Profile, now: float) -> float | None:
    """When the next adoption that counts at `now` ceases to, Unix time; None where none does."""
    times = [one.expires_at for one in profile.adoptions if one.expires_at is not None and now < one.expires_at]
    return min(times, default=None)


def in_force(profile: Profile, now: float) -> Profile:
    """The profile that counts at `now`, Unix time, with its adopted columns in place.

    Its digest is that of the same profile without the adoptions that have expired: it differs whenever others are in
    force, so that windows and series begin anew, and where all are it is that of the file.
    """
    if not profile.adoptions:
        return profile
    counting = tuple(one for one in profile.adoptions if is_in_force(one, now))
    digest = profile.digest
    if len(counting) < len(profile.adoptions):
        digest = document.digest(replace(profile, adoptions=counting))
    adopted = {(one.side, one.name): one for one in counting}
    return replace(
        profile,
        features=_columns("features", profile.features, adopted),
        outputs=_columns("outputs", profile.outputs, adopted),
        adoptions=counting,
        replaced=_replaced(profile, adopted),
        unusual=None if any(side == "features" for side, _ in adopted) else profile.unusual,
        digest=digest,
    )


def _replaced(profile: Profile, adopted: Mapping[tuple[str, str], Adoption]) -> tuple[tuple[str, Column], ...]:
    sides = zip(_SIDES, (profile.features, profile.outputs), strict=True)
    return tuple((side, column) for side, columns in sides for column in columns if (side, column.name) in adopted)


def _columns(side: str, columns: tuple[Column, ...], adopted: Mapping[tuple[str, str], Adoption]) -> tuple[Column, ...]:
    return tuple(
        column if (found := adopted.get((side, column.name))) is None else _adopted(column, found) for column in columns
    )


def _adopted(column: Column, adoption: Adoption) -> Column:
    """A column with what was adopted; what the training data said of hours is no longer true."""
    error = reference_error(np.array(adoption.counts))
    anew = replace(column, counts=adoption.counts, hours=(), reference_error=error, distinct=None)
    if not column.ordered:
        return anew
    mean, sd, low, high = adoption.moments
    return replace(anew, mean=mean, sd=sd, minimum=low, maximum=high)
