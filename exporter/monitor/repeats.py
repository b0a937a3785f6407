"""Whether what failed is what failed a moment ago: a client that tries again says nothing new."""

from typing import Final

from exporter.monitor.match import Fit
from exporter.records import Table

_MOST: Final = 4096


class Repeats:
    """Fingerprints of the tables of late, and when each was last news. Values are not kept, and it ends with us."""

    __slots__ = ("_news", "_within_s")

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._news: dict[int, float] = {}

    def before(self, fit: Fit, table: Table, at: float) -> bool:
        """Whether a table with the same cells was news less than `within_s` ago; if not, this one is."""
        news, key = self._news, _fingerprint(fit, table)
        then = news.get(key)
        if then is not None and abs(at - then) < self._within_s:
            return True
        news.pop(key, None)  # so that the newest are last
        if len(news) >= _MOST:
            del news[next(iter(news))]
        news[key] = at
        return False


def _fingerprint(fit: Fit, table: Table) -> int:
    cells = tuple(tuple(map(_plain, table.columns[place])) for place in fit.places if place is not None)
    try:
        return hash(cells)
    except TypeError:  # lists, where no cell should be one
        return hash(repr(cells))


def _plain(cell: object) -> object:
    """A cell as it is; NaN, of which no two are equal, is missing here as it is in windows."""
    return cell if cell == cell else None  # noqa: PLR0124 (NaN)
