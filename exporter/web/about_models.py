"""What the status page says of models that are compared with a profile, each in a part of its own."""

from collections.abc import Callable, Sequence

from flask import Flask

from exporter.web import evidence, faults, worst
from exporter.web.windows import Scored


def add(app: Flask, scored: Callable[[], Sequence[Scored]]) -> None:
    """Put all of it on the page of an application; `scored` gives what was scored last."""
    for part in (evidence, worst, faults):
        part.add(app, scored)
