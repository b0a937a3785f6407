"""Which fields of payloads may be shown, and how: as they are, hashed, or not at all.

What is of a field without a name, as bare arrays have them, is judged by the profile's name for its place. Where there
is none either, nobody can tell, and it is shown only where everything is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from exporter.decode.turned import Turned
from exporter.privacy import Patterns
from exporter.records import Columns, Table
from exporter.reference import Profile
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt

_MOST_KEPT: Final = 256
_CHARACTERS_KEPT: Final = 1 << 16
"""Of the names of one table: plans of longer ones are made each time, so that memory stays small."""
_HASHED: Final = "h_"
Row = dict[str, Any]


class Said(NamedTuple):
    """What settings say."""

    allow: Sequence[str] = ()
    """All where empty."""
    deny: Sequence[str] = ()
    hash: Sequence[str] = ()
    """Those whose values are hashed."""


class _Plan(NamedTuple):
    """Of tables that have the same names."""

    names: tuple[str, ...]
    """As they are shown."""
    pick: Callable[[Sequence[Any]], Sequence[Any]] | None
    """Takes them out of a row; None where that is the row as it is."""
    hashed: tuple[int, ...]
    """Those of `names` whose values are hashed, by place."""


_NOTHING: Final = _Plan((), None, ())


class Fields:
    """Of the payloads of all models."""

    def __init__(self, said: Said, salt: Salt | None, private: Private | None) -> None:
        """`private` is what counts wherever anything is shown."""
        self._allow = Patterns(said.allow) if said.allow and "*" not in said.allow else None
        self._deny, self._hash = Patterns(said.deny), Patterns(said.hash if salt else ())
        self._salt, self._private = salt, private
        self._shows_all = self._allow is None and not (said.deny or said.hash or private)
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}
        self._originals: dict[str, Mapping[str, str]] = {}

    def shows(self, name: str) -> bool:
        """Whether anything of a field may be shown, by what people call it."""
        if self._private is not None and self._private.denies(name):
            return False
        return not self._deny.fit(name) and (self._allow is None or self._allow.fit(name))

    def hashes(self, name: str) -> bool:
        """Whether values of a field are hashed."""
        return self._hash.fit(name) or (self._private is not None and self._private.hashes(name))

    def shows_as_it_is(self, name: str) -> bool:
        """Whether what a field holds may be shown, whatever it is."""
        return self.shows(name) and not self.hashes(name)

    def shows_column(self, profile: Profile | None, column: str) -> bool:
        """Whether anything of a column may be shown that is called so here, by what people call its field."""
        if profile is None or self._shows_all:
            return True
        names = self._originals.get(profile.digest)
        if names is None:
            if len(self._originals) >= _MOST_KEPT:
                self._originals.clear()
            names = self._originals[profile.digest] = _originals(profile)
        return self.shows(names.get(column, column))

    def rows(self, table: Table, profile: Profile | None, side: str, most: int) -> list[Row]:
        """The first rows of a table, by name; empty where nothing of it may be shown."""
        plan = self._plan_of(table, profile, side)
        if not plan.names:
            return []
        names, pick = plan.names, plan.pick
        rows = cells(table.columns, most)
        found = [dict(zip(names, row if pick is None else pick(row), strict=True)) for row in rows]
        for at in plan.hashed:
            for row in found:
                row[names[at]] = self._hashed(row[names[at]])
        return found

    def _hashed(self, value: object) -> str | None:
        if value is None or self._salt is None:
            return None
        text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
        return f"{_HASHED}{self._salt.name(text)}"

    def _plan_of(self, table: Table, profile: Profile | None, side: str) -> _Plan:
        if table.names is not None and (self._shows_all or len(table.names) > 1):
            return self._plan(table.names)
        known = self._known_to(profile, side)
        if table.names is None:
            if len(known) == len(table.columns):
                return self._plan(known)
            return self._plan(tuple(map(str, range(len(table.columns))))) if self._shows_all else _NOTHING
        plan = self._plan(table.names)
        if len(known) != 1 or not plan.names:
            return plan
        # A server's word for its only answer is rarely that of the profile, which counts as well.
        if not self.shows(known[0]):
            return _NOTHING
        return plan._replace(hashed=(0,)) if self.hashes(known[0]) else plan

    def _known_to(self, profile: Profile | None, side: str) -> tuple[str, ...]:
        """What people call the fields of a side, in order."""
        if profile is None:
            return ()
        found = self._known.get((profile.digest, side))
        if found is None:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            found = self._known[profile.digest, side] = _known(profile, side)
        return found

    def _plan(self, names: tuple[str, ...]) -> _Plan:
        found = self._plans.get(names)
        if found is None:
            found = self._made(names)
            if sum(map(len, names)) <= _CHARACTERS_KEPT:
                if len(self._plans) >= _MOST_KEPT:
                    self._plans.clear()
                self._plans[names] = found
        return found

    def _made(self, names: tuple[str, ...]) -> _Plan:
        places = [place for place, name in enumerate(names) if self.shows(name)]
        shown = tuple(self._called(names[place]) for place in places)
        hashed = tuple(at for at, place in enumerate(places) if self.hashes(names[place]))
        return _Plan(shown, None if len(places) == len(names) else _picker(places), hashed)

    def _called(self, name: str) -> str:
        return self._private.name(name) if self._private is not None else name


def _known(profile: Profile, side: str) -> tuple[str, ...]:
    fields = profile.asked.fields if side == "feature" else profile.answered.fields
    return tuple(profile.called.get(field, field) for field in fields)


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: [row[place] for place in places]


def cells(columns: Columns, most: int) -> Iterator[Sequence[Any]] | Sequence[Sequence[Any]]:
    """The first rows of some columns, cells being those of JSON."""
    if isinstance(columns, Turned):
        rows = columns.rows[:most]
        return rows.tolist() if isinstance(rows, np.ndarray) else rows
    return zip(*(column[:most] for column in columns), strict=True)


def _originals(profile: Profile) -> Mapping[str, str]:
    """What people call the fields behind columns, by what columns are called here."""
    called = profile.called
    columns = (*profile.features, *profile.outputs)
    return {one.name: called.get(one.field, one.field) for one in columns}
