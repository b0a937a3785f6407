"""A profile as it is watched where names are nobody's business: without what is denied, under other names.

What is denied keeps its place among the fields, since payloads without names are told by their positions. A vector or
numeric features that are watched as one go as a whole where a part of them is denied.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

from exporter.adoption import Adoption
from exporter.profile import document
from exporter.reference import Association, Column, Profile
from exporter.scalars.private import DENIED, Private
from exporter.segmentations import Segmented
from exporter.target import Target

_TRUTHS: Final = frozenset(("false", "true"))
_SIDES: Final = ("features", "outputs")
_MOST_KNOWN: Final = 4096


def veiled(profile: Profile, private: Private) -> Profile:
    """The same profile without what `private` denies, and with hashes in place of names; itself where that is alike."""
    found = _Veil(profile, private).profile()
    if document.describe(found) == document.describe(profile):
        return profile
    known = "" if profile.provisional else profile.known_by
    return replace(found, digest=document.digest(found), written=known)


class Veils:
    """Profiles as they are watched; of the last ones it is remembered."""

    def __init__(self, private: Private) -> None:
        self._private = private
        self._known: dict[str, Profile] = {}
        """By digest."""

    def __call__(self, profile: Profile) -> Profile:
        """As `veiled`."""
        found = self._known.get(profile.digest)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[profile.digest] = veiled(profile, self._private)
        return found


class _Veil:
    """What it takes to say what becomes of a profile."""

    def __init__(self, profile: Profile, private: Private) -> None:
        self._profile = profile
        self._private = private
        gone = {one.name for one in profile.embeddings if any(map(private.denies, (one.name, *one.fields)))}
        watched = {column.name for column in self._kept(profile.features, gone)}
        together = profile.together
        if together and (private.denies(together.name) or not watched.issuperset(together.fields)):
            gone.add(together.name)
        self._gone = gone
        self._places = {
            side: [at for at, column in enumerate(getattr(profile, side)) if not self._is_denied(column, gone)]
            for side in _SIDES
        }

    def _is_denied(self, column: Column, gone: Collection[str]) -> bool:
        return self._private.denies(column.name) or self._private.denies(column.field) or column.field in gone

    def _kept(self, columns: Sequence[Column], gone: Collection[str]) -> Iterator[Column]:
        return (column for column in columns if not self._is_denied(column, gone))

    def profile(self) -> Profile:
        """The profile, but for its digest."""
        known, name = self._profile, self._private.name
        features, outputs = (tuple(map(self._column, self._kept(getattr(known, side), self._gone))) for side in _SIDES)
        together = None if known.together is None or known.together.name in self._gone else known.together
        return replace(
            known, features=features, outputs=outputs, fields=self._fields(known.inputs, features),
            answers=self._fields(known.answered.fields, outputs),
            embeddings=tuple(
                one._replace(name=name(one.name), fields=tuple(map(name, one.fields)))
                for one in known.embeddings if one.name not in self._gone
            ),
            together=together and together._replace(
                name=name(together.name), fields=tuple(map(name, together.fields))
            ),
            unusual=known.unusual if len(features) == len(known.features) else None,
            time=known.time and known.time._replace(column=name(known.time.column)),
            adoptions=tuple(self._adoptions()),
            segments=tuple(self._segmented(one) for one in known.segments if not self._private.denies(one.name)),
            replaced=tuple((side, self._column(one)) for side, one in known.replaced if not self._is_gone(side, one)),
            target=known.target and self._target(known.target),
            called=dict(self._called()),
        )  # fmt: skip

    def _target(self, target: Target) -> Target | None:
        """None where the truth is denied, or all that says it; classes are hashed where either of both says so."""
        kept = {one.name: self._name(one) for one in self._kept(self._profile.outputs, self._gone)}
        if self._private.denies(target.column.name) or not {target.label, *target.scores} - {""} <= {*kept}:
            return None
        private, salt, column = self._private, self._private.salt, target.column
        is_open = column.kind == "categorical" and not column.salt
        named = replace(column, name=private.name(column.name))
        if salt and is_open and any(map(private.hashes, (column.name, target.label))):
            categories, others = (tuple(map(salt.name, names)) for names in (column.categories, column.others))
            named = replace(named, categories=categories, others=others, salt=salt.fingerprint)
            target = target._replace(classes=tuple(map(salt.name, target.classes)))
        return target._replace(
            column=named, label=kept.get(target.label, ""), scores=tuple(kept[one] for one in target.scores),
            calibrations=tuple(one._replace(output=kept[one.output]) for one in target.calibrations),
        )  # fmt: skip

    def _is_gone(self, _: str, column: Column) -> bool:
        return self._is_denied(column, self._gone)

    def _fields(self, fields: Sequence[str], columns: Sequence[Column]) -> tuple[str, ...]:
        """Each with a name of its own; none where they are called like the columns."""
        names = map(self._private.name, fields)
        found = tuple(f"{DENIED} {place}" if name == DENIED else name for place, name in enumerate(names))
        return () if found == tuple(column.name for column in columns) else found

    def _column(self, column: Column) -> Column:
        private, name = self._private, self._name(column)
        anew = replace(
            column, name=name, origin=column.origin and private.name(column.origin),
            association=tuple(self._associated(column.association)),
        )  # fmt: skip
        is_open = column.kind == "categorical" and not column.scalar and not column.salt
        salt = private.salt
        if salt is None or not is_open or not (private.hashes(column.name) or private.hashes(column.field)):
            return anew
        categories, others = (tuple(map(salt.name, names)) for names in (column.categories, column.others))
        return replace(anew, categories=categories, others=others, salt=salt.fingerprint)

    def _name(self, column: Column) -> str:
        """What is computed of a field is called like that."""
        origin, private = column.origin, self._private
        if origin and column.name == f"{origin}.{column.scalar}":
            return f"{private.name(origin)}.{column.scalar}"
        return private.name(column.name)

    def _associated(self, found: Sequence[Association]) -> Iterator[Association]:
        kept = {one.name: self._name(one) for one in self._kept(self._profile.outputs, self._gone)}
        return (one._replace(output=kept[one.output]) for one in found if one.output in kept)

    def _adoptions(self) -> Iterator[Adoption]:
        for side in _SIDES:
            kept = {one.name: self._name(one) for one in self._kept(getattr(self._profile, side), self._gone)}
            for one in self._profile.adoptions:
                if one.side == side and one.name in kept:
                    yield one._replace(name=kept[one.name])

    def _segmented(self, one: Segmented) -> Segmented:
        counts = {side: tuple(getattr(one, side)[at] for at in self._places[side]) if getattr(one, side) else ()
                  for side in _SIDES}  # fmt: skip
        salt, values, fingerprint = self._private.salt, one.values, one.salt
        kind = next((column.kind for column in self._profile.features if column.name == one.name), "")
        is_truth = kind == "boolean" or (not kind and _TRUTHS.issuperset(values))
        if salt and self._private.hashes(one.name) and not (one.edges or one.salt or is_truth):
            values, fingerprint = tuple(map(salt.name, values)), salt.fingerprint
        return one._replace(name=self._private.name(one.name), values=values, salt=fingerprint, **counts)

    def _called(self) -> Iterator[tuple[str, str]]:
        known, places = self._profile, (self._profile.inputs, self._profile.answered.fields)
        for fields, shown in zip(places, (self._fields(one, ()) for one in places), strict=True):
            yield from zip(shown, fields, strict=True)
        yield from ((self._private.name(one.name), one.name) for one in known.embeddings)
        for side in _SIDES:
            yield from ((self._name(one), one.name) for one in self._kept(getattr(known, side), self._gone))
