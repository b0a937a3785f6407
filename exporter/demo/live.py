"""The live screen: story, scores and pages, drawn anew several times a second."""

import math
import textwrap
from collections.abc import Sequence
from typing import Final, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from exporter.demo.pager import Page
from exporter.demo.scene import (
    Scene,
    clock,
    description,
    headline,
    number,
    own_words,
    row,
    times_critical,
    verdict,
)

_BAR_WIDTH: Final = 24
_FULL_BAR: Final = 100.0
"""The bar is full where a score is so many times its critical value; its scale is logarithmic."""
_FRAME_LINES: Final = 2
_FEWEST_LINES: Final = 5
"""Room for a page and its text; chapters that are not told now make way for it."""
_REMARKS_SHOWN: Final = 2


class LiveScreen:
    """Everything on one screen; what there is no room for is left out, never what is new."""

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
        header, scores, chapters = self._header(), self._scores(), len(self._scene.chapters)
        room = self._console.height - self._height(header) - self._height(scores) - 2 * _FRAME_LINES
        told = max(min(chapters, room - _FEWEST_LINES), 1)
        return Group(header, self._story(told), scores, self._pages(max(room - told, 1)))

    def _height(self, part: RenderableType) -> int:
        return len(self._console.render_lines(part, pad=False))

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
        remarks = [
            Text(" ".join(remark.split()), style="yellow", no_wrap=True, overflow="ellipsis")
            for remark in scene.remarks[-_REMARKS_SHOWN:]
        ]
        return Group(title, links, *remarks)

    def _story(self, room: int) -> RenderableType:
        """The chapters around the one that is told now, as many as there is room for."""
        scene = self._scene
        first = min(max(scene.chapter - room // 2, 0), len(scene.chapters) - room)
        lines = []
        for place, chapter in enumerate(scene.chapters[first : first + room], first):
            mark, style = ("▶", "bold") if place == scene.chapter else ("·", "bright_black")
            mark = "✓" if place < scene.chapter else mark
            lines.append(Text(f"{mark} {chapter.text}", style, no_wrap=True, overflow="ellipsis"))
        return Panel(Group(*lines), title="story", title_align="left", box=box.ROUNDED, padding=(0, 1))

    def _scores(self) -> RenderableType:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        for name in ("column", "evidence", "PSI", "critical", "values"):
            table.add_column(name, justify="left" if name == "column" else "right")
        table.add_column("")
        table.add_column("times its critical value", min_width=_BAR_WIDTH)
        for score in self._scene.scores:
            word, style = verdict(score)
            table.add_row(
                score.column, number(score.nats, 1), number(score.psi), number(score.critical),
                number(score.samples, 0), Text(word, style=style), Text(_bar(times_critical(score)), style=style),
            )  # fmt: skip
        return table

    def _pages(self, room: int) -> RenderableType:
        """The newest pages there is room for, in their order; the newest of all even where it has to be cut."""
        scene = self._scene
        lines: list[Text] = []
        for page in reversed(scene.pages):
            shown = _lines_of(page, page.at - scene.began, self._console.width - 4)
            if lines and len(lines) + len(shown) > room:
                break
            lines[:0] = shown[:room]
        text = Text("\n").join(lines) if lines else Text("nothing so far", style="bright_black")
        title = f"pages, {own_words(scene.minute_s)}"
        return Panel(text, title=title, title_align="left", box=box.ROUNDED, padding=(0, 1))


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
