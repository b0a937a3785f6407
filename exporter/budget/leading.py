"""Whether this replica is the one that shows what is equal on all of them, told without asking anybody."""

import re
from typing import Final

from exporter.allowance import AUTO, TRUE, Metrics

_ORDINAL: Final = re.compile(r".-(\d{1,4})$")
"""Of a pod of a StatefulSet, behind its name. The pods of a Deployment end in five characters."""


def leads(metrics: Metrics, host: str) -> bool:
    """By what is said, else by the name of the pod; who cannot tell leads, too: twice is better than not at all."""
    if metrics.leader != AUTO:
        return metrics.leader == TRUE
    ordinal = _ORDINAL.search(host)
    return ordinal is None or int(ordinal[1]) == 0
