"""The reference profile: what a model was trained on, in one file that a person can read and edit.

Imports in a notebook or a training job without anything of the server:

    from exporter.profile import Plan, build_frame, save

    profile, notes = build_frame(frame, Plan(predictions=["score"], target="label", model="churn", version="7"))
    save(profile, "profile.json")

`sources` is a shelf of file formats, `draft` a table under way, `builder` a column of it, `document` reads and writes
the file, `show` prints it for people.
"""

from exporter.profile.build import Plan, build_frame, build_spark
from exporter.profile.document import load, save

__all__ = ["Plan", "build_frame", "build_spark", "load", "save"]
