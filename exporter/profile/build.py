"""From a table of training data to a profile: which columns are what, and what people should know about it.

A table is read twice where it can be: once for the bins, and once more to count columns against time and answers.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from exporter.errors import ConfigError, DataError
from exporter.profile import embedded, frames, sources, spark, whole
from exporter.profile.builder import DECLARED, ColumnBuilder
from exporter.profile.clock import Clock, NoTime
from exporter.profile.draft import Draft, Time, Watch, watched
from exporter.profile.files import Dialect, TableFile
from exporter.profile.joint import Joint
from exporter.profile.pieces import Arrange, Piece, as_it_comes
from exporter.profile.recount import Recounted, arrange, recount
from exporter.reference import Column, Profile
from exporter.scalars.salted import Salt

_ONCE: Final = (
    "the table can be read only once: nothing is known of its hours, nor of how features and answers go together"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the person who builds the profile says about the table."""

    source: str = "a data frame"
    """The file; of a table in memory what the profile says it was made from."""
    predictions: Sequence[str] = ()
    """Columns the model answers with, in the order of its answer."""
    target: str | None = None
    """The column of the truth: neither fed to the model nor answered."""
    ignored: Sequence[str] = ()
    model: str = "default"
    version: str = "unknown"
    trained_at: float | None = None
    """Unix time."""
    kinds: dict[str, str] = field(default_factory=dict)
    """Declared kinds by column; the others are inferred."""
    dialect: Dialect = field(default_factory=Dialect)
    """Of a text file."""
    time: str | None = None
    """The column that says when a row is from; it is no feature."""
    zone: str = "UTC"
    """IANA name of the zone of its times without one, and of the hours of the week."""
    influenced: str | None = None
    """The column that says whether the model itself had influenced a row; it is no feature."""
    importance: Mapping[str, float] = field(default_factory=dict)
    """Of features, on any scale; estimated where nothing is said."""
    performance: Mapping[str, float] = field(default_factory=dict)
    """Measures of the training, by whatever name."""
    hashed: Sequence[str] = ()
    """Columns whose categories are written as their hashes under the salt."""
    salt: Salt | None = None
    embeddings: Mapping[str, str] = field(default_factory=dict)
    """Names of embeddings, and patterns of the columns that are their dimensions; * stands for anything."""


Built = tuple[Profile, list[str]]
"""A profile, and notes for people."""


class _Table(NamedTuple):
    """What can be read."""

    read: Callable[[list[str], Arrange], Iterator[Piece]]
    again: bool
    """Whether it can be read twice."""


def build(plan: Plan, watch: Watch | None = None) -> Built:
    """The profile of a table in a file. ConfigError for a wrong plan, DataError for a bad table."""
    with sources.unchanged(plan.source):
        return _built(plan, _of_file(plan), watch)


def build_frame(table: object, plan: Plan) -> Built:
    """The profile of a table in memory: a data frame, arrays by name, or batches of them. ConfigError, DataError.

    An iterator of batches is read once, which leaves out what columns have to do with each other.
    """
    return _built(plan, _Table(lambda names, wanted: frames.pieces(table, names, wanted), frames.again(table)), None)


def build_spark(frame: Any, plan: Plan) -> Built:  # noqa: ANN401 (pyspark is an extra)
    """The profile of a DataFrame of Spark, read where its partitions are. ConfigError, DataError."""
    if plan.embeddings:
        raise ConfigError("--embedding: is not made of a DataFrame of Spark")
    with _faults_of(plan):
        draft = spark.draft(frame, _kinds(plan), _time(plan))
        profile, notes = finish(plan, draft)
        joint = spark.joint(frame, profile, draft.calendar, plan.salt)
    return _whole(plan, joint, draft), notes


def count_like(plan: Plan, reference: Profile, watch: Watch | None = None) -> Recounted:
    """The values of a table in the bins of a profile. ConfigError, DataError."""
    names: list[str] = []
    _require_salt(plan, reference)
    return recount(reference, watched(_of_file(plan).read(names, arrange(reference)), names, watch), plan.salt)


def _require_salt(plan: Plan, reference: Profile) -> None:
    """ConfigError where categories cannot be hashed as those of the profile are."""
    column = reference.salted_otherwise(plan.salt.fingerprint if plan.salt else "")
    if column is not None:
        words = "is of another salt" if plan.salt else "is needed"
        raise ConfigError(f"--salt-file: {words}: the profile has hashes of the categories of {column.name!r}")


def build_like(plan: Plan, reference: Profile, watch: Watch | None = None) -> Profile:
    """The profile of another table in the bins of one that is there: both can be merged, or compared.

    Columns, model and version are those of the reference, as is the column of time. DataError where the table lacks a
    column. What was adopted is not taken over.
    """
    _require_salt(plan, reference)
    table = _of_file(plan)
    bare = replace(reference, source=Path(plan.source).name, provisional=False, adoptions=(),
                   trained_at=plan.trained_at or reference.trained_at,
                   performance=plan.performance or reference.performance)  # fmt: skip
    first = _Pass(watch, 0, 2) if reference.time or plan.influenced else None
    with _faults_of(plan), sources.unchanged(plan.source):
        draft = _first_look(plan, bare, table, first)
        joint, names = Joint(bare, draft.calendar, plan.salt, anew=True), list[str]()
        joint.read(watched(table.read(names, joint.arrange), names, _Pass(watch, 1, 2) if first else watch))
    whole.require_columns(plan.source, names, joint.fields())
    counted = replace(joint.completed(), rows=joint.rows)
    span = whole.span(draft, plan.source, bare.time.column, bare.time.zone) if bare.time else None
    influenced = whole.influenced(draft, plan.source, plan.influenced) if plan.influenced else None
    return whole.complete(replace(counted, time=span, influenced=influenced), {})


def _first_look(plan: Plan, reference: Profile, table: _Table, watch: Watch | None) -> Draft:
    """At the columns that say more of a row than its values, where the profile has some."""
    time = Time(reference.time.column, Clock(reference.time.zone)) if reference.time else None
    draft, names = Draft({plan.influenced: "boolean"} if plan.influenced else {}, time), list[str]()
    wanted = [(name,) for name in (time.column if time else None, plan.influenced) if name]
    if wanted:
        if not table.again:
            raise ConfigError(
                f"{plan.source}: must be a file, which can be read twice, because of column {wanted[0][0]!r}"
            )
        draft.read(table.read(names, lambda _: wanted), names, watch)
        whole.require_columns(plan.source, names, wanted)
    return draft


def _of_file(plan: Plan) -> _Table:
    def read(names: list[str], wanted: Arrange) -> Iterator[Piece]:
        return sources.pieces(TableFile(plan.source, plan.dialect), names, wanted)

    return _Table(read, sources.again(plan.source))


def _built(plan: Plan, table: _Table, watch: Watch | None) -> Built:
    draft, names = Draft(_kinds(plan), _time(plan)), list[str]()
    passes = 2 if table.again else 1
    with _faults_of(plan):
        draft.read(table.read(names, as_it_comes), names, _Pass(watch, 0, passes))
    if not draft.rows:
        raise DataError(f"{plan.source}: no rows")
    profile, notes = finish(plan, draft)
    profile = _with_embeddings(plan, profile, table)
    if not table.again:
        return whole.complete(profile, plan.importance), [*notes, _ONCE]
    joint, names = Joint(profile, draft.calendar, plan.salt), []
    with _faults_of(plan):
        joint.read(watched(table.read(names, joint.arrange), names, _Pass(watch, 1, passes)))
    return _whole(plan, joint, draft), notes


def _with_embeddings(plan: Plan, profile: Profile, table: _Table) -> Profile:
    """The profile with its embeddings, for whose sample the table is read once more."""
    groups = embedded.grouped(plan.embeddings, profile.inputs)
    if not groups:
        return profile
    if not table.again:
        raise ConfigError("--embedding: the table can be read only once, and an embedding takes more")
    samples = embedded.sampled(groups, table.read([], lambda _: list(groups.values())))
    try:
        return embedded.with_embeddings(profile, groups, samples)
    except DataError as error:
        raise DataError(f"{plan.source}: {error}") from None


def _whole(plan: Plan, joint: Joint, draft: Draft) -> Profile:
    if joint.rows != draft.rows:
        raise DataError(f"{plan.source}: had {draft.rows:,} rows, and {joint.rows:,} when it was read again")
    return whole.complete(embedded.closed(joint.completed()), plan.importance)


def _kinds(plan: Plan) -> dict[str, str]:
    """Declared ones: what is hashed is categorical. ConfigError where nobody can declare one."""
    for name, kind in plan.kinds.items():
        if kind not in DECLARED:
            raise ConfigError(f"--kind {name}={kind}: must be COLUMN=KIND with a kind of {', '.join(DECLARED)}")
    influenced = {plan.influenced: "boolean"} if plan.influenced else {}
    return plan.kinds | dict.fromkeys(plan.hashed, "categorical") | influenced


def _time(plan: Plan) -> Time | None:
    return Time(plan.time, Clock(plan.zone)) if plan.time else None


@contextmanager
def _faults_of(plan: Plan) -> Iterator[None]:
    """A fault in a column is one of the table."""
    try:
        yield
    except NoTime as fault:
        raise DataError(f"{plan.source}: {fault}") from None


class _Pass:
    """Tells somebody how far one of several readings of a table is."""

    def __init__(self, watch: Watch | None, number: int, of: int) -> None:
        self._watch, self._number, self._of = watch, number, of

    def __call__(self, done: float, rows: int) -> None:
        """Take the share that is done of this reading, and its rows."""
        if self._watch is None:
            return
        so_far = (self._number + done) / self._of
        self._watch(so_far, round(rows * so_far / done) if done else rows)


def finish(plan: Plan, draft: Draft) -> Built:
    """The profile of a table that has been read once. ConfigError for a wrong plan, DataError for a bad table."""
    builders = draft.columns
    by_name = {builder.name: builder for builder in builders}
    _check_names(plan, [*by_name, *([plan.time] if plan.time and draft.calendar.rows else [])])
    keys = {name for name in (plan.target, plan.time, plan.influenced) if name}
    outside = {*plan.predictions, *plan.ignored, *keys}
    inside = [one for one in builders if one.name not in outside]
    features = tuple(column for one in inside for column in _columns(plan, one))
    profile = Profile(
        model=plan.model,
        version=plan.version,
        trained_at=plan.trained_at,
        rows=draft.rows,
        source=Path(plan.source).name,
        features=features,
        outputs=tuple(column for name in plan.predictions for column in _columns(plan, by_name[name])),
        fields=tuple(one.name for one in inside) if any(column.origin for column in features) else (),
        time=whole.span(draft, plan.source, plan.time, plan.zone) if plan.time else None,
        influenced=whole.influenced(draft, plan.source, plan.influenced) if plan.influenced else None,
        performance=dict(plan.performance),
    )
    if not profile.features:
        raise DataError(f"{plan.source}: no column is left to be a feature")
    for name, times in Counter(column.name for column in features).items():
        if times > 1:
            raise DataError(f"{plan.source}: {name!r} is a column, and computed of another: rename one")
    notes = [f"{one.name}: {one.note}" for one in builders if one.note and one.name not in plan.ignored]
    return profile, [*notes, *whole.notes(draft)]


def _check_names(plan: Plan, known: list[str]) -> None:
    asked = [("--prediction", name) for name in plan.predictions]
    asked += [("--ignore", name) for name in plan.ignored] + [("--kind", name) for name in plan.kinds]
    single = (("--target", plan.target), ("--time", plan.time), ("--influenced", plan.influenced))
    asked += [(flag, name) for flag, name in single if name] + [("--hash", name) for name in plan.hashed]
    for flag, name in asked:
        if name not in known:
            shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
            raise ConfigError(f"{flag} {name}: {plan.source} has no such column, it has {shown}")
    _check_hashed(plan)
    for index, name in enumerate(plan.predictions):
        if name in plan.predictions[:index]:
            raise ConfigError(f"--prediction {name}: given twice")
        if name == plan.target or name in plan.ignored:
            raise ConfigError(f"--prediction {name}: a prediction cannot be the target or ignored")
        if name in {plan.time, plan.influenced}:
            raise ConfigError(f"--prediction {name}: a prediction can be neither the time nor the flag of influence")
    if plan.time and plan.time == plan.influenced:
        raise ConfigError(f"--influenced {plan.influenced}: is the column of time")


def _check_hashed(plan: Plan) -> None:
    if plan.hashed and plan.salt is None:
        raise ConfigError("--hash: needs a salt, --salt-file FILE")
    for name in plan.hashed:
        if plan.kinds.get(name, "categorical") != "categorical":
            raise ConfigError(f"--hash {name}: only categories are hashed, and it is declared {plan.kinds[name]}")


def _columns(plan: Plan, builder: ColumnBuilder) -> tuple[Column, ...]:
    try:
        return builder.build(plan.salt if builder.name in plan.hashed else None)
    except ValueError as error:
        raise DataError(f"{plan.source}: {error}") from None
