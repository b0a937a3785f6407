"""The most frequent of many values, in a table of bounded size.

Misra & Gries, Finding repeated elements (1982), merged as in Agarwal et al., Mergeable summaries (2012): of n values in
all, a count is too low by at most n / (SIZE + 1), and never too high. Up to SIZE different values it is exact.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

SIZE: Final = 32


def add(table: Counter[str], names: Mapping[str, int]) -> None:
    """Add values, each so many times."""
    for name, times in names.items():
        table[name] += times
    if len(table) > SIZE:
        least = sorted(table.values(), reverse=True)[SIZE]
        for name in list(table):
            table[name] -= least
            if table[name] <= 0:
                del table[name]
