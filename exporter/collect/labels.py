"""What a label's value may be: some characters at most, all of them text that can be shown; wherever it comes from.

Values that are altered end in a digest of what they were, so that two stay two, and so does what only looks like one
of these: chance makes one of two different ones in 2^64. Who alters a value on purpose until it is that of another
finds that the page leaves the second series out.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

_Value = TypeVar("_Value")

LONGEST: Final = 128
"""Characters of a value, as they are before quotes, backslashes and ends of lines are escaped."""
_DIGITS: Final = 16
_CUT: Final = "…"
_ALTERED: Final = re.compile(rf"{_CUT}[0-9a-f]{{{_DIGITS}}}\Z")
_REFUSED: Final = re.compile(
    "[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""Control characters but the end of a line, other ends of lines, what turns the direction of text, halves of pairs."""
_SHOWN_AS: Final = "\ufffd"


def bounded(value: str) -> str:
    """A value of at most LONGEST characters that UTF-8 can hold and that no terminal or page obeys; mostly as it is."""
    if len(value) <= LONGEST and (value.isprintable() or not _REFUSED.search(value)) and not is_altered(value):
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    kept = value[: LONGEST - _DIGITS - len(_CUT)]
    return f"{_REFUSED.sub(_SHOWN_AS, kept)}{_CUT}{digest}"


def is_altered(value: str) -> bool:
    """Whether it ends as an altered one does."""
    return value[-_DIGITS - 1 : -_DIGITS] == _CUT and bool(_ALTERED.search(value))


def apart(series: Iterable[tuple[tuple[str, ...], _Value]]) -> Iterator[tuple[tuple[str, ...], _Value]]:
    """Series whose labels are bounded; of those that are called alike by then the first one alone."""
    known = set[tuple[str, ...]]()
    for labels, value in series:
        found = tuple(map(bounded, labels))
        if found not in known:
            known.add(found)
            yield found, value
