"""What the address of the status page asks for: any text, in bounds. What cannot be meant is left out."""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

from exporter.status.facts import STANDINGS

_LONGEST: Final = 2048
_LATEST: Final = 4e9
_MOST_PAGES: Final = 1 << 20


class Asked(NamedTuple):
    """One page's query."""

    model: str | None = None
    version: str | None = None
    feature: str | None = None
    """The column that is shown whole."""
    output: str | None = None
    """As that."""
    side: str = "feature"
    """Whose table is long."""
    q: str = ""
    """What names have in them."""
    standing: str = ""
    page: int = 1
    models: int = 1
    """The page of the list of models."""
    at: float | None = None
    """The moment that is shown; None is now."""

    def address(self, **other: object) -> str:
        """The address of the page with something else asked for."""
        words = {name: value for name, value in self._replace(**other)._asdict().items()  # type: ignore[arg-type]
                 if value != _NOTHING[name] and value is not None}  # fmt: skip
        if "at" in words:
            words["at"] = f"{words['at']:.0f}"
        return "?" + urlencode(words, errors="replace")


_NOTHING: Final = Asked()._asdict()


def parse(words: Mapping[str, str]) -> Asked:
    """Of the query's words."""
    said = {name: words[name] for name in ("model", "version", "feature", "output")
            if len(words.get(name, "x" * (_LONGEST + 1))) <= _LONGEST}  # fmt: skip
    standing = words.get("standing", "")
    return Asked(
        **said,
        side="output" if words.get("side") == "output" else "feature",
        q=words.get("q", "")[:200].strip(),
        standing=standing if standing in STANDINGS else "",
        page=_page(words.get("page")),
        models=_page(words.get("models")),
        at=_moment(words.get("at")),
    )


def _page(said: str | None) -> int:
    return min(max(int(said), 1), _MOST_PAGES) if said and said.isascii() and said.isdigit() and len(said) < 9 else 1


def _moment(said: str | None) -> float | None:
    try:
        at = float(said or "nan")
    except ValueError:
        return None
    return at if math.isfinite(at) and 0 < at < _LATEST else None
