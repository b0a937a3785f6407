"""Arrays that are kept for another time, and what goes on with them."""

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


def copies(arrays: Arrays) -> Iterator[tuple[str, NDArray[Any]]]:
    """Of each array, by name: one at a time, as all together would be in memory twice."""
    for name, array in arrays.items():
        yield name, array.copy()


def put_back(own: Arrays, held: Arrays) -> bool:
    """Write what was held into arrays of the same names; whether it fitted. Nothing is changed where it did not."""
    if any(name not in held or held[name].shape != array.shape for name, array in own.items()):
        return False
    for name, array in own.items():
        array[...] = held[name]
    return True
