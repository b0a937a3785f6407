"""What is counted of rows beside bins and moments: the shape that all such parts have, and several of them as one."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from numpy.typing import NDArray

from exporter.snapshots import Listed, Measured, OfSide

Arrays = Mapping[str, NDArray[Any]]
Told = Measured | OfSide | Listed
Rows_contra = TypeVar("Rows_contra", contravariant=True)


class Part(Protocol[Rows_contra]):
    """Something that is counted of rows. What it keeps is bounded, and does not depend on order or batches."""

    def add(self, rows: Rows_contra, /) -> None:
        """Count rows."""

    def arrays(self, prefix: str) -> Arrays:
        """What must be kept for it to go on after a death of the process, counts since start included."""

    def held(self, prefix: str, now: float) -> Arrays:
        """What its windows hold at `now`, to be kept for another time; no counts since start."""

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> object:
        """Go on with windows that were held when the clock showed `shift_s` less, as far as they fit."""

    def snapshot(self, now: float) -> Iterator[Told]:
        """What there is to say at `now`."""


class Parts(Generic[Rows_contra]):
    """Some parts, by name, as one."""

    def __init__(self, made: Mapping[str, Part[Rows_contra] | None]) -> None:
        """None is one that has nothing to count."""
        self._parts = {name: part for name, part in made.items() if part is not None}

    def add(self, rows: Rows_contra) -> None:
        """Count rows."""
        for part in self._parts.values():
            part.add(rows)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        kept = (part.arrays(f"{prefix}.{name}") for name, part in self._parts.items())
        return {key: array for arrays in kept for key, array in arrays.items()}

    def held(self, prefix: str, now: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at `now`, part by part."""
        for name, part in self._parts.items():
            yield from part.held(f"{prefix}.{name}", now).items()

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held."""
        for name, part in self._parts.items():
            part.put_back(held, f"{prefix}.{name}", shift_s, now)

    def snapshot(self, now: float) -> tuple[Told, ...]:
        """What all of them say at `now`."""
        return tuple(told for part in self._parts.values() for told in part.snapshot(now))
