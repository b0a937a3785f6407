"""The command `inference-exporter rules`: the shipped rules with thresholds of one's own."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from exporter.errors import ConfigError

_DIFFERS = 1


def add(command: argparse.ArgumentParser) -> None:
    """Say what it takes."""
    command.set_defaults(run=_run)
    place = command.add_mutually_exclusive_group()
    place.add_argument(
        "--output", metavar="DIRECTORY", help="where the rules are written; without it the thresholds are printed"
    )
    place.add_argument(
        "--check", metavar="DIRECTORY", help="write nothing, and end with 1 where the files there are others"
    )
    command.add_argument("--set", action="append", default=[], metavar="SECTION.NAME=VALUE",
                         help="a threshold; may be repeated, and wins over --values")  # fmt: skip
    command.add_argument(
        "--values", metavar="FILE", help="YAML file of thresholds, those that differ from the shipped ones"
    )
    command.add_argument("--examples", action="store_true",
                         help="with --output: Alertmanager's example and templates, too, if there is none")  # fmt: skip


def _run(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.rules import files, rendering, tables, values  # noqa: PLC0415 (this command only)

    shipped = files.defaults()
    found = values.tuned(shipped, values.of_file(given.values), given.values) if given.values else shipped
    found = values.tuned(found, values.of_words(given.set, shipped), "--set")
    if given.examples and given.output is None:
        raise ConfigError("--examples: --output is needed, too")
    if given.output is None and given.check is None:
        print(tables.commented(files.commented(), found), end="")
        return 0
    head = rendering.differing(found, shipped)
    documents = {name: head + text for name, text in files.made(found)}
    try:
        if given.check is not None:
            return _check(Path(given.check), documents)
        _write(Path(given.output), documents, dict(files.examples()) if given.examples else {})
    except OSError as error:
        fault = f"{error.filename or given.output or given.check}: {error.strerror}"
        raise ConfigError(f"{'--check: cannot read' if given.check else '--output: cannot write'} {fault}") from None
    return 0


def _write(directory: Path, documents: Mapping[str, str], examples: Mapping[str, str]) -> None:
    """Each file whole or not at all: Prometheus may read them at any moment. What is as it should be is left alone."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in documents.items():
        path = directory / name
        if _holds(path, text):
            print(f"{path} is as it should be")
        else:
            _replace(path, text)
            print(path)
    for name, text in examples.items():
        path = directory / name
        if path.exists():
            print(f"{path} is yours")
        else:
            _replace(path, text)
            print(path)
    for path in _leftovers(directory, documents):
        print(f"{path} is made no more: remove it, or its rules go on", file=sys.stderr)


def _check(directory: Path, documents: Mapping[str, str]) -> int:
    if not directory.is_dir():
        raise ConfigError(f"--check: no directory: {directory}")
    differ = [directory / name for name, text in documents.items() if not _holds(directory / name, text)]
    for path in differ:
        print(f"{path} {'is another' if path.exists() else 'is missing'}")
    left = [*_leftovers(directory, documents)]
    for path in left:
        print(f"{path} is made no more")
    return _DIFFERS if differ or left else 0


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() == text.encode()


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _leftovers(directory: Path, documents: Mapping[str, str]) -> Iterator[Path]:
    """Files of an earlier version: their rules would be evaluated beside what took their place."""
    from exporter.rules import rendering  # noqa: PLC0415 (this command only)

    for path in sorted(directory.glob("*.rules.yml")):
        if path.name not in documents and rendering.is_made(path.read_text(encoding="utf-8", errors="replace")):
            yield path
