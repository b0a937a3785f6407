"""Which model a request is for, as its URL says. Sources: Open Inference Protocol; KServe V1; TensorFlow Serving."""

import re
from typing import Final
from urllib.parse import unquote

from exporter.records import Exchange

_PATH: Final = re.compile(r"/v[12]/models/([^/:]+)(?:/versions/([^/:]+))?")


def identity(exchange: Exchange) -> tuple[str, str]:
    """Model and version, empty where the URL does not name them."""
    found = _PATH.search(exchange.path)
    return (unquote(found[1]), unquote(found[2] or "")) if found else ("", "")
