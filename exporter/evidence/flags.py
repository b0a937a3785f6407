"""Which streams to name once a model pages: those that would hold up alone among so many."""

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.clipped import Shares


def flagged(nats: Shares, threshold: float) -> NDArray[np.bool_]:
    """Of streams with so much evidence each, shape (streams,): those to name.

    The j streams with most evidence are, for the largest j at which each has threshold + ln(streams / j) at least:
    the Benjamini-Hochberg rule on e-values (Wang & Ramdas, JRSS-B 2022, arXiv 2009.02824), on those of e-detectors. It
    bounds false names by the time waited for them, for any dependence between streams; it does not bound their share.
    """
    if not nats.size:
        return np.zeros(0, bool)
    falling = np.sort(nats)[::-1]
    needed = threshold + np.log(nats.size / np.arange(1, nats.size + 1))
    (enough,) = np.nonzero(falling >= needed)
    return np.asarray(nats >= falling[enough[-1]]) if enough.size else np.zeros(nats.size, bool)
