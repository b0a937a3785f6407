"""The names of a table's columns."""

from collections import Counter

from exporter.errors import DataError


def check_names(names: list[str], where: str) -> list[str]:
    """The names, where each is one and no other's; else DataError."""
    times = Counter(names)
    for index, name in enumerate(names, 1):
        if not name:
            raise DataError(f"{where}: column {index} has no name")
        if times[name] > 1:
            raise DataError(f"{where}: column {name!r} stands there twice")
    return names
