"""The command `inference-exporter rules`: the shipped rules with thresholds of one's own."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from exporter.errors import ConfigError


def add(command: argparse.ArgumentParser) -> None:
    """Say what it takes."""
    command.set_defaults(run=_run)
    command.add_argument(
        "--output", metavar="DIRECTORY", help="where the files are written; thresholds are printed without it"
    )
    command.add_argument("--set", action="append", default=[], metavar="SECTION.NAME=VALUE",
                         help="a threshold; may be repeated, and wins over --values")  # fmt: skip
    command.add_argument(
        "--values", metavar="FILE", help="YAML file of thresholds, those that differ from the shipped ones"
    )


def _run(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.rules import files, values  # noqa: PLC0415 (this command only)

    shipped = files.defaults()
    found = values.tuned(shipped, values.of_file(given.values), given.values) if given.values else shipped
    found = values.tuned(found, values.of_words(given.set), "--set")
    changed = {name: value for name, value in found.items() if value != shipped[name]}
    if given.output is None:
        print("".join(f"{name}={value}{'  # changed' * (name in changed)}\n" for name, value in found.items()), end="")
        return 0
    _write(Path(given.output), dict(files.made(found)), changed)
    return 0


def _write(directory: Path, documents: Mapping[str, str], changed: Mapping[str, object]) -> None:
    """Each file whole or not at all: Prometheus may read them at any moment."""
    told = "".join(f"# {name}: {value}\n" for name, value in changed.items())
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in documents.items():
            new = directory / f".{name}.new"
            new.write_text(told + text, encoding="utf-8")
            new.replace(directory / name)
            print(directory / name)
    except OSError as error:
        raise ConfigError(f"--output: cannot write {error.filename or directory}: {error.strerror}") from None
