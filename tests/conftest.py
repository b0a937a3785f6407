"""What concerns all tests alike."""

from pathlib import Path

import pytest

_FEW = ("paced", "alone")
"""What expressions begin with that choose a handful of tests out of thousands."""


_OF_DEPLOYING = b"\npytestmark = pytest.mark.deploy\n"
_IN_A_BROWSER = b"\npytestmark = pytest.mark.browser\n"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Keep files of whoever looks for those few that have none: to import them all takes longer than a test.

    And of whoever looks for no tests of deploying, or in a browser, those that have nothing else: what they import may
    not be installed.
    """
    if collection_path.suffix != ".py":
        return None
    expression = config.option.markexpr
    if expression.startswith(_FEW):
        return None if b"mark.paced" in collection_path.read_bytes() else True
    others = (("not deploy", _OF_DEPLOYING), ("not browser", _IN_A_BROWSER))
    return any(word in expression and mark in collection_path.read_bytes() for word, mark in others) or None
