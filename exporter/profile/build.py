"""From a table of training data to a profile: which columns are what, and what people should know about it.

A table is read twice where it can be: once for the bins, and once more to count columns against time and answers.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from exporter.errors import ConfigError, DataError
from exporter.profile import aimed, embedded, frames, segmented, sources, spark, together, whole
from exporter.profile.builder import DECLARED, ColumnBuilder
from exporter.profile.clock import Clock, faults_of
from exporter.profile.draft import Draft, Pass, Time, Watch, watched
from exporter.profile.joint import Joint
from exporter.profile.lists import Look
from exporter.profile.plan import Plan, require_salt
from exporter.profile.recount import Recounted, arrange, recount
from exporter.profile.table import Table, of_file, prepared
from exporter.reference import Column, Profile

__all__ = ["Built", "Plan", "build", "build_frame", "build_like", "build_spark", "count_like", "finish"]

_ONCE: Final = (
    "the table can be read only once: nothing is known of its hours and segments, nor of how features and answers go"
    " together"
)


Built = tuple[Profile, list[str]]
"""A profile, and notes for people."""


def build(plan: Plan, watch: Watch | None = None) -> Built:
    """The profile of a table in a file. ConfigError for a wrong plan, DataError for a bad table."""
    with sources.unchanged(plan.source):
        return _built(plan, of_file(plan), watch)


def build_frame(table: object, plan: Plan) -> Built:
    """The profile of a table in memory: a data frame, arrays by name, or batches of them. ConfigError, DataError.

    An iterator of batches is read once, which leaves out what columns have to do with each other.
    """
    read = partial(frames.pieces, table)
    return _built(plan, Table(read, lambda _: frames.look(table), frames.again(table)), None)


def build_spark(frame: Any, plan: Plan) -> Built:  # noqa: ANN401 (pyspark is an extra)
    """The profile of a DataFrame of Spark, read where its partitions are. ConfigError, DataError."""
    _require_whole_rows(plan)
    frame = spark.plain(frame)
    ready = prepared(plan, spark.look(frame))
    with faults_of(plan.source):
        draft = spark.draft(frame, ready, Draft(_kinds(ready.plan), _time(plan), ready.groups))
        profile, notes = finish(ready.plan, draft)
        joint = spark.joint(frame, ready, Joint(profile, draft.calendar, plan.salt, together=plan.together))
    return _noted(plan, _whole(plan, joint, draft), [*notes, *ready.notes])


def count_like(plan: Plan, reference: Profile, watch: Watch | None = None) -> Recounted:
    """The values of a table in the bins of a profile. ConfigError, DataError."""
    names: list[str] = []
    require_salt(plan, reference)
    pieces = of_file(plan).opened(plan.source).read(names, arrange(reference))
    return recount(reference, watched(pieces, names, watch), plan.salt)


def build_like(plan: Plan, reference: Profile, watch: Watch | None = None) -> Profile:
    """The profile of another table in the bins of one that is there: both can be merged, or compared.

    Columns, model and version are those of the reference, as is the column of time. DataError where the table lacks a
    column. What was adopted is not taken over.
    """
    require_salt(plan, reference)
    table = of_file(plan).opened(plan.source)
    bare = replace(reference, source=Path(plan.source).name, provisional=False, adoptions=(),
                   trained_at=plan.trained_at or reference.trained_at, performance=plan.performance)  # fmt: skip
    first = Pass(watch, 0, 2) if reference.time or plan.influenced else None
    with faults_of(plan.source), sources.unchanged(plan.source):
        draft = _first_look(plan, bare, table, first)
        joint, names = Joint(bare, draft.calendar, plan.salt, anew=True), list[str]()
        joint.read(watched(table.read(names, joint.arrange), names, Pass(watch, 1, 2) if first else watch))
    whole.require_columns(plan.source, names, joint.fields())
    counted = replace(joint.completed(), rows=joint.rows)
    if not plan.performance:
        counted = replace(counted, performance={**reference.performance, **counted.performance})
    span = whole.span(draft, plan.source, bare.time.column, bare.time.zone) if bare.time else None
    influenced = whole.influenced(draft, plan.source, plan.influenced) if plan.influenced else None
    return whole.complete(replace(counted, time=span, influenced=influenced), {})


def _first_look(plan: Plan, reference: Profile, table: Table, watch: Watch | None) -> Draft:
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


def _require_whole_rows(plan: Plan) -> None:
    """ConfigError where what is computed of rows would have to be counted by segment."""
    if plan.together and plan.segments:
        raise ConfigError("--together: cannot be counted by segment yet, leave out --segment or this")


def _built(given: Plan, table: Table, watch: Watch | None) -> Built:
    _require_whole_rows(given)
    if given.embeddings and not table.again:
        raise ConfigError(
            f"--embedding: {given.source} can be read only once, and an embedding takes several readings: "
            "give a file, or a list of batches"
        )
    ready = prepared(given, table.look(bool(given.embeddings)) if table.again else Look([], {}))
    plan, table = ready.plan, replace(table, widths=ready.widths)
    draft, names = Draft(_kinds(plan), _time(plan), ready.groups), list[str]()
    passes = 2 if table.again else 1
    with faults_of(plan.source):
        draft.read(table.read(names, ready.arrange), names, Pass(watch, 0, passes))
    if not draft.rows:
        raise DataError(f"{plan.source}: no rows")
    profile, notes = finish(plan, draft)
    if not table.again:
        return _noted(plan, whole.complete(replace(profile, segments=()), plan.importance), [*notes, _ONCE])
    joint, names = Joint(profile, draft.calendar, plan.salt, together=plan.together), []
    with faults_of(plan.source):
        joint.read(watched(table.read(names, joint.arrange), names, Pass(watch, 1, passes)))
    return _noted(plan, _whole(plan, joint, draft), [*notes, *ready.notes])


def _noted(plan: Plan, profile: Profile, notes: list[str]) -> Built:
    """With what was asked for and could not be had."""
    why = together.note(profile) if plan.together else ""
    return profile, [*notes, why] if why else notes


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


def finish(plan: Plan, draft: Draft) -> Built:
    """The profile of a table that has been read once. ConfigError for a wrong plan, DataError for a bad table."""
    builders = draft.columns
    by_name = {builder.name: builder for builder in builders}
    _check_names(plan, draft)
    outside = {*plan.predictions, *plan.ignored, *(name for name in (plan.target, plan.time, plan.influenced) if name)}
    inside = [name for name in draft.order if name not in outside]
    made = _embeddings(plan, draft)
    features = tuple(column for name in inside for column in _features(plan, name, by_name, made))
    outputs = tuple(column for name in plan.predictions for column in _columns(plan, by_name[name]))
    aim = aimed.of_plan(plan, by_name[plan.target], outputs) if plan.target in by_name else aimed.NOTHING
    profile = Profile(
        model=plan.model,
        version=plan.version,
        trained_at=plan.trained_at,
        rows=draft.rows,
        source=Path(plan.source).name,
        features=features,
        outputs=outputs,
        fields=tuple(inside) if any(column.origin for column in features) else (),
        embeddings=tuple(one.embedding for one in made.values()),
        time=whole.span(draft, plan.source, plan.time, plan.zone) if plan.time else None,
        influenced=whole.influenced(draft, plan.source, plan.influenced) if plan.influenced else None,
        performance=dict(plan.performance),
        segments=tuple(segmented.of_plan(plan, lambda name: (_columns(plan, by_name[name])[0], by_name[name].note))),
        target=aim.target,
    )
    if not profile.features:
        raise DataError(f"{plan.source}: no column is left to be a feature")
    for name, times in Counter(column.name for column in features).items():
        if times > 1:
            raise DataError(f"{plan.source}: {name!r} is a column, and computed of another: rename one")
    notes = [f"{one.name}: {one.note}" for one in builders if one.note and one.name not in plan.ignored]
    return profile, [*notes, *([aim.note] if aim.note else []), *whole.notes(draft)]


def _embeddings(plan: Plan, draft: Draft) -> dict[str, embedded.Made]:
    try:
        return embedded.made(draft.groups, draft.samples)
    except DataError as error:
        raise DataError(f"{plan.source}: {error}") from None


def _features(
    plan: Plan, name: str, builders: Mapping[str, ColumnBuilder], made: Mapping[str, embedded.Made]
) -> tuple[Column, ...]:
    """Those that a column of the table becomes; an embedding stands where the first of its columns does."""
    if name in made:
        return made[name].columns
    return _columns(plan, builders[name]) if name in builders else ()


def _check_names(plan: Plan, draft: Draft) -> None:
    known = draft.order
    asked = [("--prediction", name) for name in plan.predictions]
    asked += [("--ignore", name) for name in plan.ignored] + [("--kind", name) for name in plan.kinds]
    asked += [("--segment", name) for name in plan.segments]
    single = (("--target", plan.target), ("--time", plan.time), ("--influenced", plan.influenced))
    asked += [(flag, name) for flag, name in single if name] + [("--hash", name) for name in plan.hashed]
    for flag, name in asked:
        if name not in known:
            shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
            raise ConfigError(f"{flag} {name}: {plan.source} has no such column, it has {shown}")
    _check_hashed(plan)
    segmented.check(plan, {field for fields in draft.groups.values() for field in fields})
    for field in (field for fields in draft.groups.values() for field in fields):
        if plan.kinds.get(field, "numeric") != "numeric":
            raise ConfigError(f"--kind {field}: an embedding is of numbers, and it is declared {plan.kinds[field]}")
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
