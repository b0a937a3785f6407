"""The reference profile: what a model was trained on, in one file that a person can read and edit.

Imports in a notebook or a training job without anything of the server:

    from exporter.profile import Plan, build_frame, save

    profile, notes = build_frame(frame, Plan(predictions=["score"], target="label", model="churn", version="7"))
    save(profile, "profile.json")

`sources` is a shelf of file formats, `draft` a table under way, `builder` a column of it, `document` reads and writes
the file, `show` prints it for people.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from exporter.profile.build import build_frame, build_spark
    from exporter.profile.document import load, save
    from exporter.profile.plan import Plan

__all__ = ["Plan", "build_frame", "build_spark", "load", "save"]
_HOMES: Final = {
    "Plan": "plan",
    "build_frame": "build",
    "build_spark": "build",
    "load": "document",
    "save": "document",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 (of any of them)
    """What is asked for, imported then: who only reads a profile needs neither numpy nor the formats of tables."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
