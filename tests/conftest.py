"""What concerns all tests alike."""

from pathlib import Path

import pytest

_FEW = ("paced", "alone")
"""What expressions begin with that choose a handful of tests out of thousands."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of whoever looks for those few, keep files that have none: to import them all takes longer than a test."""
    if not config.option.markexpr.startswith(_FEW) or collection_path.suffix != ".py":
        return None
    return None if b"mark.paced" in collection_path.read_bytes() else True
