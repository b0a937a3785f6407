"""The command `inference-exporter feedback`: truths in files to a running exporter."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from exporter import table_flags
from exporter.errors import ConfigError, DataError
from exporter.values import duration

if TYPE_CHECKING:
    from exporter.feedback.files import Fields, Row
    from exporter.feedback.sending import Sender, Summary
    from exporter.profile.files import TableFile

_NO_TRUTH: Final = "without truth"
_COLUMNS: Final = ("id", "key", "row", "truth", "weight", "value", "time", "segment")
_MOST: Final = 10_000


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.set_defaults(run=_feedback)
    parser.add_argument("files", nargs="+", metavar="FILE", help=table_flags.SOURCES)
    parser.add_argument("--url", default="http://127.0.0.1:9877", metavar="URL",
                        help="of the exporter (http://127.0.0.1:9877)")  # fmt: skip
    parser.add_argument("--id", metavar="COLUMN", help="column of the prediction's id (id)")
    parser.add_argument("--key", action="append", default=[], metavar="COLUMN",
                        help="instead: the exporter's request_id.columns, each by a flag")  # fmt: skip
    parser.add_argument("--row", metavar="COLUMN", help="column of the row's place in its request, from 0")
    parser.add_argument("--truth", metavar="COLUMN", help="column of what turned out (truth)")
    parser.add_argument("--weight", metavar="COLUMN", help="column of how much a row counts")
    parser.add_argument("--value", metavar="COLUMN", help="column of what it was worth")
    parser.add_argument("--time", metavar="COLUMN", help="column of when it was predicted")
    parser.add_argument("--segment", action="append", default=[], metavar="NAME=COLUMN",
                        help="column of one of the exporter's segments.by")  # fmt: skip
    parser.add_argument("--model", metavar="NAME", help="whose predictions they are, where there are several models")
    parser.add_argument("--batch", type=_batch, default=1000, metavar="NUMBER", help="records of one POST (1000)")
    parser.add_argument("--token-file", metavar="FILE", help="the exporter's feedback.token_file")
    parser.add_argument("--ca-file", metavar="FILE", help="authorities (PEM) that vouch for an https:// exporter")
    parser.add_argument("--patience", type=_patience, default=60.0, metavar="TIME",
                        help="how long an exporter may not answer (1m)")  # fmt: skip
    parser.add_argument("--resume", metavar="FILE", help="where it is noted how far this got (FILE.progress)")
    table_flags.add_dialect(parser)


def _batch(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:7]) <= _MOST:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {_MOST}, not {text!r}")
    return int(text)


def _patience(text: str) -> float:
    try:
        return duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _feedback(given: argparse.Namespace, _: object) -> int:
    from exporter.feedback.sending import Access, Sender  # noqa: PLC0415
    from exporter.profile.files import TableFile  # noqa: PLC0415

    if given.resume and len(given.files) > 1:
        raise ConfigError("--resume: has no meaning for several files: each has its own")
    sender = Sender(Access(given.url, given.token_file, given.ca_file, given.patience))
    malformed = 0
    for path in given.files:
        summary = _sent(given, TableFile(path, table_flags.dialect(given)), sender)
        _print(path, summary, given)
        malformed += summary.counted["malformed"]
    return DataError.exit_code if malformed else 0


def _sent(given: argparse.Namespace, file: "TableFile", sender: "Sender") -> "Summary":
    """All of a file, from where an interrupted one had come."""
    from exporter.feedback import files, noted  # noqa: PLC0415
    from exporter.feedback.sending import Summary  # noqa: PLC0415
    from exporter.profile.progress import Progress  # noqa: PLC0415

    fields = _fields(given, files.are_lines(file))
    note = noted.Noted(given.resume or file.path + noted.ENDING, file.path, repr((given.url, fields, file.dialect)))
    before, counted = note.read()
    summary = Summary()
    summary.counted.update(counted)
    if before:
        print(f"{file.path}: {before:,} rows were acknowledged before: going on behind them", file=sys.stderr)
    rows = iter(files.rows(file, fields))
    read = sum(1 for _ in islice(rows, before))
    with Progress(sys.stderr) as watch:
        for batch in _batches(rows, given.batch):
            sender.send([row for row in batch if row.record is not None], summary)
            summary.counted[_NO_TRUTH] += sum(row.record is None for row in batch)
            read += len(batch)
            note.write(read, summary.counted)
            watch(batch[-1].done, read)
    note.done()
    return summary


def _batches(rows: "Iterator[Row]", size: int) -> "Iterator[list[Row]]":
    return iter(lambda: list(islice(rows, size)), [])


def _fields(given: argparse.Namespace, are_lines: bool) -> "Fields | None":
    """Which columns say what; None where lines are to be posted as they are."""
    from exporter.feedback.files import Fields  # noqa: PLC0415

    if are_lines and not given.model and not any(getattr(given, word) for word in _COLUMNS):
        return None
    if given.key and given.id:
        raise ConfigError("--key: has no meaning beside --id")
    return Fields(
        id="" if given.key else given.id or "id", key=tuple(given.key), row=given.row or "",
        truth=given.truth or "truth", weight=given.weight or "", value=given.value or "", time=given.time or "",
        segments=_segments(given.segment), model=given.model or "",
    )  # fmt: skip


def _segments(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, _, column = pair.partition("=")
        if not name or not column:
            raise ConfigError(f"--segment {pair}: must be NAME=COLUMN such as country=land")
        found[name] = column
    return found


def _print(path: str, summary: "Summary", given: argparse.Namespace) -> None:
    from exporter.feedback.sending import MOST_SHOWN  # noqa: PLC0415
    from exporter.profile import terminal  # noqa: PLC0415

    paper = terminal.Paper.of(sys.stdout)
    said = [f"{count:,} {outcome}" for outcome, count in summary.counted.items() if count]
    print(terminal.printable(f"{path}: {summary.records:,} rows: {', '.join(said) or 'none'}"))
    malformed = summary.counted["malformed"]
    word = "line" if path.endswith((".jsonl", ".ndjson", ".json")) and not given.truth else "row"
    for place, detail in summary.malformed:
        where = f"a {word}" if place is None else f"{word} {place}"
        print(paper.warning(f"  {where}: {paper.cut(detail, 12)}"))
    if malformed > len(summary.malformed):
        print(f"  and {malformed - len(summary.malformed):,} more; {MOST_SHOWN} are listed at most")
