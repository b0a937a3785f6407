"""/metrics with what the model server says of itself, where settings want it there."""

import math
from functools import partial
from typing import TYPE_CHECKING, Final

from flask import Flask, current_app, request

from exporter.collect.rendered import Rendered
from exporter.web import negotiation

if TYPE_CHECKING:
    from exporter.merging import Merging

_MERGING: Final = "exporter.merging"
"""Among the extensions of the application."""
_SAYS_HOW_LONG: Final = "X-Prometheus-Scrape-Timeout-Seconds"
_MARGIN_S: Final = 0.5
"""For all else that a scrape needs."""
_LONGEST_S: Final = 3600.0


def add(app: Flask, merging: "Merging | None") -> None:
    """Have it there."""
    if merging is not None:
        app.extensions[_MERGING] = merging


def of(own: Rendered, media: str) -> tuple[Rendered, str]:
    """The page that is asked for, and its format, where ours alone would be this one in this format."""
    merging: Merging | None = current_app.extensions.get(_MERGING)
    if merging is None:
        return own, media
    from exporter.merging import Scraper  # noqa: PLC0415 (its grammars are long, and few settings want it)
    from exporter.merging.asking import MARK  # noqa: PLC0415

    if MARK in request.headers:  # that is one of our kind: theirs would never end
        return own, media
    takes = partial(negotiation.takes, accepted=request.accept_mimetypes)
    return merging.page(own, Scraper(media, takes, patience_s(request.headers.get(_SAYS_HOW_LONG))))


def patience_s(said: str | None) -> float:
    """How long a scraper can wait, seconds, by what it says."""
    try:
        limit_s = float(said or "nan")
    except ValueError:
        limit_s = math.nan
    return max(limit_s - _MARGIN_S, limit_s / 2) if 0 < limit_s <= _LONGEST_S else _LONGEST_S
