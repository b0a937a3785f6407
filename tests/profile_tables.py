"""Small tables as files, for the tests of profiles."""

import csv
from pathlib import Path
from typing import Any

from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.reference import Column, Profile

PREDICTION = "p"


def write_csv(path: Path, columns: Any, order: Any = None) -> str:
    """Columns by name; None is an empty cell."""
    rows = list(zip(*columns.values(), strict=True))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for place in order if order is not None else range(len(rows)):
            writer.writerow(
                "" if cell is None else repr(cell) if isinstance(cell, float) else cell for cell in rows[place]
            )
    return str(path)


def profile_of(path: Path, columns: Any, order: Any = None, **plan: Any) -> tuple[Profile, list[str]]:
    """The profile of some columns and a prediction, and its notes."""
    columns = dict(columns)
    columns.setdefault(PREDICTION, [0.5] * len(next(iter(columns.values()))))
    return build(Plan(write_csv(path, columns, order), [PREDICTION], **plan))


def column_of(path: Path, values: Any, **plan: Any) -> Column:
    """The reference of one column of values."""
    profile, _ = profile_of(path, {"x": values}, **plan)
    return profile.features[0]


def bytes_of(path: Path, profile: Profile) -> bytes:
    document.save(profile, str(path))
    return path.read_bytes()
