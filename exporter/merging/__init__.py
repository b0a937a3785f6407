"""The model server's own metrics on our page, so that one scrape of one port has both.

They are fetched when somebody scrapes, in a thread that nobody waits for longer than they may (`flights`), within a
time and a size (`asking`); taken apart (`parting`), because one bad line fails a whole scrape; and what has a name of
ours is left out (`clashes`). The rest is passed on as it came: names, labels, values, times and exemplars are theirs.

In memory there are, for each of the two formats, one answer as text and as families, and one page of both as it is
packed; while a page is taken apart ten times `most_bytes`, or 1 KiB for each line that it may have.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Final, NamedTuple

from exporter.collect.rendered import OPEN_METRICS, TEXT, Rendered
from exporter.merging import asking, clashes, parting
from exporter.merging.asking import Answer, Limits, Target, Unusable
from exporter.merging.flights import Flights
from exporter.merging.grammar import FORMS
from exporter.merging.parting import Part
from exporter.merging.telling import Counts, Outcome, Telling

_LOG: Final = logging.getLogger("exporter.merging")
_LINES_A_SERIES: Final = 4
"""A page that has more lines than this for each series that it may have is too large: they take time and memory."""
_MOST_NAMED: Final = 1000
"""Families that the log has named, each once."""
_CUT_OFF, _LATE, _OTHER = "cut_off", "late", "other"
_LONGEST_NAME: Final = 200
_WORDS: Final = {
    clashes.CLASH: "has a name of ours, or of Prometheus",
    parting.DUPLICATE: "is there twice, or a series or line of it is",
    parting.MALFORMED: "has a line that Prometheus may not read",
    parting.TOO_MANY: "finds no room within merge.max_series",
}


class Scraper(NamedTuple):
    """Who wants the page."""

    media: str
    """The format it likes best."""
    takes: Callable[[str], bool]
    """Whether it can do with another."""
    patience_s: float


class _Joined(NamedTuple):
    """A page of both, and what it was made of."""

    own: Rendered
    outcome: Outcome
    page: Rendered


class Merging:
    """Pages of both; for any thread."""

    def __init__(self, target: Target, limits: Limits, counts: Counts, off: Collection[str] = ()) -> None:
        """`off` are families of ours that nobody wants."""
        self._target, self._limits, self._counts = target, limits, counts
        self._flights = Flights(self._look)
        self._telling = Telling(counts, off)
        self._lock = threading.Lock()
        self._joined: dict[str, _Joined] = {}
        self._named: set[str] = set()
        self._said = ""

    def page(self, own: Rendered, scraper: Scraper) -> tuple[Rendered, str]:
        """Our page with theirs behind it, and the format of both: the one the scraper likes best, or the one they have.

        Where theirs cannot be had it is ours alone, and says so.
        """
        asked = TEXT if scraper.media == TEXT else OPEN_METRICS
        begun = time.monotonic()
        found = self._flights.outcome(asked, min(scraper.patience_s, self._limits.timeout_s))
        if found is None:
            found = self._without(asked, _LATE, begun)
        elif found.media != asked and not scraper.takes(found.media):
            found = self._without(asked, asking.FORMAT, begun)
        return self._join(own, found), scraper.media if found.media == asked else found.media

    def _without(self, media: str, reason: str, begun: float) -> Outcome:
        """For a scraper who cannot have what others may."""
        self._counts.error(reason)
        return Outcome(media, (), time.monotonic() - begun, is_up=False)

    def _join(self, own: Rendered, found: Outcome) -> Rendered:
        with self._lock:
            kept = self._joined.get(found.media)
            if kept is None or kept.own is not own or kept.outcome is not found:
                page = Rendered([*own.blocks, *self._telling.blocks(found), *found.blocks])
                kept = self._joined[found.media] = _Joined(own, found, page)
            return kept.page

    # in a thread of its own

    def _look(self, media: str) -> Outcome:
        """What can be passed on of what the server says now."""
        begun = time.monotonic()
        try:
            answer = asking.ask(self._target, media, self._limits)
            parts = self._parts(answer)
        except Unusable as error:
            self._tell(error.reason, str(error))
            self._counts.error(error.reason)
            return Outcome(media, (), time.monotonic() - begun, is_up=False)
        except Exception:  # noqa: BLE001 (whatever it was, scrapers get our page)
            _LOG.exception("the model server's metrics cannot be passed on")
            self._counts.error(_OTHER)
            return Outcome(media, (), time.monotonic() - begun, is_up=False)
        self._tell("", "")
        blocks = tuple(part.block() for part in parts if not part.fault)
        return Outcome(answer.media, blocks, time.monotonic() - begun, is_up=True)

    def _parts(self, answer: Answer) -> list[Part]:
        form, most = FORMS[answer.media], self._limits.most_series
        try:
            parts = parting.parted(answer.text, form, most * _LINES_A_SERIES)
        except parting.CutOff:
            raise Unusable(_CUT_OFF, "its page has no end") from None
        except parting.TooLong:
            raise Unusable(asking.TOO_LARGE, f"more than {most * _LINES_A_SERIES} lines") from None
        clashes.refuse(parts, form)
        parting.refuse_beyond(parts, most)
        self._refused(part for part in parts if part.fault)
        return parts

    def _refused(self, parts: Iterable[Part]) -> None:
        for part in parts:
            self._counts.refused(part.fault)
            if part.name not in self._named and len(self._named) < _MOST_NAMED:
                self._named.add(part.name)
                name = part.name[:_LONGEST_NAME] or "a line before any"
                _LOG.warning("of the model server's metrics %s is not passed on: it %s", name, _WORDS[part.fault])

    def _tell(self, reason: str, words: str) -> None:
        """Log what has changed since the last time."""
        if reason != self._said:
            self._said = reason
            if reason:
                _LOG.warning("the model server's metrics cannot be passed on: %s", words)
            else:
                _LOG.info("the model server's metrics are passed on again")
