"""Which exchanges keep their bodies while a ring fills: fewer and fewer, by lot, before the ring itself would choose.

What a full ring refuses is what came in a burst and what was large: a biased sample. Past half of its size the lot
decides instead, and its fraction travels with every exchange.
"""

from typing import Final

_STEPS: Final = 16
"""Each further one of so many parts of the ring halves the fraction once more."""
_MOST_HALVINGS: Final = 4
_GOLDEN: Final = 0x9E3779B1
_MASK: Final = 0xFFFFFFFF


def halvings(queued: int, capacity: int) -> int:
    """How often the fraction of bodies that travel is halved: 0 up to half the ring, then 1 to 4."""
    over = queued - (capacity >> 1)
    return min(1 + over * _STEPS // capacity, _MOST_HALVINGS) if over > 0 else 0


def chosen(number: int, halved: int) -> bool:
    """Whether the exchange of that number keeps its bodies.

    Multiples of the golden ratio fill an interval evenly, whatever the stride at which they are taken: every run of
    exchanges has its share, and traffic that repeats itself is sampled as any other.
    """
    return (number * _GOLDEN & _MASK) >> (32 - halved) == 0
