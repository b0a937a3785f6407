"""The command `inference-exporter rules`: the shipped rules with thresholds of one's own."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from exporter import made_files
from exporter.errors import ConfigError

_Made: TypeAlias = tuple[Mapping[str, str], Mapping[str, str], Callable[[Path, Mapping[str, str]], Iterator[Path]]]


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
    command.add_argument("--format", choices=("files", "prometheusrule"), default="files",
                         help="files: YAML that Prometheus reads; prometheusrule: resources of Prometheus Operator, and"
                              " with --examples an AlertmanagerConfig (files)")  # fmt: skip
    command.add_argument("--label", action="append", default=[], metavar="NAME=VALUE",
                         help="of each PrometheusRule, as a ruleSelector asks; may be repeated")  # fmt: skip


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
    documents, examples, leftovers = _as_asked(given, {name: head + text for name, text in files.made(found)})
    if given.check is not None:
        return made_files.check(given.check, documents, leftovers(Path(given.check), documents))
    made_files.write(given.output, documents, examples if given.examples else {})
    for path in leftovers(Path(given.output), documents):
        print(f"{path} is made no more: remove it, or its rules go on", file=sys.stderr)
    return 0


def _as_asked(given: argparse.Namespace, documents: Mapping[str, str]) -> _Made:
    """The documents in the form of --format, the examples beside them, and what finds those of an earlier version."""
    from exporter.rules import files, operator  # noqa: PLC0415 (this command only)

    examples = dict(files.examples())
    if given.format == "prometheusrule":
        config = operator.example(examples["alertmanager.yml"], given.label)
        return dict(operator.rules(documents, given.label)), {operator.EXAMPLE: config}, operator.leftovers
    if given.label:
        raise ConfigError("--label: only a PrometheusRule has labels: --format prometheusrule")
    return documents, examples, _leftovers


def _leftovers(directory: Path, documents: Mapping[str, str]) -> Iterator[Path]:
    """Files of an earlier version: their rules would be evaluated beside what took their place."""
    from exporter.rules import rendering  # noqa: PLC0415 (this command only)

    for path in sorted(directory.glob("*.rules.yml")):
        if path.name not in documents and rendering.is_made(path.read_text(encoding="utf-8", errors="replace")):
            yield path
