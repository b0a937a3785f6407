"""The command line: `inference-exporter serve | check | suggest | config | catalogue | profile | fleet | …`.

Each command imports what it needs when it runs, so that `serve` stays as small as the supervisor it becomes.
"""

import argparse
import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from exporter import (
    __version__,
    config,
    dashboard_command,
    feedback_command,
    fleet_command,
    golden_command,
    health_command,
    profile_commands,
    rules_command,
    series_flags,
    values,
)
from exporter.errors import ConfigError, ExporterError
from exporter.samples import command as samples

if TYPE_CHECKING:
    from exporter.config import Settings


_EX_IOERR: Final = 74


class _Parser(argparse.ArgumentParser):
    """argparse with the exit code for usage errors that the rest of the project has (EX_USAGE)."""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 (as argparse has it)
        """What nobody knows is a fault of the command that was given it, which knows what was probably meant."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            hint = values.nearest(unknown[0].partition("=")[0], {*self._option_string_actions})
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return found, unknown

    def error(self, message: str) -> "None":  # type: ignore[override]
        """One line and exit 64."""
        raise ConfigError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code. Every expected fault is one line on standard error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _fill_standard_streams()
    try:
        given = _parser().parse_args(words)
        code: int = given.run(given, words)
        sys.stdout.flush()
    except ExporterError as error:
        print(f"inference-exporter: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter would complain once more at its end
        if isinstance(error, BrokenPipeError):
            return 0
        print(f"inference-exporter: {error}", file=sys.stderr)
        return _EX_IOERR
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="inference-exporter", description="A sidecar that watches a model server for Prometheus.",
                     allow_abbrev=False)  # fmt: skip
    parser.add_argument("--version", action="version", version=f"inference-exporter {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    for name, (run, text, takes_settings) in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        command.set_defaults(run=run)
        if takes_settings:
            _add_settings(command, _SHOWN.get(name))
        for add in _OWN_FLAGS.get(name, ()):
            add(command)
    profile = commands.add_parser("profile", help="make and read reference profiles")
    profile_commands.add(profile.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser))
    fleet = "watch the pooled counts of all replicas that a Prometheus has"
    fleet_command.add(commands.add_parser("fleet", help=fleet, description=fleet, allow_abbrev=False))
    feedback = "tell a running exporter what turned out, from files of truths"
    feedback_command.add(commands.add_parser("feedback", help=feedback, description=feedback, allow_abbrev=False))
    health = "say whether a running exporter is ready, by the exit code"
    health_command.add(commands.add_parser("health", help=health, description=health, allow_abbrev=False))
    golden = commands.add_parser("golden", help="known requests, and whether a server answers them as it must")
    golden_command.add(golden.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser))
    rules = "write the shipped alert rules with thresholds of one's own"
    rules_command.add(commands.add_parser("rules", help=rules, description=rules, allow_abbrev=False))
    dashboards = "write the Grafana dashboards, for one's own data source, folder and features"
    dashboard_command.add(commands.add_parser("dashboard", help=dashboards, description=dashboards, allow_abbrev=False))
    _add_demo(commands.add_parser("demo", help="watch a real model drift, live", allow_abbrev=False))
    return parser


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_demo)
    parser.add_argument("--duration", type=_duration, default=300.0, metavar="TIME", help="length of the story (5m)")
    parser.add_argument("--story", choices=("whole", "healthy"), default="whole",
                        help="whole: drift, a gap, a stuck sensor, a dead server; healthy: none of it")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="NUMBER", help="which rows are sent")
    parser.add_argument("--keep", action="store_true", help="go on after the story, until Ctrl-C")
    parser.add_argument("--grafana", choices=("auto", "docker", "off"), default="auto",
                        help="auto: where it is installed; docker: in a container")  # fmt: skip
    from exporter.demo import parts  # noqa: PLC0415 (as light as this module)

    parts.add(parser.add_subparsers(metavar="PART", parser_class=_Parser,
                                    title="parts, for containers of their own"))  # fmt: skip


def _add_settings(command: argparse.ArgumentParser, shown: Collection[str] | None = None) -> None:
    """All settings as flags; only those `shown` are in the help, where it is not all of them."""
    command.add_argument("--config", metavar="FILE", help="YAML file of settings")
    command.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    for key in config.every_key():
        default = f" (default {key.default})" if key.default is not None else ""
        is_shown = shown is None or key.name in shown
        command.add_argument(
            *key.flags, dest=key.name, metavar="VALUE", action="append" if key.item else "store",
            nargs="?" if key.bare else None, const=key.bare,
            help=(key.help + default).replace("%", "%%") if is_shown else argparse.SUPPRESS,
        )  # fmt: skip
        for flag in key.switches:
            text = f"{key.flag} false" if is_shown else argparse.SUPPRESS
            command.add_argument(flag, dest=key.name, action="store_const", const="false", help=text)


# --- serve and check


def _serve(_: argparse.Namespace, words: Sequence[str]) -> int:
    # As process 1 of a container a signal without a handler is not delivered at all.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # A short-lived child reads the YAML and the profile, so that this process never grows by a parser.
    child = subprocess.run(  # noqa: S603 (our own interpreter and module)
        [sys.executable, "-m", "exporter", "check", "--json", *words[1:]], stdout=subprocess.PIPE, check=False
    )
    if child.returncode:
        return child.returncode
    from exporter import supervisor  # noqa: PLC0415 (only this command needs it)

    return supervisor.serve(config.from_document(json.loads(child.stdout)), words[1:])


def _fill_standard_streams() -> None:
    """A closed one would be given to the first socket, and taken from it again by a child's; and print fails there."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # the lowest free number is this one; children are to have it, too
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _check(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter import check_command  # noqa: PLC0415 (this child only)

    return check_command.run(given, _settings(given))


def _suggest(given: argparse.Namespace, _: Sequence[str]) -> int:
    return samples.suggest(given, _settings(given))


def _settings(given: argparse.Namespace) -> "Settings":
    from exporter.places import reading  # noqa: PLC0415 (this child only)

    flags = {key.name: getattr(given, key.name) for key in config.every_key()}
    file = given.config or os.environ.get("INFERENCE_EXPORTER_CONFIG")
    environ = {word: text for word, text in os.environ.items() if word != "INFERENCE_EXPORTER_CONFIG"}
    settings = config.resolve(
        ("command line", flags),
        ("environment", config.from_environment(environ)),
        (file or "", _read_yaml(file) if file else {}),
    )
    return settings if settings.profile is not None else dataclasses.replace(settings, profile=reading.default())


def _read_yaml(path: str) -> dict[str, object]:
    from exporter.profile import strict_yaml  # noqa: PLC0415 (only this child needs it)

    return config.flatten(strict_yaml.of_file(path), path)


def _config(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter import settings_told  # noqa: PLC0415

    print(settings_told.FORMATS[given.format](), end="")
    return 0


def _add_config(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=("yaml", "markdown"), default="yaml",
                         help="yaml: a file for --config; markdown: tables by section (default yaml)")  # fmt: skip


def _catalogue(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter import listing  # noqa: PLC0415

    print(listing.FORMATS[given.format]())
    return 0


def _add_catalogue(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=("markdown", "json"), default="markdown",
                         help="markdown: tables by question; json: a list for programs (default markdown)")  # fmt: skip


def _duration(text: str) -> float:
    try:
        return values.duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _demo(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.demo import chapters, stage  # noqa: PLC0415

    if not given.duration >= chapters.SHORTEST_S:
        raise ConfigError(f"--duration: the story takes {chapters.SHORTEST_S:.0f} s at least")
    with stage.stage() as found:
        print("setting the stage; Ctrl-C ends it", flush=True)  # what comes first takes seconds where disks are slow
        try:
            from exporter.demo import story  # noqa: PLC0415
        except ImportError as error:
            words = f"the demo needs its extra ({error.name}): pip install 'inference-exporter[demo]'"
            raise ConfigError(words) from None
        found.pause(0)  # who was interrupted meanwhile has noted it
        return story.run(story.Wishes(given.duration, given.story, given.seed, given.keep, given.grafana), found)


_COMMANDS: Final[Mapping[str, tuple[Callable[[argparse.Namespace, Sequence[str]], int], str, bool]]] = {
    "serve": (_serve, "relay a model server's requests and watch them", True),
    "check": (_check, "check the settings and the profile that serve would use", True),
    "suggest": (_suggest, "propose the map of columns from recorded or live requests", True),
    "config": (_config, "print every setting with its default, as a configuration file", False),
    "catalogue": (_catalogue, "print every metric family by the question it answers", False),
}
_OWN_FLAGS: Final[Mapping[str, Sequence[Callable[[argparse.ArgumentParser], None]]]] = {
    "check": (samples.add_check, series_flags.add), "suggest": (samples.add_suggest,), "config": (_add_config,),
    "catalogue": (_add_catalogue,),
}  # fmt: skip
"""What commands have beside settings."""
_SHOWN: Final = {"suggest": samples.SHOWN}
"""Settings in the help of a command, where those are not all it takes."""
