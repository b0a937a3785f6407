"""Names that nobody is to read: columns that are not looked at, and such as are shown under a hash of their names.

The standard library only: every process reads settings.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exporter.keys import setting
from exporter.segmentations import Segmentation
from exporter.values import names

_MOST: Final = 1000
_LONGEST: Final = 400
_ELEMENT: Final = re.compile(r"(.+?)((?:\[\d{1,5}\])+)", re.DOTALL)


class Patterns:
    """Names, with `*` for any characters. One also fits the elements of what it names: `geo` fits `geo[0]`."""

    def __init__(self, patterns: Iterable[str]) -> None:
        found = [".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns]
        self._names = re.compile("|".join(found) or r"(?!)", re.DOTALL)
        self._headers = re.compile(self._names.pattern, re.IGNORECASE)

    def fit(self, name: str) -> bool:
        """Whether they fit a name, or that of which it is an element."""
        return bool(self._names.fullmatch(name) or self._names.fullmatch(split(name)[0]))

    def fit_whole(self, name: str) -> bool:
        """Whether they fit all that an element is of."""
        return bool(self._names.fullmatch(split(name)[0]))

    def fit_any(self, said: Segmentation) -> bool:
        """Whether they fit a way to divide traffic, be it by what it is called or by where it is from."""
        return any(map(self.fit, filter(None, (said.name, said.field)))) or bool(self._headers.fullmatch(said.header))


NOTHING: Final = Patterns(())


def split(name: str) -> tuple[str, str]:
    """A name without the places of an element, and these: `geo` and `[0]`."""
    found = _ELEMENT.fullmatch(name)
    return (found[1], found[2]) if found else (name, "")


def patterns(value: object) -> tuple[str, ...]:
    """Patterns from a list, or separated by commas."""
    found = names(value)
    if len(found) > _MOST or any(len(one) > _LONGEST for one in found):
        raise ValueError(f"must be at most {_MOST} names or patterns, of at most {_LONGEST} characters each")
    return found


@dataclass(frozen=True, slots=True)
class Privacy:
    """Columns whose names, or whose values, are nobody's business."""

    deny: tuple[str, ...] = setting(
        (),
        "Features, outputs and fields, by name or with * for anything, that are not looked at: nothing of them is"
        " counted, kept or shown.",
        patterns,
        "[]",
    )
    hash: tuple[str, ...] = setting(
        (),
        "The same of those that are watched, and whose names and categories are hashed under the salt of salt_file"
        " wherever they are shown or kept.",
        patterns,
        "[]",
    )

    def refuse(
        self, by: Sequence[Segmentation], group: Segmentation | None, ids: Sequence[str], values: Sequence[str] = ()
    ) -> None:
        """ValueError where what other settings need is denied; it does not say what that is called.

        `values` are the columns of business values, empty where one has none.
        """
        denied = Patterns(self.deny)
        for path in (*_needed(denied, by, group, ids), *_worth(denied, values)):
            raise ValueError(f"privacy.deny: fits {path}, which needs what must not be looked at")

    def refuse_names(self, names: Sequence[str], path: str) -> None:
        """ValueError where one of those that a setting at a path names is denied."""
        denied = Patterns(self.deny)
        for at, name in enumerate(names):
            if denied.fit(name):
                raise ValueError(f"privacy.deny: fits {path}[{at}], which needs what must not be looked at")


def _needed(
    denied: Patterns, by: Sequence[Segmentation], group: Segmentation | None, ids: Sequence[str]
) -> Iterator[str]:
    """What needs something that is denied, by its path."""
    yield from (f"segments.by[{at}]" for at, one in enumerate(by) if denied.fit_any(one))
    yield from ("evidence.group_key" for one in (group,) if one and denied.fit_any(one))
    yield from (f"request_id.columns[{at}]" for at, name in enumerate(ids) if denied.fit(name))


def _worth(denied: Patterns, values: Sequence[str]) -> Iterator[str]:
    yield from (f"values[{at}]" for at, name in enumerate(values) if name and denied.fit(name))
