"""The JSON Schema of a profile's document (draft 2020-12): its shape, though not all that a reader looks at."""

from importlib import resources


def text() -> str:
    """The schema as it is shipped."""
    return (resources.files("exporter.profile") / "schema.json").read_text(encoding="utf-8")
