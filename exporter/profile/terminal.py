"""How a page for people meets a terminal: its width, its colours, and nothing that it would obey."""

import os
import shutil
import unicodedata
from typing import Final, NamedTuple, TextIO

_BOLD, _DIM, _GREEN, _YELLOW, _CYAN = 1, 2, 32, 33, 36
_WIDE: Final = frozenset("WF")
_NARROWEST: Final = 60
LEVELS: Final = " ▁▂▃▄▅▆▇█"


class Paper(NamedTuple):
    """What is written on."""

    width: int = 0
    """Characters of a line; 0 is any number."""
    coloured: bool = False

    @classmethod
    def of(cls, stream: TextIO) -> "Paper":
        """A terminal has a width, and colours unless NO_COLOR is set (no-color.org); a file or pipe has neither."""
        if not stream.isatty():
            return cls()
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return cls(max(_NARROWEST, shutil.get_terminal_size().columns), not plain)

    def bold(self, text: str) -> str:
        """What is to be read first."""
        return self._in(_BOLD, text)

    def dim(self, text: str) -> str:
        """What may be read last."""
        return self._in(_DIM, text)

    def good(self, text: str) -> str:
        """What is fine."""
        return self._in(_GREEN, text)

    def warning(self, text: str) -> str:
        """What should be looked at."""
        return self._in(_YELLOW, text)

    def bars(self, text: str) -> str:
        """A drawing."""
        return self._in(_CYAN, text)

    def _in(self, colour: int, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.coloured and text.strip() else text

    def cut(self, text: str, *before: int) -> str:
        """A line of a stranger's text, cut where the line ends behind parts of these widths."""
        return cut(text, self.rest(*before))

    def narrowed(self, most: int, beside: int) -> int:
        """A width of `most`, less where a line has less room beside so many characters."""
        return min(most, max(1, self.width - beside)) if self.width else most

    def rest(self, *before: int) -> int:
        """Characters that are left of a line behind parts of these widths, 0 for any number."""
        return max(1, self.width - sum(before)) if self.width else 0


def printable(text: str) -> str:
    """Text without what a terminal would obey."""
    # Names come from files of strangers: no escape sequence may reach a terminal.
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)


def wide(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in _WIDE else 1
        for letter in text
    )


def cut(text: str, width: int) -> str:
    """A line of a stranger's text, not wider than `width`; 0 is any."""
    text = printable(text.replace("\n", "�"))
    if not width or wide(text) <= width:
        return text
    while text and wide(text) >= width:
        text = text[:-1]
    return text + "…"


def padded(text: str, width: int) -> str:
    """A text in a cell of this width, cut where it is wider."""
    text = cut(text, width)
    return text + " " * (width - wide(text))


def sparkline(shares: list[float]) -> str:
    """A bar of one character for each share; what is not nothing is seen."""
    highest = max(shares, default=0) or 1
    steps = len(LEVELS) - 1
    return "".join(LEVELS[max(round(steps * share / highest), share > 0)] for share in shares)
