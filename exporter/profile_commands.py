"""The commands `inference-exporter profile build | show | merge | check | adopt | calibrate | schema`."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from exporter import adopt_command, calibrate_command, segmentations, table_flags
from exporter.errors import ConfigError
from exporter.override import NO_OVERRIDES
from exporter.values import nearest, number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.override import Overrides
    from exporter.profile.terminal import Paper
    from exporter.reference import Profile

_OF_THE_PROFILE: Final = (
    "prediction", "target", "positive", "threshold", "ignore", "kind", "hash", "embedding", "model", "model_version",
    "time", "time_zone", "importance", "segment", "together",
)  # fmt: skip
"""Flags of a build that another profile answers."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what the commands take."""
    _add_build(commands.add_parser("build", help="make a profile from training data", allow_abbrev=False))
    show = commands.add_parser("show", help="print a profile for people")
    show.set_defaults(run=_show)
    show.add_argument("file", metavar="PROFILE")
    show.add_argument("--column", action="append", default=[], metavar="NAME", help="a column to show all bins of")
    show.add_argument("--all", action="store_true", help="show all bins of every column")
    merge = commands.add_parser("merge", help="add up profiles of equal edges", allow_abbrev=False)
    merge.set_defaults(run=_merge)
    merge.add_argument("files", nargs="+", metavar="PROFILE")
    merge.add_argument("--output", required=True, metavar="FILE", help="where to write")
    _add_check(commands.add_parser("check", help="say what is wrong with a profile", allow_abbrev=False))

    adopt_command.add(
        commands.add_parser("adopt", help="take what is seen live as normal for some columns", allow_abbrev=False)
    )
    calibrate_command.add(
        commands.add_parser("calibrate", help="find out of traffic how rows come and hours differ", allow_abbrev=False)
    )
    schema = commands.add_parser("schema", help="print the JSON Schema of a profile", allow_abbrev=False)
    schema.set_defaults(run=_schema)


def _add_check(check: argparse.ArgumentParser) -> None:
    check.set_defaults(run=_check)
    check.add_argument("file", metavar="PROFILE")
    check.add_argument("--overrides", metavar="FILE", help="YAML file of rules about its columns")
    check.add_argument("--against", metavar="DATA", help="a fresh sample to compare with: " + table_flags.SOURCES)
    check.add_argument("--replicas", type=_positive, default=1, metavar="NUMBER", help="how many will show it (1)")
    check.add_argument("--windows", type=_positive, default=3, metavar="NUMBER", help="windows of each (3)")
    table_flags.add_salt(check)
    table_flags.add_dialect(check)


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:7]) < 10**6:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        return number(0.0, 1.0)(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_build(build: argparse.ArgumentParser) -> None:
    build.set_defaults(run=_build)
    build.add_argument("source", metavar="TRAIN", help=table_flags.SOURCES)
    build.add_argument("--prediction", action="append", default=[], metavar="COLUMN",
                       help="column of the model's answers; once per output, in the order of the answer")  # fmt: skip
    _add_truth(build)
    build.add_argument("--ignore", action="append", default=[], metavar="COLUMN", help="column to leave out")
    build.add_argument("--kind", action="append", default=[], metavar="COLUMN=KIND",
                       help="numeric, categorical, boolean or text, where the inferred kind is wrong")  # fmt: skip
    _add_training(build)
    build.add_argument("--hash", action="append", default=[], metavar="COLUMN",
                       help="column whose categories are written as salted hashes, not as they are")  # fmt: skip
    table_flags.add_salt(build)
    build.add_argument("--together", action="store_true",
                       help="watch the numeric features as one, too: what goes with what")  # fmt: skip
    build.add_argument("--embedding", action="append", default=[], metavar="NAME[=PATTERN]",
                       help="column of lists of numbers that are vectors, or columns that are one, such as "
                            "vector=emb_*; * stands for anything")  # fmt: skip
    build.add_argument("--segment", action="append", default=[], metavar="COLUMN[=EDGES]",
                       help="column whose values, or intervals such as age=18,30,60, are references of their own; it"
                            " need not be a feature")  # fmt: skip
    build.add_argument("--like", metavar="PROFILE", help="take columns, bins and model from another profile")
    build.add_argument("--model", metavar="NAME", help="the model's name (default)")
    build.add_argument("--model-version", metavar="VERSION", help="the model's version (unknown)")
    build.add_argument("--trained-at", metavar="TIME", help="ISO 8601 time of the training")
    table_flags.add_dialect(build)
    build.add_argument("--output", default="profile.json", metavar="FILE", help="where to write (profile.json)")


def _add_truth(build: argparse.ArgumentParser) -> None:
    build.add_argument("--target", metavar="COLUMN", help="column of the truth, which is not a feature")
    build.add_argument("--positive", metavar="CLASS",
                       help="of two classes of the target the one that a score is of (the second)")  # fmt: skip
    build.add_argument("--threshold", type=_share, metavar="NUMBER",
                       help="score from which on the positive class is predicted (0.5)")  # fmt: skip


def _add_training(build: argparse.ArgumentParser) -> None:
    build.add_argument("--time", metavar="COLUMN", help="column that says when a row is from; it is no feature")
    build.add_argument("--time-zone", metavar="ZONE", help="of the hours of a week, and of times without one (UTC)")
    build.add_argument("--influenced", metavar="COLUMN",
                       help="true where the model itself had influenced a row; it is no feature")  # fmt: skip
    build.add_argument("--importance", metavar="FILE",
                       help='JSON of the features\' importance, such as {"age": 2, "town": 1} (estimated)')  # fmt: skip
    build.add_argument("--metrics", metavar="FILE", help="JSON of how the training went, by any names")


def _build(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.profile import build, document, show, stated, terminal  # noqa: PLC0415
    from exporter.profile.progress import Progress  # noqa: PLC0415
    from exporter.reference import DEFAULT, UNKNOWN  # noqa: PLC0415

    _require_one_way(given)
    plan = build.Plan(
        source=given.source, predictions=given.prediction, target=given.target, ignored=given.ignore,
        model=_or(given.model, DEFAULT), version=_or(given.model_version, UNKNOWN),
        trained_at=_trained_at(given.trained_at), kinds=_kinds(given.kind), dialect=table_flags.dialect(given),
        time=given.time, zone=_or(given.time_zone, "UTC"), influenced=given.influenced,
        importance=stated.importance(given.importance) if given.importance else {},
        performance=stated.performance(given.metrics) if given.metrics else {},
        hashed=given.hash, salt=table_flags.salt(given), embeddings=_embeddings(given.embedding),
        segments=segmentations.of_flags(given.segment),
        together=given.together, positive=given.positive, threshold=given.threshold,
    )  # fmt: skip
    with Progress(sys.stderr) as watch:
        if given.like:
            profile, notes = build.build_like(plan, document.load(given.like), watch), list[str]()
        else:
            profile, notes = build.build(plan, watch)
    profile = document.save(profile, given.output)
    print(show.summary(profile, terminal.Paper.of(sys.stdout)))
    for note in notes:
        print(f"note: {note}")
    print(f"written to {given.output}")
    return 0


def _or(said: str | None, otherwise: str) -> str:
    return otherwise if said is None else said


def _require_one_way(given: argparse.Namespace) -> None:
    """Either the flags say what the columns are, or another profile does."""
    if not given.like and not given.prediction:
        raise ConfigError("--prediction: which columns are the model's answers? (or --like PROFILE)")
    for word in ("positive", "threshold"):
        if getattr(given, word) is not None and not given.target and not given.like:
            raise ConfigError(f"--{word}: of which truth? say --target COLUMN, too")
    if given.time_zone and not given.time and not given.like:
        raise ConfigError("--time-zone: of which column? say --time COLUMN, too")
    for word in _OF_THE_PROFILE if given.like else ():
        if getattr(given, word) not in (None, False, []):
            raise ConfigError(f"--{word.replace('_', '-')}: cannot be said beside --like, whose profile says it")


def _trained_at(text: str | None) -> float | None:
    from exporter.profile import parsing  # noqa: PLC0415

    try:
        return parsing.moment(text) if text else None
    except ValueError:
        raise ConfigError(f"--trained-at: must be a time such as 2026-01-31T12:00:00Z, not {text!r}") from None


def _kinds(pairs: Sequence[str]) -> dict[str, str]:
    from exporter.profile.builder import DECLARED  # noqa: PLC0415

    kinds = {}
    for pair in pairs:
        column, _, kind = pair.rpartition("=")
        if not column or kind not in DECLARED:
            raise ConfigError(f"--kind {pair}: must be COLUMN=KIND with a kind of {', '.join(DECLARED)}")
        kinds[column] = kind
    return kinds


def _embeddings(pairs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, pattern = pair.partition("=")
        if not name or (equals and not pattern) or name in found:
            raise ConfigError(f"--embedding {pair}: must be NAME or NAME=PATTERN such as vector=emb_*, each name once")
        found[name] = pattern
    return found


def _show(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.profile import document, show, terminal  # noqa: PLC0415

    profile = document.load(given.file)
    truth = [profile.target.column] if profile.target else []
    known = [column.name for column in (*profile.features, *profile.outputs, *truth)]
    for name in given.column:
        if name not in known:
            raise ConfigError(
                f"--column {terminal.cut(name, 80)}: the profile has no such column{nearest(name, {*known})}"
            )
    print(show.page(profile, known if given.all else given.column, terminal.Paper.of(sys.stdout)))
    return 0


def _merge(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.profile import document, merge, show, terminal  # noqa: PLC0415

    merged = merge.merge([(file, document.load(file)) for file in given.files])
    print(show.summary(document.save(merged, given.output), terminal.Paper.of(sys.stdout)))
    print(f"written to {given.output}")
    return 0


def _check(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter import series_told  # noqa: PLC0415
    from exporter.profile import document, overrides, show, terminal  # noqa: PLC0415

    profile, paper = document.load(given.file), terminal.Paper.of(sys.stdout)
    rules = _rules(given.overrides, profile) if given.overrides else NO_OVERRIDES
    compared = _compared(given, profile) if given.against else []
    features, outputs = len(profile.features), len(profile.outputs)
    about = f"{profile.short_digest}, {features} features, {outputs} outputs, {profile.rows:,} rows"
    print(f"profile: {paper.good('fine')}, {about}")
    for line in show.warnings(profile):
        print(paper.warning(f"! {paper.cut(line, 2)}"))
    if given.overrides:
        print(f"overrides: {paper.good('fine')}")
        _print_below(overrides.described(rules, profile), paper)
    if compared:
        print(paper.cut(compared[0]))
        _print_below(compared[1:], paper)
    each = series_told.of_profile(profile, given.windows, rules)
    total = f", {each * given.replicas:,} of {given.replicas} replicas" if given.replicas > 1 else ""
    print(f"series: up to {each:,} of the model, with {given.windows} windows{total}")
    return 0


def _print_below(lines: "Iterable[str]", paper: "Paper") -> None:
    """Lines about one column each, which begin with its name."""
    for line in lines:
        name, _, words = paper.cut(line, 2).partition(": ")
        print(f"  {paper.bold(name)}: {words}")


def _schema(_: argparse.Namespace, __: Sequence[str]) -> int:
    from exporter.profile import schema  # noqa: PLC0415

    print(schema.text(), end="")
    return 0


def _rules(path: str, profile: "Profile") -> "Overrides":
    from exporter.profile import overrides  # noqa: PLC0415

    rules = overrides.load(path)
    overrides.check(rules, [profile], path)
    return rules


def _compared(given: argparse.Namespace, profile: "Profile") -> list[str]:
    """What differs, a line each, behind one that says from what."""
    from exporter.profile import build, compare  # noqa: PLC0415
    from exporter.profile.progress import Progress  # noqa: PLC0415

    with Progress(sys.stderr) as watch:
        plan = build.Plan(given.against, dialect=table_flags.dialect(given), salt=table_flags.salt(given))
        found = build.count_like(plan, profile, watch)
    return [f"against {given.against}, {found.rows:,} rows:", *compare.compare(profile, found)]
