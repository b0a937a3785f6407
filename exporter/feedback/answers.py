"""Answers of calls as servers keep them for whoever asks again: text, and back. No I/O, no clock."""

import json
from collections.abc import Sequence

from exporter.truths import OUTCOMES, Owner, Told


def of_told(told: Sequence[Told]) -> str:
    """Owners once, then for each truth the place of its outcome, the detail, and places of owners."""
    places: dict[Owner, int] = {}
    rows = [
        [OUTCOMES.index(one.outcome), one.detail, *(places.setdefault(owner, len(places)) for owner in one.owners)]
        for one in told
    ]
    return json.dumps([list(places), rows], separators=(",", ":"))


def told(answer: bytes | str) -> list[Told]:
    """As it was."""
    listed, rows = json.loads(answer)
    owners = [Owner(*one) for one in listed]
    return [Told(OUTCOMES[row[0]], tuple(owners[place] for place in row[2:]), row[1]) for row in rows]
