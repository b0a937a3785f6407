"""The command `inference-exporter dashboard`: Grafana's dashboards, for one's own data source, folder and features."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exporter import made_files
from exporter.errors import ConfigError
from exporter.values import nearest

if TYPE_CHECKING:
    from exporter.dashboards.choice import Choice


def add(command: argparse.ArgumentParser) -> None:
    """Say what it takes."""
    command.set_defaults(run=_run)
    place = command.add_mutually_exclusive_group()
    place.add_argument(
        "--output", metavar="DIRECTORY", help="where the files are written; without it the dashboards are listed"
    )
    place.add_argument(
        "--check", metavar="DIRECTORY", help="write nothing, and end with 1 where the files there are others"
    )
    command.add_argument("--format", choices=("files", "configmap"), default="files",
                         help="files: JSON that Grafana reads; configmap: YAML for Kubernetes (files)")  # fmt: skip
    command.add_argument(
        "--datasource", metavar="UID", help="ask this data source only, instead of the one chosen at the top"
    )
    command.add_argument("--folder", metavar="NAME", help="the folder that Grafana shows them in (Model monitoring)")
    command.add_argument("--feature", action="append", metavar="NAME",
                         help="show this feature; may be repeated (default: all)")  # fmt: skip
    command.add_argument("--profile", metavar="FILE", help="check that the features of --feature are in this profile")
    command.add_argument("--label", action="append", metavar="LABEL",
                         help="choose by this label of targets, too, such as cluster; may be repeated")  # fmt: skip
    command.add_argument("--refresh", metavar="DURATION", help="how often they ask anew, such as 5m, or off (30s)")


def _run(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.dashboards import choice, files  # noqa: PLC0415 (this command only)

    chosen = _choice(given)
    if given.output is None and given.check is None:
        _list()
        return 0
    documents = dict(files.FORMATS[given.format](chosen))
    if given.check is not None:
        return made_files.check(given.check, documents, files.leftovers(Path(given.check), documents))
    made_files.write(given.output, documents)
    for path in files.leftovers(Path(given.output), documents):
        print(f"{path} is made no more: remove it, or Grafana goes on showing it", file=sys.stderr)
    for label in choice.strange_to_rules(chosen):
        print(f"--label {label}: series that rules record have no such label: panels of theirs are empty once one is"
              " chosen", file=sys.stderr)  # fmt: skip
    return 0


def _choice(given: argparse.Namespace) -> "Choice":
    from exporter.dashboards import choice  # noqa: PLC0415 (this command only)

    said = {
        "datasource": given.datasource, "folder": given.folder, "refresh": given.refresh, "labels": given.label,
        "features": given.feature,
    }  # fmt: skip
    if given.datasource == "":
        raise ConfigError("--datasource: a data source's uid is needed, not ''")
    chosen = choice.Choice(**{name: value for name, value in said.items() if value is not None})
    choice.check(chosen)
    if given.profile is not None:
        _check_features(chosen.features, given.profile)
    return chosen


def _check_features(names: Iterable[str], path: str) -> None:
    """ConfigError where the profile has no such feature."""
    from exporter.profile import document  # noqa: PLC0415 (this flag only)

    if not names:
        raise ConfigError("--profile: --feature is needed, too")
    known = {column.name for column in document.load(path).features}
    for name in names:
        if name not in known:
            raise ConfigError(f"--feature {name}: {path} has no such feature{nearest(name, known)}")


def _list() -> None:
    from exporter.dashboards.boards import BOARDS  # noqa: PLC0415 (this command only)

    for board in BOARDS:
        print(f"{board.uid:<20} {board.title}: {board.question}")
