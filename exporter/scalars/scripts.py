"""In which script a text is written, among a dozen. Source of the ranges: the blocks of the Unicode Standard."""

from bisect import bisect_right
from collections import Counter
from itertools import chain
from typing import Final

EMPTY: Final = "empty"
SIGNS: Final = "signs"
"""Digits, punctuation, symbols: no letter at all."""
OTHER: Final = "other"
_MOST: Final = 4096
"""Characters that are looked at: how a text goes on after them changes little."""
_BLOCKS: Final = {
    "latin": ((0x41, 0x5A), (0x61, 0x7A), (0xAA, 0xAA), (0xBA, 0xBA), (0xC0, 0x2AF), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F),
              (0xA720, 0xA7FF), (0xAB30, 0xAB6F), (0xFB00, 0xFB06), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A)),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "cyrillic": ((0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)),
    "hebrew": ((0x590, 0x5FF), (0xFB1D, 0xFB4F)),
    "arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0x870, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFE)),
    "devanagari": ((0x900, 0x97F), (0xA8E0, 0xA8FF)),
    "thai": ((0xE00, 0xE7F),),
    "hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xFFA0, 0xFFDC)),
    "kana": ((0x3041, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F)),
    "han": ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
            (0x20000, 0x3FFFF)),
}  # fmt: skip
CHARSETS: Final = (*_BLOCKS, OTHER, SIGNS, EMPTY)
_RANGES: Final = sorted((low, high, script) for script, blocks in _BLOCKS.items() for low, high in blocks)
_STARTS: Final = [low for low, _, _ in _RANGES]
_RANK: Final = {script: -place for place, script in enumerate(CHARSETS)}
_LETTERS: Final = frozenset(chain(range(0x41, 0x5B), range(0x61, 0x7B)))


def charset(text: str) -> str:
    """The script that most letters are of, one of CHARSETS; of two the one that the table has first."""
    start = text[:_MOST]
    if start.isascii():
        return _of_ascii(start)
    found: Counter[str] = Counter()
    for character, times in Counter(start).items():
        if character.isalpha():
            found[_script(ord(character))] += times
    if found:
        return max(found, key=lambda script: (found[script], _RANK[script]))
    return SIGNS if start.strip() else EMPTY


def _of_ascii(text: str) -> str:
    if not _LETTERS.isdisjoint(text.encode()):
        return "latin"
    return SIGNS if text.strip() else EMPTY


def _script(code: int) -> str:
    place = bisect_right(_STARTS, code) - 1
    if place >= 0 and code <= _RANGES[place][1]:
        return _RANGES[place][2]
    return OTHER
