"""What is counted of one side's rows beside bins and moments, each kind in a file of its own.

To add one: a file with a `Part` that takes batches and says what it finds, a line in the table, and the families that
show it in `families`. One that has nothing to count of some columns is not made: `None`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from exporter.monitor.aspects import absent, distinct, duplicates, infinite, mistyped, quantiles, runs, unseen, unusual
from exporter.monitor.batch import Batch, Scope
from exporter.monitor.parts import Part, Parts

ASPECTS: Final[Mapping[str, Callable[[Scope], Part[Batch] | None]]] = {
    "absent": absent.made,
    "distinct": distinct.made,
    "duplicates": duplicates.made,
    "infinite": infinite.made,
    "mistyped": mistyped.made,
    "quantiles": quantiles.made,
    "runs": runs.made,
    "unseen": unseen.made,
    "unusual": unusual.made,
}


def aspects(scope: Scope) -> Parts[Batch]:
    """All that apply to a side, as one."""
    return Parts({name: made(scope) for name, made in ASPECTS.items()})
