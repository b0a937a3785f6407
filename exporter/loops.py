"""The section of the settings about feedback loops: models that work on their own future inputs and truths.

As in `config`, which puts it in its place.
"""

from dataclasses import dataclass

from exporter.keys import setting
from exporter.values import switch


@dataclass(frozen=True, slots=True)
class Loops:
    """What is said of feedback loops."""

    enable: bool = setting(
        True,
        "Whether to look for signs of feedback loops: predictions that grow alike, truths of some predictions alone,"
        " inputs that follow predictions. They point to a loop and prove none.",
        switch,
        "true",
    )
