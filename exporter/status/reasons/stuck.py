"""Columns that have the same value again and again, or far fewer different ones than in training."""

import numpy as np

from exporter.status.seen import Seen
from exporter.status.view import Marks, Side


def stuck(seen: Seen, side: Side) -> Marks:
    """One and the same value, so many times and more often than chance repeats it."""
    run = side.measured("current_run_values")[0]
    limits = side.measured("longest_run_values_critical")
    critical = np.nan_to_num(limits, nan=-np.inf).max(axis=0)
    usual = np.array([max(column.counts) / (column.rows or 1) for column in side.columns])
    known = np.array([column.dependence is not None or rule.dependence is not None
                      for column, rule in zip(side.columns, side.said, strict=True)])  # fmt: skip
    repeats = (run >= seen.limit("quality.stuck_values")) & (run > critical) & np.isfinite(critical)
    judged = (usual <= seen.limit("quality.stuck_usual")) | known
    gone = (side.ratio("missing") == 1).any(axis=0)
    return np.asarray(repeats & judged & ~gone & ~tolerated(side) & ~side.ignored)


def collapsed(seen: Seen, side: Side) -> Marks:
    """So much is gone of the different values that chance leaves at the least."""
    with np.errstate(invalid="ignore", divide="ignore"):
        lost = 1 - side.measured("distinct_values") / side.measured("distinct_values_critical")
    gone = (lost > seen.limit("quality.collapsed")) & side.sufficient
    return np.asarray(gone.any(axis=0) & side.at_chosen(gone).astype(bool) & ~stuck(seen, side) & ~side.ignored)


def tolerated(side: Side) -> Marks:
    """Where the overrides tolerate as much as has moved, in the window with most."""
    most = np.nan_to_num(side.score("total_variation"), nan=-1.0).max(axis=0)
    return np.array([rule.tolerance is not None and most[at] <= rule.tolerance for at, rule in enumerate(side.said)])
