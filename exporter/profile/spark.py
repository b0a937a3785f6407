"""A DataFrame of Spark: every partition is summarised where it is, and only summaries travel. Needs the extra `spark`.

This package must be installed where Spark's workers run. Columns are read as Arrow has them, as those of a Parquet file
are: the same rows give the same profile.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final, cast

from exporter.errors import DataError
from exporter.profile import arrow_cells
from exporter.profile.clock import NoTime
from exporter.profile.draft import Draft
from exporter.profile.headers import check_names
from exporter.profile.joint import Joint
from exporter.profile.lists import Lengths, Look, Widths, unfolded
from exporter.profile.pieces import Arrange, Piece, chosen
from exporter.profile.table import Prepared

_MERGERS: Final = 16
"""Tasks that merge the partitions' summaries, so that the driver holds no more than so many."""
_SCHEMA: Final = "summary binary"
_WHERE: Final = "the DataFrame"
_FAULT: Final = f"{_WHERE}: one of its partitions"
_NUMBERS: Final = {f"{size}Type" for size in ("Byte", "Short", "Integer", "Long", "Float", "Double", "Decimal")}
Summary = Draft | Joint
"""Of a part of the rows."""


def plain(frame: Any) -> Any:  # noqa: ANN401 (pyspark has its own types)
    """The same DataFrame, whose vectors of Spark ML are lists of numbers. DataError where two columns have one name."""
    check_names(list(frame.columns), _WHERE)
    vectors = [one.name for one in frame.schema.fields if type(one.dataType).__name__ == "VectorUDT"]
    if not vectors:
        return frame
    from pyspark.ml.functions import vector_to_array  # noqa: PLC0415 (an extra)

    escaped = {name: "`" + name.replace("`", "``") + "`" for name in vectors}
    return frame.withColumns({name: vector_to_array(escaped[name]) for name in vectors})


def look(frame: Any) -> Look:  # noqa: ANN401
    """Names, and how long lists are: a job of its own where there are lists."""
    names = list(frame.columns)
    lists = [one.name for one in frame.schema.fields if _is_list(one.dataType)]
    if not lists:
        return Look(names, {})
    counted = frame.select(*("`" + name.replace("`", "``") + "`" for name in lists)).mapInArrow(_lengths, _SCHEMA)
    found: dict[str, Lengths] = {}
    for one in (pickle.loads(row[0]) for row in counted.collect()):  # noqa: S301 (as below)
        for name, lengths in one.items():
            found.setdefault(name, Lengths()).merge(lengths)
    return Look(names, found)


def _is_list(kind: Any) -> bool:  # noqa: ANN401
    return type(kind).__name__ == "ArrayType" and type(kind.elementType).__name__ in _NUMBERS


def _lengths(batches: Iterator[Any]) -> Iterator[Any]:
    found: dict[str, Lengths] = {}
    for batch in batches:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            found.setdefault(name, Lengths()).merge(arrow_cells.lengths(column))
    yield _packed(found)


def draft(frame: Any, ready: Prepared, start: Draft) -> Draft:  # noqa: ANN401
    """The draft of all rows of a DataFrame, from one that holds nothing. DataError where there are none."""
    found = _folded(frame, start, ready.arrange, ready.widths)
    if not isinstance(found, Draft) or not found.rows:
        raise DataError(f"{_WHERE}: no rows")
    return found


def joint(frame: Any, ready: Prepared, start: Joint) -> Joint:  # noqa: ANN401
    """The second pass over all rows of a DataFrame, from one that has counted nothing."""
    groups = start.fields()
    found = _folded(frame, start, lambda _: groups, ready.widths)
    return found if isinstance(found, Joint) else start


def _folded(frame: Any, start: Summary, arrange: Arrange, widths: Widths) -> Summary | None:  # noqa: ANN401
    """What the partitions hold together; None where they hold nothing."""
    summaries = frame.mapInArrow(_summarise(pickle.dumps(start), arrange, dict(widths)), _SCHEMA)
    merged = summaries.repartition(_MERGERS).mapInArrow(_merge, _SCHEMA).collect()
    return _sum(row[0] for row in merged)


def _summarise(start: bytes, arrange: Arrange, widths: Widths) -> Callable[[Iterator[Any]], Iterator[Any]]:
    def summarise(batches: Iterator[Any]) -> Iterator[Any]:
        part, names = cast("Summary", pickle.loads(start)), list[str]()  # noqa: S301 (as below)
        pieces = unfolded(partial(_pieces, batches), names, arrange, widths)
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


def _pieces(batches: Iterator[Any], names: list[str], arrange: Arrange, widths: Widths) -> Iterator[Piece]:
    run = 0
    for batch in batches:
        names += [] if names else batch.schema.names
        yield from arrow_cells.runs(batch, names, chosen(arrange, names, _WHERE), run, widths)
        run += arrow_cells.run_count(batch, names, widths)


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


def _packed(summary: object) -> Any:  # noqa: ANN401
    pa = arrow_cells.pyarrow()
    return pa.RecordBatch.from_arrays([pa.array([pickle.dumps(summary)], pa.binary())], ["summary"])
