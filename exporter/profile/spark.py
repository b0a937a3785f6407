"""A DataFrame of Spark: every partition is summarised where it is, and only summaries travel. Needs the extra `spark`.

This package must be installed where Spark's workers run. Columns are read as Arrow has them, as those of a Parquet file
are: the same rows give the same profile.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from exporter.errors import DataError
from exporter.profile import arrow_cells
from exporter.profile.calendar import Calendar
from exporter.profile.clock import NoTime
from exporter.profile.draft import Draft, Time
from exporter.profile.headers import check_names
from exporter.profile.joint import Joint
from exporter.profile.pieces import Arrange, Piece, as_it_comes, chosen
from exporter.reference import Profile
from exporter.scalars.salted import Salt

_MERGERS: Final = 16
"""Tasks that merge the partitions' summaries, so that the driver holds no more than so many."""
_SCHEMA: Final = "summary binary"
_WHERE: Final = "the DataFrame"
_FAULT: Final = "one of its partitions"
Summary = Draft | Joint
"""Of a part of the rows."""


def draft(frame: Any, kinds: Mapping[str, str], time: Time | None = None) -> Draft:  # noqa: ANN401 (pyspark has its own types)
    """The draft of all rows of a DataFrame. DataError where there are none, or two columns of one name."""
    check_names(list(frame.columns), _WHERE)
    kinds = dict(kinds)
    found = _folded(frame, lambda: Draft(kinds, time), as_it_comes)
    if not isinstance(found, Draft) or not found.rows:
        raise DataError(f"{_WHERE}: no rows")
    return found


def joint(frame: Any, profile: Profile, calendar: Calendar, salt: Salt | None) -> Joint:  # noqa: ANN401
    """The second pass over all rows of a DataFrame."""
    groups = Joint(profile, calendar, salt).fields()
    found = _folded(frame, lambda: Joint(profile, calendar, salt), lambda _: groups)
    return found if isinstance(found, Joint) else Joint(profile, calendar, salt)


def _folded(frame: Any, start: Callable[[], Summary], arrange: Arrange) -> Summary | None:  # noqa: ANN401
    """What the partitions hold together; None where they hold nothing."""
    summaries = frame.mapInArrow(_summarise(start, arrange), _SCHEMA)
    merged = summaries.repartition(_MERGERS).mapInArrow(_merge, _SCHEMA).collect()
    return _sum(row[0] for row in merged)


def _summarise(start: Callable[[], Summary], arrange: Arrange) -> Callable[[Iterator[Any]], Iterator[Any]]:
    def summarise(batches: Iterator[Any]) -> Iterator[Any]:
        part, names = start(), list[str]()
        pieces = _pieces(batches, names, arrange)
        try:
            if isinstance(part, Draft):
                part.read(pieces, names)
            else:
                part.read(pieces)
        except (NoTime, DataError) as fault:
            yield _packed(str(fault))
        else:
            if part.rows:  # an empty partition knows no columns
                yield _packed(part)

    return summarise


def _pieces(batches: Iterator[Any], names: list[str], arrange: Arrange) -> Iterator[Piece]:
    run = 0
    for batch in batches:
        names += [] if names else batch.schema.names
        yield from arrow_cells.runs(batch, names, chosen(arrange, names, _WHERE), run)
        run += arrow_cells.run_count(batch, names)


def _merge(batches: Iterator[Any]) -> Iterator[Any]:
    try:
        whole = _sum(packed for batch in batches for packed in batch.column(0).to_pylist())
    except DataError as fault:
        yield _packed(str(fault))
    else:
        if whole is not None:
            yield _packed(whole)


def _sum(packed: Iterable[bytes]) -> Summary | None:
    """Of several summaries. DataError where one of them is a fault instead."""
    whole: Any = None
    for one in map(pickle.loads, packed):  # what our own code wrote on Spark's workers
        if isinstance(one, str):
            raise DataError(one if one.startswith(_FAULT) else f"{_FAULT}: {one}")
        if whole is None:
            whole = one
        else:
            whole.merge(one)
    return None if whole is None else cast("Summary", whole)


def _packed(summary: Summary | str) -> Any:  # noqa: ANN401
    pa = arrow_cells.pyarrow()
    return pa.RecordBatch.from_arrays([pa.array([pickle.dumps(summary)], pa.binary())], ["summary"])
