"""Whether ids may be shown: what they are made of may be denied or hashed."""

from typing import NamedTuple

from exporter.sections import RequestId
from exporter.witness.fields import Fields


class IdsShown(NamedTuple):
    """Of requests, and of rows."""

    of_request: bool
    of_rows: bool


def ids_shown(said: RequestId, fields: Fields) -> IdsShown:
    """An id that may come from a place in a body is shown if each word of that place may be."""
    words = [word for word in (said.pointer or "").split("/") if word and not word.isdigit()]
    names = (word.replace("~1", "/").replace("~0", "~") for word in words)
    return IdsShown(all(map(fields.shows_as_it_is, names)) or not words, all(map(fields.shows_as_it_is, said.columns)))
