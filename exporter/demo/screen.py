"""What whoever watches the demo sees: a live screen in a terminal that is large enough, lines anywhere else."""

import textwrap
import time
from collections.abc import Sequence
from typing import Final, Protocol, Self

from rich.console import Console

from exporter.demo.live import LiveScreen
from exporter.demo.pager import Page
from exporter.demo.scene import (
    Scene,
    clock,
    description,
    evidence,
    headline,
    number,
    own_words,
    row,
    times_critical,
    verdict,
)

SMALLEST: Final = (100, 38)
"""Columns and lines below which the live screen would leave no room for pages."""
_LINE_S: Final = 5.0


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


class Lines:
    """One line every few seconds, for logs, pipes and small terminals."""

    def __init__(self, console: Console, scene: Scene) -> None:
        self._console = console
        self._scene = scene
        self._due = 0.0
        self._told = False
        """What this chapter's clients send."""
        self._links = 0
        self._remarks = 0
        """How many of them have been told."""

    def __enter__(self) -> Self:
        self._say(f"  pages and tickets are {own_words(self._scene.minute_s)}")
        self._add()
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
        self._add()
        if not self._told and self._scene.sent:
            self._told = True
            self._say(f"   such as  {row(self._scene.sent)}")
        if time.monotonic() >= self._due and self._scene.scores:
            self._due = time.monotonic() + _LINE_S
            worst = sorted(self._scene.scores, key=times_critical, reverse=True)[:3]
            told = "   ".join(f"{s.column} {number(s.psi)} / {number(s.critical)} {verdict(s)[0]}" for s in worst)
            most = max(self._scene.scores, key=evidence)
            nats = f"   evidence: {most.column} {most.nats:.1f} nats" if evidence(most) else ""
            self._say(f"{clock(self._scene.elapsed_s)}  PSI / critical, the highest three: {told}{nats}")

    def _add(self) -> None:
        """Links and remarks that are new."""
        scene = self._scene
        for name, url in scene.links[self._links :]:
            self._say(f"  {name:14} {url}")
        for remark in scene.remarks[self._remarks :]:
            self._say(f"{clock(scene.elapsed_s)}  {remark}")
        self._links, self._remarks = len(scene.links), len(scene.remarks)

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
