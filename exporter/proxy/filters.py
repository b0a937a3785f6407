"""Which requests carry model input, and which headers tell of it. The rest is traffic, relayed and counted, no data."""

import fnmatch
import re
from collections.abc import Collection
from typing import Final

from exporter.messages import KEPT_HEADERS

EVERY_PATH: Final = "/*"


class Filter:
    """Methods, shell patterns of paths, and names of headers."""

    __slots__ = ("_methods", "_path", "headers")

    def __init__(
        self, methods: Collection[str] = ("POST", "PUT", "PATCH"), paths: Collection[str] = (),
        headers: Collection[str] = (),
    ) -> None:  # fmt: skip
        """Without `paths`, or where one of them is `/*`, every path will do; `headers` are kept beside the usual."""
        self.headers = KEPT_HEADERS.union(name.lower().encode() for name in headers)
        """Names in lower case."""
        self._methods = frozenset(methods)
        one_of = "|".join(fnmatch.translate(path) for path in paths)
        self._path = re.compile(one_of) if paths and EVERY_PATH not in paths else None

    def wants(self, method: str, path: str) -> bool:
        """Whether the bodies of such a request and of its response are to be copied."""
        return method in self._methods and (self._path is None or self._path.match(path) is not None)
