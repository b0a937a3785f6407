"""The command line: `inference-exporter serve | check | suggest | config | catalogue | profile build | profile show`.

Each command imports what it needs when it runs, so that `serve` stays as small as the supervisor it becomes.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exporter import __version__, config, orders, values
from exporter.errors import ConfigError, ExporterError
from exporter.samples import command as samples

if TYPE_CHECKING:
    from exporter.config import Settings
    from exporter.reference import Profile


_EX_IOERR: Final = 74


class _Parser(argparse.ArgumentParser):
    """argparse with the exit code for usage errors that the rest of the project has (EX_USAGE)."""

    def error(self, message: str) -> "None":  # type: ignore[override]
        """One line and exit 64."""
        raise ConfigError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code. Every expected fault is one line on standard error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
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
            _add_settings(command)
        if name in _OWN_FLAGS:
            _OWN_FLAGS[name](command)
    suggest = commands.add_parser("suggest", help="propose the map of columns from recorded bodies", allow_abbrev=False)
    samples.add_suggest(suggest)
    _add_profile(commands.add_parser("profile", help="make and read reference profiles"))
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


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", metavar="FILE", help="YAML file of settings")
    command.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    for key in config.every_key():
        default = f" (default {key.default})" if key.default is not None else ""
        command.add_argument(
            *key.flags, dest=key.name, metavar="VALUE", help=(key.help + default).replace("%", "%%"),
            action="append" if key.item else "store",
        )  # fmt: skip
        for flag in key.switches:
            command.add_argument(flag, dest=key.name, action="store_const", const="false", help=f"{key.flag} false")


def _add_profile(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    build = commands.add_parser("build", help="make a profile from training data", allow_abbrev=False)
    build.set_defaults(run=_profile_build)
    build.add_argument(
        "source",
        metavar="TRAIN",
        help="CSV with a header, JSON Lines (either may be .gz or .zst), Parquet, Arrow, Feather or NumPy",
    )
    build.add_argument("--prediction", action="append", default=[], metavar="COLUMN", required=True,
                       help="column of the model's answers; once per output, in the order of the answer")  # fmt: skip
    build.add_argument("--target", metavar="COLUMN", help="column of the truth, which is not a feature")
    build.add_argument("--ignore", action="append", default=[], metavar="COLUMN", help="column to leave out")
    build.add_argument("--kind", action="append", default=[], metavar="COLUMN=KIND",
                       help="numeric, categorical, boolean or text, where the inferred kind is wrong")  # fmt: skip
    build.add_argument("--model", default="default", metavar="NAME", help="the model's name")
    build.add_argument("--model-version", default="unknown", metavar="VERSION", help="the model's version")
    build.add_argument("--trained-at", metavar="TIME", help="ISO 8601 time of the training")
    _add_dialect(build)
    build.add_argument("--output", default="profile.json", metavar="FILE", help="where to write (profile.json)")
    show = commands.add_parser("show", help="print a profile for people")
    show.set_defaults(run=_profile_show)
    show.add_argument("file", metavar="PROFILE")


def _add_dialect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--delimiter", type=_character, metavar="CHARACTER", help="of a CSV file (found out)")
    parser.add_argument("--quote", type=_character, metavar="CHARACTER", help="of a CSV file (found out)")
    parser.add_argument(
        "--decimal", choices=(".", ","), default=".", help="what stands before a fraction in a CSV file"
    )
    parser.add_argument("--encoding", default="utf-8-sig", metavar="NAME", help="of a CSV file (UTF-8)")


# --- serve and check


def _serve(_: argparse.Namespace, words: Sequence[str]) -> int:
    _fill_standard_descriptors()
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


def _fill_standard_descriptors() -> None:
    """A closed standard stream would be given to the first socket, and taken from it again by a child's."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one


def _check(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.decode import Decoder, rules  # noqa: PLC0415 (this child only)
    from exporter.proxy import tls  # noqa: PLC0415

    settings = _settings(given)
    Decoder(rules.of(settings))  # knows the names of protocols
    profiles = _profiles(settings.profile, given.json)
    if "profile" in profiles:
        rules.refuse_strangers(rules.of(settings), profiles["profile"])
    tls.listener_context(orders.listen_tls(settings))
    tls.upstream_context(orders.upstream_tls(settings))
    if given.json:
        print(json.dumps(config.to_document(settings)))
        return 0
    complete = settings.every_route or not settings.relay
    print("settings: fine" if complete else "settings: fine, but serve needs --upstream as well, or --no-relay")
    for name, profile in profiles.items():
        features, outputs = len(profile.features), len(profile.outputs)
        print(f"{name}: fine, {profile.short_digest}, {features} features, {outputs} outputs, {profile.rows:,} rows")
    return samples.check(given, settings)


def _profiles(path: str | None, is_serving: bool) -> "dict[str, Profile]":
    """What `serve` would compare with, by what to call it. What it would go on without is an error for people only."""
    if path is None:
        return {}
    from exporter.profile import document  # noqa: PLC0415 (this child only)

    if not Path(path).is_dir():
        return {"profile": document.load(path)}
    files = [] if is_serving else sorted(Path(path).glob("*.json")) + sorted(Path(path).glob("*/*.json"))
    return {str(file): document.load(str(file)) for file in files}


def _settings(given: argparse.Namespace) -> "Settings":
    flags = {key.name: getattr(given, key.name) for key in config.every_key()}
    file = given.config or os.environ.get("INFERENCE_EXPORTER_CONFIG")
    environ = {word: text for word, text in os.environ.items() if word != "INFERENCE_EXPORTER_CONFIG"}
    return config.resolve(
        ("command line", flags),
        ("environment", config.from_environment(environ)),
        (file or "", _read_yaml(file) if file else {}),
    )


def _read_yaml(path: str) -> dict[str, object]:
    import yaml  # noqa: PLC0415 (only this child needs it)

    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 (the error should carry the path as given)
            return config.flatten(yaml.safe_load(file), path)
    except OSError as error:
        raise ConfigError(f"--config: cannot read {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None


def _config(_: argparse.Namespace, __: Sequence[str]) -> int:
    print(config.reference(), end="")
    return 0


def _catalogue(_: argparse.Namespace, __: Sequence[str]) -> int:
    from exporter import catalogue  # noqa: PLC0415

    print(catalogue.table())
    return 0


# --- profile


def _profile_build(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.profile import build, document, show  # noqa: PLC0415
    from exporter.profile.files import Dialect  # noqa: PLC0415

    plan = build.Plan(
        source=given.source, predictions=given.prediction, target=given.target, ignored=given.ignore,
        model=given.model, version=given.model_version, trained_at=_trained_at(given.trained_at),
        kinds=_kinds(given.kind), dialect=Dialect(given.delimiter, given.quote, given.decimal, given.encoding),
    )  # fmt: skip
    profile, notes = build.build(plan)
    profile = document.save(profile, given.output)
    print(show.summary(profile))
    for note in notes:
        print(f"note: {note}")
    print(f"written to {given.output}")
    return 0


def _trained_at(text: str | None) -> float | None:
    from exporter.profile import document  # noqa: PLC0415

    try:
        return document.moment(text) if text else None
    except ValueError:
        raise ConfigError(f"--trained-at: must be a time such as 2026-01-31T12:00:00Z, not {text!r}") from None


def _kinds(pairs: Sequence[str]) -> dict[str, str]:
    from exporter.reference import KINDS  # noqa: PLC0415

    kinds = {}
    for pair in pairs:
        column, _, kind = pair.rpartition("=")
        if not column or kind not in KINDS:
            raise ConfigError(f"--kind {pair}: must be COLUMN=KIND with a kind of {', '.join(KINDS)}")
        kinds[column] = kind
    return kinds


def _profile_show(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.profile import document, show  # noqa: PLC0415

    print(show.page(document.load(given.file)))
    return 0


def _character(text: str) -> str:
    found = text.replace("\\t", "\t")
    if len(found) != 1 or found in "\r\n\0":
        raise argparse.ArgumentTypeError(f"must be one character, not {text!r}")
    return found


def _duration(text: str) -> float:
    try:
        return values.duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _demo(given: argparse.Namespace, _: Sequence[str]) -> int:
    try:
        from exporter.demo import story  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(f"the demo needs its extra ({error.name}): pip install 'inference-exporter[demo]'") from None
    if not given.duration >= story.SHORTEST_S:
        raise ConfigError(f"--duration: the story takes {story.SHORTEST_S:.0f} s at least")
    return story.run(story.Wishes(given.duration, given.story, given.seed, given.keep, given.grafana))


_COMMANDS: Final[Mapping[str, tuple[Callable[[argparse.Namespace, Sequence[str]], int], str, bool]]] = {
    "serve": (_serve, "relay a model server's requests and watch them", True),
    "check": (_check, "check the settings and the profile that serve would use", True),
    "config": (_config, "print every setting with its default, as a configuration file", False),
    "catalogue": (_catalogue, "print every metric family", False),
}
_OWN_FLAGS: Final[Mapping[str, Callable[[argparse.ArgumentParser], None]]] = {"check": samples.add_check}
"""What commands have beside settings."""
