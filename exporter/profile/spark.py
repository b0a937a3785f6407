"""A DataFrame of Spark: every partition is summarised where it is, and only summaries travel. Needs the extra `spark`.

This package must be installed where Spark's workers run. Columns are read as Arrow has them, as those of a Parquet file
are: the same rows give the same profile.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from exporter.errors import DataError
from exporter.profile import arrow_cells
from exporter.profile.draft import Draft
from exporter.profile.headers import check_names
from exporter.profile.pieces import Arrange, Piece, as_it_comes

_MERGERS: Final = 16
"""Tasks that merge the partitions' drafts, so that the driver holds no more than so many."""
_SCHEMA: Final = "draft binary"


def draft(frame: Any, kinds: Mapping[str, str]) -> Draft:  # noqa: ANN401 (pyspark has its own types)
    """The draft of all rows of a DataFrame. DataError where there are none, or two columns of one name."""
    check_names(list(frame.columns), "the DataFrame")
    summaries = frame.mapInArrow(_summarise(dict(kinds)), _SCHEMA).repartition(_MERGERS).mapInArrow(_merge, _SCHEMA)
    whole = Draft(kinds)
    for row in summaries.collect():
        whole.merge(pickle.loads(row[0]))  # noqa: S301 (what our own code wrote on Spark's workers)
    if not whole.rows:
        raise DataError("the DataFrame: no rows")
    return whole


def _summarise(kinds: dict[str, str]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    def summarise(batches: Iterator[Any]) -> Iterator[Any]:
        part, names = Draft(kinds), list[str]()
        part.read(_pieces(batches, names, as_it_comes), names)
        yield from _packed(part)

    return summarise


def _pieces(batches: Iterator[Any], names: list[str], arrange: Arrange) -> Iterator[Piece]:
    run = 0
    for batch in batches:
        names += [] if names else batch.schema.names
        yield from arrow_cells.runs(batch, names, arrange, run)
        run += arrow_cells.run_count(batch, names)


def _merge(batches: Iterator[Any]) -> Iterator[Any]:
    whole = Draft({})
    for batch in batches:
        for packed in batch.column(0).to_pylist():
            whole.merge(pickle.loads(packed))  # noqa: S301 (as above)
    yield from _packed(whole)


def _packed(draft_: Draft) -> Iterator[Any]:
    if draft_.rows:  # an empty partition knows no columns
        pa = arrow_cells.pyarrow()
        yield pa.RecordBatch.from_arrays([pa.array([pickle.dumps(draft_)], pa.binary())], ["draft"])
