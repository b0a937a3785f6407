"""The command `inference-exporter dashboard`: Grafana's dashboards, for one's own data source, folder and features."""

import argparse
import re
from collections.abc import Sequence
from typing import Final

from exporter import made_files

_DURATION: Final = re.compile(r"[1-9][0-9]*[smhd]")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


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
    command.add_argument(
        "--datasource", metavar="UID", help="ask this data source only, instead of the one chosen at the top"
    )
    command.add_argument("--folder", metavar="NAME", help="the folder that Grafana shows them in")
    command.add_argument("--feature", action="append", default=[], metavar="NAME",
                         help="show this feature; may be repeated (default: all)")  # fmt: skip
    command.add_argument("--label", action="append", default=[], metavar="LABEL",
                         help="choose by this label of targets, too, such as cluster; may be repeated")  # fmt: skip
    command.add_argument("--refresh", metavar="DURATION", help="how often they ask anew, such as 30s or 5m")


def _run(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.dashboards import files  # noqa: PLC0415 (this command only)
    from exporter.dashboards.boards import BOARDS  # noqa: PLC0415
    from exporter.dashboards.choice import Choice  # noqa: PLC0415

    said = {name: value for name in Choice._fields if (value := getattr(given, name.rstrip("s"), None))}
    choice = Choice(**said)
    if given.output is None and given.check is None:
        for board in BOARDS:
            print(f"{board.uid:<20} {board.title}: {board.question}")
        return 0
    documents = dict(files.made(choice))
    if given.check is not None:
        return made_files.check(given.check, documents, ())
    made_files.write(given.output, documents)
    return 0
