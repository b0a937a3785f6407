"""One value of a JSON document by its pointer (RFC 6901): `/meta/puid`, `/ids/0`."""

import re
from functools import lru_cache
from typing import Final

from exporter import origins

ABSENT: Final = object()
"""What is found where a pointer leads nowhere; null is a value."""
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_tokens: Final = lru_cache(maxsize=64)(origins.tokens)


def find(document: object, pointer: str) -> object:
    """What a pointer, which was checked, leads to, or `ABSENT` (section 4)."""
    for word in _tokens(pointer):
        if isinstance(document, dict):
            document = document.get(word, ABSENT)
        elif isinstance(document, list) and _INDEX.fullmatch(word) and int(word) < len(document):
            document = document[int(word)]
        else:
            return ABSENT
    return document
