"""The section of the settings about golden requests: known requests with known answers, sent at an interval.

As in `config`, which puts it in its place.
"""

from dataclasses import dataclass

from exporter.keys import setting
from exporter.values import duration, path

_INTERVALS_S = (1.0, 86_400.0)


@dataclass(frozen=True, slots=True)
class Golden:
    """Known requests with known answers."""

    file: str | None = setting(
        None,
        "File of golden requests, made by `inference-exporter golden record`: known requests with the answers that are"
        " expected. They are sent to the model server, and never counted as data. None are sent where left out.",
        path,
    )
    interval: float = setting(
        60.0, "How often every golden request is sent, one after the other, from 1s to 24h.", duration, "1m"
    )
    timeout: float = setting(5.0, "How long the answer to one golden request may take.", duration, "5s")

    def __post_init__(self) -> None:
        if not _INTERVALS_S[0] <= self.interval <= _INTERVALS_S[1]:
            raise ValueError("interval: must be from 1s to 24h")
