"""A table that can be read: a first look at it, and then as often as it takes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from exporter.errors import ConfigError
from exporter.profile import embedded, lists, sources
from exporter.profile.files import TableFile
from exporter.profile.lists import Look, Reader, Widths, spread
from exporter.profile.pieces import Arrange, Piece
from exporter.profile.plan import Plan
from exporter.profile.sample import Groups


@dataclass(frozen=True)
class Table:
    """What can be read, once it was looked at with its lists as columns."""

    raw: Reader
    look: Callable[[bool], Look]
    """Told whether names are worth a whole reading."""
    again: bool
    """Whether it can be read twice."""
    widths: Mapping[str, int] = field(default_factory=dict)

    def read(self, names: list[str], wanted: Arrange) -> Iterator[Piece]:
        """Its pieces; `names` is filled. DataError."""
        return lists.unfolded(self.raw, names, wanted, self.widths)

    def opened(self, source: str) -> "Table":
        """The same, once it is known how wide its lists are. DataError."""
        return replace(self, widths=self.look(False).widths(source, ())) if self.again else self


def of_file(plan: Plan) -> Table:
    """The table in a plan's file."""

    def read(names: list[str], wanted: Arrange, widths: Widths) -> Iterator[Piece]:
        return sources.pieces(TableFile(plan.source, plan.dialect, widths), names, wanted)

    def look(every: bool) -> Look:
        return sources.look(TableFile(plan.source, plan.dialect), every=every)

    return Table(read, look, sources.again(plan.source))


@dataclass(frozen=True)
class Prepared:
    """What is known of a table before it is read."""

    plan: Plan
    """In terms of its columns."""
    widths: Mapping[str, int]
    groups: Groups
    notes: Sequence[str]

    def arrange(self, names: Sequence[str]) -> Sequence[Sequence[str]]:
        """Columns in the first reading: those of an embedding together, and not what is left out."""
        inside = {one for fields in self.groups.values() for one in fields}
        read = {self.plan.target, self.plan.time, self.plan.influenced, *self.plan.segments}
        out = {*self.plan.ignored} - read
        alone = [(name,) for name in names if name not in inside and name not in out]
        return [*alone, *self.groups.values()] if alone or self.groups else [(name,) for name in names]


def prepared(plan: Plan, look: Look) -> Prepared:
    """A plan for a table that was looked at: who names lists means all places. ConfigError, DataError."""
    widths = look.widths(plan.source, plan.ignored)
    one = {name: spread((name,), widths) for name in widths}
    names = spread(look.names, widths)
    ignored = [*spread(plan.ignored, widths), *one.get(plan.target or "", ())]
    kinds = {column: kind for name, kind in plan.kinds.items() for column in one.get(name, (name,))}
    own = replace(plan, predictions=spread(plan.predictions, widths), ignored=ignored, kinds=kinds,
                  target=None if plan.target in one else plan.target)  # fmt: skip
    for name, places in one.items():
        kept = [place for place in places if place not in ignored]
        if 0 < sum(place in own.predictions for place in kept) < len(kept):
            raise ConfigError(
                f"--prediction: some of {name!r} are predictions and some are features: ignore the others"
            )
    outside = {*own.predictions, *ignored, own.target, own.time, own.influenced}
    groups = embedded.grouped(own.embeddings, [name for name in names if name not in outside], widths)
    inside = {field for fields in groups.values() for field in fields}
    return Prepared(own, widths, groups, [*_notes(look, one, inside | outside)])


def _notes(look: Look, places: Mapping[str, Sequence[str]], known: set[str | None]) -> Iterator[str]:
    for name, columns in places.items():
        odd = look.lengths[name].odd()
        if odd:
            yield f"{name}: {odd:,} lists are not of {len(columns):,} numbers, and missing"
        if len(columns) > 1 and known.isdisjoint(columns):
            yield (f"{name}: lists of {len(columns):,} numbers are so many columns; --embedding {name} watches them as "
                   "one vector")  # fmt: skip
