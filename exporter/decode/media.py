"""What kind of body a Content-Type announces, as far as decoding cares; many clients are careless with it."""

from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple


class Kind(Enum):
    """How a body is written."""

    JSON = "JSON"
    CSV = "CSV"
    LINES = "JSON lines"
    """A JSON value on each line."""
    EVENTS = "server-sent events"
    FORM = "multipart form"
    UNSURE = "bytes"
    """Anything: JSON where it begins like an object or a list."""
    OTHER = "something else"


class Media(NamedTuple):
    """A Content-Type as it is understood."""

    kind: Kind
    charset: str
    """In lower case, of CSV alone; empty where none is given."""
    form: str = ""
    """The parameter `format`, which MLflow 1 had."""


_KINDS: Final = {
    "": Kind.JSON, "text/plain": Kind.JSON, "application/x-www-form-urlencoded": Kind.JSON,  # what curl says by itself
    "text/json": Kind.JSON, "application/json": Kind.JSON, "application/json-seq": Kind.LINES,
    "text/csv": Kind.CSV, "application/csv": Kind.CSV,
    "application/jsonlines": Kind.LINES, "application/x-jsonlines": Kind.LINES, "application/jsonl": Kind.LINES,
    "application/x-ndjson": Kind.LINES, "application/ndjson": Kind.LINES,
    "text/event-stream": Kind.EVENTS,
    "text/html": Kind.OTHER, "text/css": Kind.OTHER, "application/pdf": Kind.OTHER, "application/xml": Kind.OTHER,
    "text/xml": Kind.OTHER, "application/zip": Kind.OTHER,
}  # fmt: skip
_FAMILIES: Final = {
    "multipart": Kind.FORM, "image": Kind.OTHER, "audio": Kind.OTHER, "video": Kind.OTHER, "font": Kind.OTHER,
}  # fmt: skip


@lru_cache(maxsize=256)
def media(content_type: str) -> Media:
    """What a Content-Type announces (RFC 9110, 8.3); the few that are in use are remembered."""
    essence, *parameters = (part.strip().lower() for part in content_type.split(";"))
    said = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
    kind = _KINDS.get(essence) or _FAMILIES.get(essence.partition("/")[0])
    if kind is None:
        kind = Kind.JSON if essence.endswith("+json") else Kind.UNSURE
    return Media(kind, said.get("charset", "").strip('"'), said.get("format", ""))
