"""Which requests carry model input. What others carry is traffic, relayed and counted, but no data."""

import fnmatch
import re
from collections.abc import Collection
from typing import Final

EVERY_PATH: Final = "/*"


class Filter:
    """Methods, and shell patterns of paths."""

    __slots__ = ("_methods", "_path")

    def __init__(self, methods: Collection[str] = ("POST", "PUT", "PATCH"), paths: Collection[str] = ()) -> None:
        """Without `paths`, or where one of them is `/*`, every path will do."""
        self._methods = frozenset(methods)
        one_of = "|".join(fnmatch.translate(path) for path in paths)
        self._path = re.compile(one_of) if paths and EVERY_PATH not in paths else None

    def wants(self, method: str, path: str) -> bool:
        """Whether the bodies of such a request and of its response are to be copied."""
        return method in self._methods and (self._path is None or self._path.match(path) is not None)
