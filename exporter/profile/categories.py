"""Categories of a column, those that may be written down and those that must not."""

import re
from collections import Counter
from typing import Final

from exporter.profile.parsing import is_text
from exporter.reference import Column
from exporter.scalars.salted import Salt

MOST_CATEGORIES: Final = 20
MOST_OTHERS: Final = 1000
MOST: Final = MOST_CATEGORIES + MOST_OTHERS
LEAST_CATEGORY_ROWS: Final = 10
"""A rarer category is not written down: a profile must not identify anybody."""
_LONGEST_CATEGORY: Final = 1024
_EMAIL: Final = re.compile(r"[^@\s]@[^@\s]+\.[^@\s]")
_CARD: Final = re.compile(r"[0-9](?:[ -]?[0-9]){12,18}")
RARE: Final = f"that fewer than {LEAST_CATEGORY_ROWS} rows have, as identifiers are"
_REFUSALS: Final = (
    RARE, "that look like e-mail addresses", "that look like numbers of payment cards", "too long",
    "that are no text (half a surrogate pair)",
)  # fmt: skip
"""Why a value is refused, the most common reason first."""


def refusal(name: str, rows: int) -> str:
    """Why a value may not stand in a profile, where it must not; nothing else."""
    if _EMAIL.search(name):
        return _REFUSALS[1]
    if _CARD.fullmatch(name.strip()) and _is_card(name):
        return _REFUSALS[2]
    if rows < LEAST_CATEGORY_ROWS:
        return RARE
    if len(name) > _LONGEST_CATEGORY:
        return _REFUSALS[3]
    return "" if is_text(name) else _REFUSALS[4]


def refused(names: Counter[str]) -> Counter[str]:
    """Rows whose value may not stand in a profile, by why."""
    found: Counter[str] = Counter()
    for name, rows in names.items():
        why = refusal(name, rows)
        if why:
            found[why] += rows
    return found


def rare(names: Counter[str]) -> Counter[str]:
    """As `refused`, of hashed categories: a hash names nobody, unless one knows whose it may be."""
    return Counter({RARE: sum(rows for rows in names.values() if rows < LEAST_CATEGORY_ROWS)})


def in_words(rows: Counter[str]) -> str:
    """Rows by why they were refused, for people."""
    return ", ".join(f"{rows[why]} rows hold values {why}" for why in _REFUSALS if rows[why])


def column(name: str, kind: str, names: Counter[str], missing: int, salt: Salt | None = None) -> Column:
    """The reference of a column of categories; what may not be written down is expected as unseen."""
    if salt is None:
        known = [(one, rows) for one, rows in names.items() if not refusal(one, rows)]
    else:
        known = [(salt.name(one), rows) for one, rows in names.items() if rows >= LEAST_CATEGORY_ROWS]
    known.sort(key=lambda item: (-item[1], item[0]))
    if kind == "boolean":
        known = [(truth, names.get(truth, 0)) for truth in ("false", "true")]
    listed, others = known[:MOST_CATEGORIES], known[MOST_CATEGORIES : MOST_CATEGORIES + MOST_OTHERS]
    other = sum(rows for _, rows in others)
    unseen = names.total() - sum(rows for _, rows in listed) - other
    return Column(
        name, kind, (*(rows for _, rows in listed), other, unseen, missing),
        categories=tuple(one for one, _ in listed), others=tuple(one for one, _ in others),
        salt=salt.fingerprint if salt else "",
    )  # fmt: skip


def _is_card(name: str) -> bool:
    """The check digit of payment cards (Luhn)."""
    digits = [int(letter) for letter in reversed(name) if letter.isdigit()]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0
