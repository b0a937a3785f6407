"""What is exposed, as somebody has seen it last: files beside the tests, so that a change is a diff in a review."""

import difflib
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).parent / "golden"
_WRITE: Final = "GOLDEN"
_CLOSE: Final = 1e-4
"""How far numbers may be off that are no whole ones: processors and libraries round differently."""
_SHOWN: Final = 200
"""Lines of a diff, at most."""


def settled(text: str, names: Mapping[str, str]) -> str:
    """A page with its numbers to six digits, and with names for what is another one elsewhere, such as a version."""
    for this, name in names.items():
        text = text.replace(f'"{this}"', f'"{name}"')
    return "\n".join(line if line.startswith("#") else _settled(line) for line in text.splitlines()) + "\n"


def _settled(line: str) -> str:
    series, _, value = line.rpartition(" ")
    number = float(value)
    if number.is_integer():
        return f"{series} {int(number)}"
    return f"{series} {round(number, 3) if abs(number) > 1e6 else 0 if abs(number) < 1e-12 else f'{number:.6g}'}"


def without_values(text: str) -> str:
    """A page's families and series."""
    return re.sub(r"^([^#\n].*) \S+$", r"\1", text, flags=re.MULTILINE)


def assert_golden(name: str, text: str) -> None:
    """The text is what the file has, numbers aside that differ by no more than rounding; or it is written there."""
    path = DIRECTORY / name
    if os.environ.get(_WRITE) == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    before = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    after = text.splitlines()
    if len(before) == len(after) and all(map(_are_alike, before, after)):
        return
    same = dict(zip(after, after, strict=True)) | {
        new: old for old, new in zip(before, after, strict=False) if _are_alike(old, new)
    }
    diff = list(difflib.unified_diff(before, [same[line] for line in after], "as it was", "as it is", lineterm="", n=0))
    told = "\n".join(diff[:_SHOWN]) + (f"\n... {len(diff) - _SHOWN} lines more" if len(diff) > _SHOWN else "")
    raise AssertionError(f"what is exposed has changed; if it is to be so: make golden\n{told}")


def _are_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    (series, _, value), (name, _, number) = one.rpartition(" "), other.rpartition(" ")
    if series != name or one.startswith("#") or not name:
        return False
    close = 0.0 if abs(float(value)) > 1e6 else _CLOSE
    return math.isclose(float(value), float(number), rel_tol=close, abs_tol=1e-3 if not close else 1e-9)
