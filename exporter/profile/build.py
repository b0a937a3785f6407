"""From a table of training data to a profile: which columns are what, and what people should know about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from exporter.errors import ConfigError, DataError
from exporter.profile import frames, sources, spark
from exporter.profile.builder import ColumnBuilder
from exporter.profile.draft import Draft, Watch, watched
from exporter.profile.files import Dialect, TableFile
from exporter.profile.recount import Recounted, arrange, recount
from exporter.reference import Column, Profile


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


Built = tuple[Profile, list[str]]
"""A profile, and notes for people."""


def build(plan: Plan, watch: Watch | None = None) -> Built:
    """The profile of a table in a file. ConfigError for a wrong plan, DataError for a bad table."""
    draft, names = Draft(plan.kinds), list[str]()
    draft.read(sources.pieces(TableFile(plan.source, plan.dialect), names), names, watch)
    return finish(plan, draft)


def count_like(plan: Plan, reference: Profile, watch: Watch | None = None) -> Recounted:
    """The values of a table in the bins of a profile. ConfigError, DataError."""
    names: list[str] = []
    pieces = sources.pieces(TableFile(plan.source, plan.dialect), names, arrange(reference))
    return recount(reference, watched(pieces, names, watch))


def build_like(plan: Plan, reference: Profile, watch: Watch | None = None) -> Profile:
    """The profile of another table in the bins of one that is there: both can be merged, or compared.

    Columns, model and version are those of the reference. DataError where the table lacks a column.
    """
    found = count_like(plan, reference, watch)
    for column, new in zip((*reference.features, *reference.outputs), (*found.features, *found.outputs), strict=True):
        if new is None:
            raise DataError(f"{plan.source}: no column {column.name!r}, which the profile has")
    return replace(
        reference,
        trained_at=plan.trained_at or reference.trained_at,
        rows=found.rows,
        source=Path(plan.source).name,
        features=tuple(column for column in found.features if column),
        outputs=tuple(column for column in found.outputs if column),
        digest="",
    )


def build_frame(table: object, plan: Plan) -> Built:
    """The profile of a table in memory: a data frame, arrays by name, or batches of them. ConfigError, DataError."""
    draft, names = Draft(plan.kinds), list[str]()
    draft.read(frames.pieces(table, names), names)
    if not draft.rows:
        raise DataError(f"{plan.source}: no rows")
    return finish(plan, draft)


def build_spark(frame: Any, plan: Plan) -> Built:  # noqa: ANN401 (pyspark is an extra)
    """The profile of a DataFrame of Spark, read where its partitions are. ConfigError, DataError."""
    return finish(plan, spark.draft(frame, plan.kinds))


def finish(plan: Plan, draft: Draft) -> Built:
    """The profile of a table that has been read. ConfigError for a wrong plan, DataError for a bad table."""
    builders = draft.columns
    by_name = {builder.name: builder for builder in builders}
    _check_names(plan, by_name)
    outside = {*plan.predictions, *plan.ignored, *([plan.target] if plan.target else [])}
    profile = Profile(
        model=plan.model,
        version=plan.version,
        trained_at=plan.trained_at,
        rows=draft.rows,
        source=Path(plan.source).name,
        features=tuple(_column(plan, one) for one in builders if one.name not in outside),
        outputs=tuple(_column(plan, by_name[name]) for name in plan.predictions),
    )
    if not profile.features:
        raise DataError(f"{plan.source}: no column is left to be a feature")
    return profile, [f"{one.name}: {one.note}" for one in builders if one.note and one.name not in plan.ignored]


def _check_names(plan: Plan, known: dict[str, ColumnBuilder]) -> None:
    asked = [("--prediction", name) for name in plan.predictions]
    asked += [("--ignore", name) for name in plan.ignored] + [("--kind", name) for name in plan.kinds]
    if plan.target:
        asked.append(("--target", plan.target))
    for flag, name in asked:
        if name not in known:
            shown = ", ".join(list(known)[:20]) + (", …" if len(known) > 20 else "")
            raise ConfigError(f"{flag} {name}: {plan.source} has no such column, it has {shown}")
    for index, name in enumerate(plan.predictions):
        if name in plan.predictions[:index]:
            raise ConfigError(f"--prediction {name}: given twice")
        if name == plan.target or name in plan.ignored:
            raise ConfigError(f"--prediction {name}: a prediction cannot be the target or ignored")


def _column(plan: Plan, builder: ColumnBuilder) -> Column:
    try:
        return builder.build()
    except ValueError as error:
        raise DataError(f"{plan.source}: {error}") from None
