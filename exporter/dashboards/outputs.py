"""Words of queries about outputs: which of them a panel is about where it has room for one."""

from typing import Final

from exporter import catalogue as c
from exporter.dashboards.queries import WINDOW, of

SCORES: Final = {
    "psi": "PSI", "total_variation": "total variation", "js_distance": "Jensen-Shannon", "ks": "Kolmogorov-Smirnov",
    "wasserstein_ratio": "Wasserstein", "mean_shift_zscore": "mean",
}  # fmt: skip
"""Those with a critical value that are always computed, and what people call them."""


def of_worst(expr: str) -> str:
    """Of one output alone: the one that has moved most against its critical value, at the end of the chosen time.

    The same one all the time, so that lines and stacks do not change on their way what they are about.
    """
    psi, critical = of(c.OUTPUTS.statistics["psi"], **WINDOW), of(c.OUTPUTS.critical["psi"], **WINDOW)
    return f"({expr}) and on (output) topk(1, max by (output) ({psi} @ end() / {critical} @ end()))"


def beyond(name: str) -> str:
    """The size of a score over its critical value, of each replica, where the window suffices."""
    score, critical = of(c.OUTPUTS.statistics[name], **WINDOW), of(c.OUTPUTS.critical[name], **WINDOW)
    return f"abs({score}) / {critical} and {of(c.OUTPUTS.sufficient, **WINDOW)} == 1"


def wrong(kind: str) -> tuple[str, str]:
    """Share of the window's predictions that are wrong in one way, on the worst replica; and over what is critical."""
    share, critical = of(c.OUTPUTS.quality_ratios[kind], **WINDOW), of(c.OUTPUTS.critical[f"{kind}_ratio"], **WINDOW)
    enough = f"{of(c.OUTPUTS.sufficient, **WINDOW)} == 1"
    return f"max by (output) ({share})", f"max by (output) ({share} / {critical} and {enough})"
