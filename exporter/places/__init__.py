"""Where profiles live: a shelf of stores, the short-lived process that asks them, and who looks again and again.

A store is asked by a process of its own (`exporter.places.fetch`), with limits of time and size: what its library needs
never burdens whoever waits for the profile, and nobody hangs with a store that hangs.
"""

from typing import Final

STORES: Final = {
    "file": "exporter.places.local",
    "http": "exporter.places.web",
    "https": "exporter.places.web",
    "s3": "exporter.places.s3",
    "gs": "exporter.places.gcs",
    "models": "exporter.places.mlflow",
    "runs": "exporter.places.mlflow",
}
"""By scheme. Each has `fetch(location, mark)`: the bytes there, or None where they are those that had the mark."""
