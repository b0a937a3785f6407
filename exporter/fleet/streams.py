"""What evidence is gathered of in a fleet: a column's reference and what replicas export of its chance, as a stream."""

import numpy as np

from exporter.calibration.reference_error import reference_error
from exporter.evidence.streams import Stream
from exporter.fleet.answers import Known
from exporter.reference import MISSING


def of_column(known: Known) -> Stream:
    """As each exporter has it for itself, but for the hours of the profile, which are on no page.

    Only ordered columns have a distance between bins; one that has a single value has none, and nothing to be moved.
    """
    said = known.numbers
    error = said.get("reference_error")
    if error is None:
        error = reference_error(np.array(known.rows, np.int64))
    dependence, wander = said.get("dependence"), said.get("wander")
    return Stream(
        known.rows, known.exist, MISSING if known.is_ordered else 0, error,
        dependence, wander, "" if dependence is None and wander is None else "profile",
        said.get("tolerance"), said.get("weight", 1.0), not known.is_ticket, said.get("snoozed_until", 0.0),
    )  # fmt: skip
