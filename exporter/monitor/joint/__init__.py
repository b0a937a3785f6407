"""What is counted of rows of which both sides are known, each kind in a file of its own.

To add one: a file with a `Part` that takes such rows, a line in the table, and the families that show it in `families`.
What it says is said of features. One that has nothing to count of a profile is not made: `None`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from exporter.monitor.batch import Paired, Scope
from exporter.monitor.joint import association
from exporter.monitor.parts import Part, Parts

JOINTS: Final[Mapping[str, Callable[[Scope, Scope], Part[Paired] | None]]] = {
    "association": association.made,
}


def joints(features: Scope, outputs: Scope) -> Parts[Paired]:
    """All that apply to a model, as one."""
    return Parts({name: made(features, outputs) for name, made in JOINTS.items()})
