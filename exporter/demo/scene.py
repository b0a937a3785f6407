"""What there is to show at a moment of the demo, and the words for it."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from exporter.demo.chapters import Chapter, Row
from exporter.demo.pager import Page
from exporter.demo.scores import Score


@dataclass
class Scene:
    """Everything there is to show at a moment."""

    chapters: Sequence[Chapter]
    links: Sequence[tuple[str, str]]
    minute_s: float
    began: float = field(default_factory=time.monotonic)
    chapter: int = 0
    scores: Sequence[Score] = ()
    answered: int = 0
    failed: int = 0
    sent: Row = field(default_factory=dict)
    """The row that was sent last."""
    pages: list[Page] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What is not as it should be with those who watch."""

    @property
    def elapsed_s(self) -> float:
        """Since the traffic's start."""
        return time.monotonic() - self.began

    @property
    def length(self) -> str:
        """Of the whole, in words."""
        seconds = sum(chapter.minutes for chapter in self.chapters) * self.minute_s
        return f"of {clock(seconds)}" if math.isfinite(seconds) else ""

    @property
    def firing(self) -> list[Page]:
        """Those pages, each news of a fault that has not been resolved."""
        return [page for page in self.pages if page.firing and not self.resolution(page)]

    def resolution(self, page: Page) -> Page | None:
        """The news that what a page tells of has ended; none as long as it lasts."""
        return next((one for one in self.pages if not one.firing and one.same(page) and one.at >= page.at), None)


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def verdict(score: Score) -> tuple[str, str]:
    """A word for a score, and its style. Too little to tell is grey, never green; red is what makes a ticket."""
    if not score.sufficient:
        return "learning", "bright_black"
    if score.missing == 1:
        return "ABSENT", "bold red"
    if score.drifted:
        return "DRIFT", "bold red"
    return ("moved", "yellow") if score.moved else ("fine", "green")


def row(values: Row) -> str:
    """What a client sends, on a line."""
    return "  ".join(f"{name} {value:.4g}" for name, value in values.items())


def number(value: float, digits: int = 3) -> str:
    """A score as people read it; a dash where there is none."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def headline(page: Page) -> str:
    """A page in a line; what only makes a ticket is called one."""
    news = "resolved" if not page.firing else "PAGE" if page.critical else "TICKET"
    return f"{news:8} {page.alert} {page.subject}".rstrip()


def description(page: Page) -> str:
    """What a page says."""
    return page.annotations.get("description", "")


def times_critical(score: Score) -> float:
    """How many times as high as its critical value a score is; 0 where nobody can tell."""
    ratio = score.psi / score.critical if score.sufficient else 0.0
    return ratio if math.isfinite(ratio) else 0.0


def evidence(score: Score) -> float:
    """Nats that a column has; 0 where there are none."""
    return 0.0 if math.isnan(score.nats) else score.nats


def own_words(minute_s: float) -> str:
    """What to know of texts that come from the rules."""
    return f'in the rules\' own words: "the last 30m" are {30 * minute_s:.3g} s'
