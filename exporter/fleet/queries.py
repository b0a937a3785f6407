"""What Prometheus is asked, as PromQL: the counts of a pane over all replicas, and what they are held against.

The increase of a counter over a pane is the difference of two samples. Nothing is extrapolated, as increase() would:
rows that nobody sent would be counted, and some twice. What two panes count of a process adds up to what its counters
grew by, wherever the samples lie that Prometheus finds at the panes' ends.

Counters of a process begin at 0 together, when it starts. So a difference counts where the exporter says at both ends
that it started at the same time; a process that started within the pane counts from 0. All else is not counted:
processes that nobody had seen before, whose counts may be of any age, the first pane after a gap, the last rows of a
process that ended. That loses rows of all bins alike, and counts none twice.
"""

import re
from collections.abc import Sequence
from typing import Final

from exporter import catalogue
from exporter.families import PROFILED, Columns

SIDES: Final = (catalogue.FEATURES, catalogue.OUTPUTS)
"""Features first, then outputs: the order of an engine's streams."""


def counted(side: Columns, by: Sequence[str], matchers: str, pane_s: float) -> str:
    """Counts by bin of the pane that ends when the query is evaluated, over all processes.

    Labels of the answer are `by`, the model's, the column's and `bin`.
    """
    counter = f"{side.bins.name}{{{matchers}}}"
    started = catalogue.START.name
    pane = f"offset {_text(pane_s)}"
    same_process = f"ignoring ({_listed((*PROFILED, side.label, 'bin'))})"
    return (
        f"sum by ({_listed((*by, *PROFILED, side.label, 'bin'))}) ("
        f"({counter} - {counter} {pane} and {same_process} ({started} == {started} {pane}))"
        f" or ({counter} and {same_process} (time() - {started} < {_number(pane_s)} and {started} <= time()))"
        ")"
    )


def replicas(by: Sequence[str], matchers: str) -> str:
    """How many processes have a model and profile when the query is evaluated."""
    return f"count by ({_listed((*by, *PROFILED))}) ({catalogue.PROFILE_ROWS.name}{{{matchers}}})"


def referred(side: Columns, by: Sequence[str], matchers: str) -> str:
    """All that is known of columns of a side beside their counts: equal on all replicas, so the largest is taken."""
    families = (
        side.reference_ratio, side.reference_samples, side.bin_step, side.bin_info, side.override_info, side.tolerance,
        side.weight, side.snoozed_until, *(side.known[word] for word in ("reference_error", "dependence", "wander")),
    )  # fmt: skip
    names = "|".join(re.escape(one.name) for one in families)
    labels = ("__name__", *by, *PROFILED, side.label, "bin", "text", "owner", "severity")
    selector = f"{{{', '.join(filter(None, (f'__name__=~{chr(34)}{names}{chr(34)}', matchers)))}}}"
    return f"max by ({_listed(labels)}) ({selector})"


def diagnosed(side: Columns, by: Sequence[str], matchers: str) -> str:
    """How many replicas say of columns of a side what has happened to them, by code and sentence."""
    labels = (*by, *PROFILED, side.label, "code", "text")
    return f"count by ({_listed(labels)}) ({side.aspects['diagnosis_info'].name}{{{matchers}}})"


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels)


def _text(seconds: float) -> str:
    """As PromQL writes a duration."""
    return f"{round(seconds * 1000)}ms"


def _number(seconds: float) -> str:
    return f"{round(seconds * 1000) / 1000:g}"
