"""What somebody has accepted as normal beside the training data: plain data."""

from typing import NamedTuple


class Adoption(NamedTuple):
    """A live distribution that somebody has accepted as the normal one of a feature or output."""

    side: str
    """`features` or `outputs`."""
    name: str
    counts: tuple[int, ...]
    """Rows per bin of the column, in its order."""
    moments: tuple[float, float, float, float]
    """Mean, standard deviation, minimum and maximum of what was seen."""
    author: str
    reason: str
    adopted_at: float
    """Unix time."""
    expires_at: float | None
    """Unix time from which the training data count again."""
    window: str
    """Over which time it was seen, such as 24h."""
