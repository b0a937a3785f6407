"""What whoever watches the demo sees: a live screen in a terminal that is large enough, lines anywhere else."""

import math
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from exporter.demo.chapters import Chapter, Row
from exporter.demo.pager import Page
from exporter.demo.scores import Score

SMALLEST: Final = (100, 38)
"""Columns and lines below which the live screen would be cut off."""
_BAR_WIDTH: Final = 24
_FULL_BAR: Final = 100.0
"""The bar is full where a score is so many times its critical value; its scale is logarithmic."""
_LINE_S: Final = 5.0
_FIXED_LINES: Final = 11
"""Lines of the screen that are neither chapters, links, scores nor pages."""


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

    @property
    def elapsed_s(self) -> float:
        """Since the traffic's start."""
        return time.monotonic() - self.began

    @property
    def length(self) -> str:
        """Of the whole, in words."""
        seconds = sum(chapter.minutes for chapter in self.chapters) * self.minute_s
        return f"of {clock(seconds)}" if math.isfinite(seconds) else ""


class Screen(Protocol):
    """A way to show a scene."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(self, *_: object) -> None:
        """End; what was shown last stays."""

    def turn(self) -> None:
        """A new chapter has begun."""

    def news(self, pages: Sequence[Page]) -> None:
        """These pages have arrived."""

    def show(self) -> None:
        """A moment has passed."""


def choose(console: Console, scene: Scene) -> Screen:
    """The live screen, where there is room for it."""
    large = console.width >= SMALLEST[0] and console.height >= SMALLEST[1]
    return LiveScreen(console, scene) if console.is_terminal and large else Lines(console, scene)


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def verdict(score: Score) -> tuple[str, str]:
    """A word for a score, and its style. Too little to tell is grey, never green."""
    if not score.sufficient:
        return "learning", "bright_black"
    if score.missing == 1:
        return "ABSENT", "bold red"
    return ("DRIFT", "bold red") if score.drifted else ("fine", "green")


# --- lines


class Lines:
    """One line every few seconds, for logs, pipes and small terminals."""

    def __init__(self, console: Console, scene: Scene) -> None:
        self._console = console
        self._scene = scene
        self._due = 0.0
        self._told = False
        """What this chapter's clients send."""

    def __enter__(self) -> Self:
        for name, url in self._scene.links:
            self._say(f"  {name:14} {url}")
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def turn(self) -> None:
        """The chapter's text."""
        self._told = False
        self._say(f"\n── {clock(self._scene.elapsed_s)} {self._scene.chapters[self._scene.chapter].text}")

    def news(self, pages: Sequence[Page]) -> None:
        """What they say."""
        for page in pages:
            self._say(f"{clock(page.at - self._scene.began)}  {headline(page)}")
            if page.firing:
                self._say(textwrap.indent(textwrap.fill(description(page), self._console.width - 8), " " * 8))

    def show(self) -> None:
        """The scores."""
        if not self._told and self._scene.sent:
            self._told = True
            self._say(f"   such as  {row(self._scene.sent)}")
        if time.monotonic() >= self._due and self._scene.scores:
            self._due = time.monotonic() + _LINE_S
            worst = sorted(self._scene.scores, key=_times_critical, reverse=True)[:3]
            told = "   ".join(f"{s.column} {number(s.psi)} / {number(s.critical)} {verdict(s)[0]}" for s in worst)
            self._say(f"{clock(self._scene.elapsed_s)}  PSI / critical, the highest three: {told}")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


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


def _times_critical(score: Score) -> float:
    ratio = score.psi / score.critical if score.sufficient else 0.0
    return ratio if math.isfinite(ratio) else 0.0


# --- the live screen


class LiveScreen:
    """Story, scores and pages on one screen that is drawn anew several times a second."""

    def __init__(self, console: Console, scene: Scene) -> None:
        self._console = console
        self._scene = scene
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def turn(self) -> None:
        """The chapter's text."""
        self.show()

    def news(self, pages: Sequence[Page]) -> None:
        """What they say."""
        if pages:
            self.show()

    def show(self) -> None:
        """The scores."""
        self._live.update(self._picture(), refresh=True)

    def _picture(self) -> RenderableType:
        return Group(self._header(), self._story(), self._scores(), self._pages())

    def _header(self) -> RenderableType:
        scene = self._scene
        title = Text.assemble(
            ("inference-exporter", "bold"), f"   {clock(scene.elapsed_s)} {scene.length}   ",
            (f"a minute of the rules passes in {scene.minute_s:.3g} s   ", "bright_black"),
            f"{scene.answered} requests answered", (f", {scene.failed} failed" if scene.failed else "", "red"),
        )  # fmt: skip
        links = Table.grid(padding=(0, 2))
        for name, url in scene.links:
            links.add_row(Text(name, style="bright_black"), Text(url))
        links.add_row(Text("last row sent", style="bright_black"), Text(row(scene.sent)))
        return Group(title, links)

    def _story(self) -> RenderableType:
        lines = Text()
        for place, chapter in enumerate(self._scene.chapters):
            mark, style = ("▶", "bold") if place == self._scene.chapter else ("·", "bright_black")
            if place < self._scene.chapter:
                mark = "✓"
            lines.append(f"{'' if not place else chr(10)}{mark} {chapter.text}", style)
        return Panel(lines, title="story", title_align="left", box=box.ROUNDED, padding=(0, 1))

    def _scores(self) -> RenderableType:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        for name in ("column", "PSI", "critical", "values"):
            table.add_column(name, justify="left" if name == "column" else "right")
        table.add_column("")
        table.add_column("times its critical value", min_width=_BAR_WIDTH)
        for score in self._scene.scores:
            word, style = verdict(score)
            table.add_row(
                score.column, number(score.psi), number(score.critical), number(score.samples, 0),
                Text(word, style=style), Text(_bar(_times_critical(score)), style=style),
            )  # fmt: skip
        return table

    def _pages(self) -> RenderableType:
        scene = self._scene
        taken = _FIXED_LINES + len(scene.chapters) + len(scene.links) + len(scene.scores)
        room = max(self._console.height - taken, 4)
        lines: list[Text] = []
        for page in reversed(scene.pages):
            shown = _lines_of(page, page.at - scene.began, self._console.width - 4)
            if len(lines) + len(shown) > room:
                break
            lines[:0] = shown
        text = Text("\n").join(lines) if lines else Text("nothing so far", style="bright_black")
        return Panel(text, title="pages", title_align="left", box=box.ROUNDED, padding=(0, 1))


def _lines_of(page: Page, at: float, width: int) -> list[Text]:
    style = "green" if not page.firing else "bold red" if page.critical else "bold yellow"
    lines = [Text.assemble(clock(at), "  ", (headline(page), style))]
    if page.firing:
        lines += [Text(f"       {line}") for line in textwrap.wrap(description(page), width - 7)]
    return lines


def _bar(ratio: float) -> str:
    """A bar whose length is the logarithm of a ratio; empty up to one."""
    if ratio <= 1:
        return ""
    share = min(math.log(ratio) / math.log(_FULL_BAR), 1.0)
    return f"{'█' * max(round(share * _BAR_WIDTH), 1)} {ratio:.0f}×"
