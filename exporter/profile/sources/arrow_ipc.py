"""Arrow's own files: Feather, IPC files and streams. Needs the extra `parquet`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from exporter.errors import DataError
from exporter.profile import arrow_cells
from exporter.profile.files import TableFile
from exporter.profile.headers import check_names
from exporter.profile.lists import Lengths, Look
from exporter.profile.pieces import Arrange, Piece, chosen

_FILE: Final = b"ARROW1"


def read(file: TableFile, names: list[str], arrange: Arrange) -> Iterator[Piece]:
    """The columns of a file or a stream of record batches. Some rows of a batch are a run."""
    pa = arrow_cells.pyarrow()
    with Path(file.path).open("rb") as raw:
        stream = raw.read(len(_FILE)) != _FILE
    run = 0
    try:
        with pa.memory_map(file.path) as source:
            for done, batch in _stream(pa, source) if stream else _file(pa, source):
                names += [] if names else check_names(list(batch.schema.names), file.path)
                for piece in arrow_cells.runs(batch, names, chosen(arrange, names, file.path), run, file.widths):
                    yield piece._replace(done=done)
                run += arrow_cells.run_count(batch, names, file.widths)
    except pa.ArrowException as error:
        raise DataError(f"{file.path}: {str(error).splitlines()[0]}") from None
    if not run:
        raise DataError(f"{file.path}: no rows")


def look(file: TableFile, _: bool) -> Look:
    """Names, and lists by their schema."""
    pa = arrow_cells.pyarrow()
    with Path(file.path).open("rb") as raw:
        stream = raw.read(len(_FILE)) != _FILE
    found = Look([], {})
    try:
        with pa.memory_map(file.path) as source:
            for _, batch in _stream(pa, source) if stream else _file(pa, source):
                found.names[:] = batch.schema.names
                for place, one in enumerate(batch.schema):
                    if arrow_cells.are_lists(one.type):
                        found.lengths.setdefault(one.name, Lengths()).merge(arrow_cells.lengths(batch.column(place)))
    except pa.ArrowException as error:
        raise DataError(f"{file.path}: {str(error).splitlines()[0]}") from None
    return found


def _file(pa: Any, source: Any) -> Iterator[tuple[float, Any]]:  # noqa: ANN401 (pyarrow has no types)
    with pa.ipc.open_file(source) as reader:
        for number in range(reader.num_record_batches):
            yield (number + 1) / reader.num_record_batches, reader.get_batch(number)


def _stream(pa: Any, source: Any) -> Iterator[tuple[float, Any]]:  # noqa: ANN401
    with pa.ipc.open_stream(source) as reader:
        for batch in reader:
            yield source.tell() / max(1, source.size()), batch
