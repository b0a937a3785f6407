"""A page taken apart: its families, and what is wrong with those that are not to be passed on.

What is wrong costs the family it belongs to and no other: a line that is none belongs to the family it names, else to
the one it stands in.
"""

import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from exporter.collect.exposition import Block
from exporter.merging.grammar import BOUNDED, LEADING_NAME, PAIR, WITH_EXEMPLARS, Form, told

DUPLICATE, MALFORMED, TOO_MANY = "duplicate", "malformed", "too_many"
_END: Final = "# EOF"
_LONGEST_LINE: Final = 64 << 10
"""Characters; one that is longer is none."""


class TooLong(Exception):
    """More lines than a page may have."""


class CutOff(Exception):
    """The page has no end."""


@dataclass(slots=True)
class Part:
    """One family, as it stands on the page."""

    name: str
    """Empty: of lines before any family."""
    kind: str
    said: dict[str, str] = field(default_factory=dict)
    """What HELP, TYPE and UNIT say."""
    lines: list[str] = field(default_factory=list)
    series: set[int] = field(default_factory=set)
    """Their hashes: a page may have as many labels as it has bytes."""
    fault: str = ""
    """Why it is refused."""

    def names(self, form: Form) -> tuple[str, ...]:
        """Its own and those that its series may have."""
        return (self.name, *(self.name + suffix for suffix in form.suffixes[self.kind] if suffix))

    def refuse(self, fault: str) -> None:
        """What is found first counts."""
        self.fault = self.fault or fault

    def block(self) -> Block:
        """As it goes onto our page: what is said of it above its lines, these unchanged."""
        about = [f"# {word} {self.name} {self.said[word]}\n" for word in ("HELP", "TYPE", "UNIT") if word in self.said]
        head = "".join(about).encode()
        return Block(self.name, head, head, ("\n".join(self.lines) + "\n").encode(), len(self.lines))


def parted(text: str, form: Form, most_lines: int) -> list[Part]:
    """The families of a page, in order; those of the same name, or of names that others' series have, are refused.

    CutOff, or TooLong beyond so many lines.
    """
    walk = _Walk(form)
    for at, line in enumerate(io.StringIO(text)):
        if at >= most_lines:
            raise TooLong
        bare = line.removesuffix("\n")
        if form.ends and bare == _END:
            break
        walk.take(bare)
    else:
        if form.ends:
            raise CutOff
    parts = [part for part in walk.parts if part.lines or part.fault]
    _refuse_twice(parts, form)
    return parts


def _refuse_twice(parts: Sequence[Part], form: Form) -> None:
    """Names that stand in two places; a family without lines says nothing."""
    counts = Counter(name for part in parts for name in part.names(form))
    for part in parts:
        if any(counts[name] > 1 for name in part.names(form)):
            part.refuse(DUPLICATE)


class _Walk:
    """From line to line."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self.parts: list[Part] = []

    def take(self, line: str) -> None:
        """One more line."""
        match = _fitting(self._form.sample, line)
        if match is not None:
            part, suffix = self._home(match[1])
            fault = self._fault(part, suffix, match.groups())
            part.refuse(fault) if fault else part.lines.append(line)
        elif line.startswith("#"):
            self._about(line)
        elif line.strip(" \t"):
            name = LEADING_NAME.match(line)
            (self._home(name[0])[0] if name else self._last()).refuse(MALFORMED)

    def _home(self, name: str) -> tuple[Part, str]:
        """The family of a series, and what the series' name has behind the family's."""
        last = self._last()
        suffix = name.removeprefix(last.name)
        if last.name and name.startswith(last.name) and suffix in self._form.suffixes[last.kind]:
            return last, suffix
        return self._begin(name), ""

    def _last(self) -> Part:
        return self.parts[-1] if self.parts else self._begin("")

    def _begin(self, name: str) -> Part:
        self.parts.append(Part(name, self._form.untyped))
        return self.parts[-1]

    def _about(self, line: str) -> None:
        match = _fitting(self._form.about, line)
        name = match[2] if match else told(line)
        if name is None:
            return  # a remark
        part = self._last() if self._last().name == name else self._begin(name)
        if match is None:
            part.refuse(MALFORMED)
        elif part.lines or match[1] in part.said:
            part.refuse(DUPLICATE)
        else:
            self._say(part, match[1], match[3] or "")

    def _say(self, part: Part, word: str, text: str) -> None:
        if word == "TYPE":
            text = text.rstrip(" \t")
            if text not in self._form.suffixes:
                part.refuse(MALFORMED)
                return
            part.kind = text
        if word == "UNIT" and not part.name.endswith(f"_{text}"):
            part.refuse(MALFORMED)
        part.said[word] = text

    def _fault(self, part: Part, suffix: str, said: tuple[str | None, ...]) -> str:
        """What is wrong with a series, where something is."""
        name, labels, value, exemplar = said
        pairs = PAIR.findall(labels) if labels else []
        if _overflows(value or "") or not _fits(pairs, BOUNDED.get((part.kind, suffix))):
            return MALFORMED
        if exemplar and not _may_have(suffix, exemplar):
            return MALFORMED
        series = hash((name, *sorted(pairs)))
        if series in part.series:
            return DUPLICATE
        part.series.add(series)
        return ""


def _fitting(pattern: re.Pattern[str], line: str) -> re.Match[str] | None:
    return pattern.fullmatch(line) if len(line) <= _LONGEST_LINE else None


def _fits(pairs: Sequence[tuple[str, str]], bounded: str | None) -> bool:
    """Whether no label is there twice or is the name's own, and one that must be a number is."""
    if not pairs:
        return bounded is None
    names = dict(pairs)
    return len(names) == len(pairs) and "__name__" not in names and (bounded is None or _is_number(names.get(bounded)))


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and text.isascii() and "_" not in text and not math.isnan(float(text))
    except ValueError:
        return False


def _overflows(value: str) -> bool:
    """Whether it is a number beyond any that there is, which is an error for Prometheus."""
    return math.isinf(float(value)) and "n" not in value


def _may_have(suffix: str, exemplar: str) -> bool:
    names = [label for label, _ in PAIR.findall(exemplar)]
    value = exemplar.rpartition("} ")[2].split(" ")[0]
    return suffix in WITH_EXEMPLARS and len(set(names)) == len(names) and not _overflows(value)


def refuse_beyond(parts: Iterable[Part], most_series: int) -> int:
    """Refuse families that there is no room for, whole; how many series the others have."""
    left = most_series
    for part in parts:
        if not part.fault and len(part.lines) > left:
            part.refuse(TOO_MANY)
        left -= 0 if part.fault else len(part.lines)
    return most_series - left
