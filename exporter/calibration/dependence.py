"""How many rows come as one."""

import numpy as np
from numpy.typing import NDArray

from exporter.calibration import rounded


def dependence(panes: NDArray[np.int64]) -> float:
    """The factor by which counts of a pane vary more than those of independent rows do, at least 1.

    `panes` are counts of shape (hours, panes of an hour, bins). For rows that come in groups of s alike it estimates
    E[s²] / E[s]. It is the mean of Pearson's X² / (bins - 1) over the panes, weighted with their rows: that of panes
    alike underestimates it where traffic is low. Each pane is compared with the mean of its own hour, so that slow
    changes are no dependence; what X² then has to be for independent rows is that of panes drawn from the hour without
    putting back, which holds however few rows there are.
    """
    return factor(*variation(panes))


def variation(panes: NDArray[np.int64]) -> tuple[float, float]:
    """How much the counts of panes vary, and how much those of independent rows would; over hours both add up."""
    hours = panes.sum(axis=1)  # (hours, bins)
    rows, total = panes.sum(axis=2), hours.sum(axis=1)  # (hours, panes), (hours,)
    expected = rows[..., None] * (hours / np.maximum(total, 1)[:, None])[:, None, :]
    share = np.where(hours > 0, hours, 1) / np.maximum(total, 1)[:, None]
    weighted = ((panes - expected) ** 2 / share[:, None, :]).sum()  # n X² of each pane, added up
    left = rows * (total[:, None] - rows) / np.maximum(total - 1, 1)[:, None]
    independent = (np.maximum((hours > 0).sum(axis=1) - 1, 0) * left.sum(axis=1)).sum()
    return float(weighted), float(independent)


def factor(weighted: float, independent: float) -> float:
    """The dependence of panes that vary so much where independent rows would so much."""
    return rounded(max(1.0, weighted / independent)) if independent > 0 else 1.0
