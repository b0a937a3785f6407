"""The commands `inference-exporter golden record | check`: known requests, and whether a server answers them right."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from exporter import addresses, locations, values
from exporter.errors import ConfigError, DataError, DecodeError, UpstreamError

if TYPE_CHECKING:
    from exporter.golden.cases import Answer, Case
    from exporter.golden.checking import Wishes
    from exporter.golden.drafts import Draft
    from exporter.reaching import Way

_Value = TypeVar("_Value")
_MOST_TIMES: Final = 100
_FORMS: Final = ("instances", "lists", "open_inference", "dataframe_split", "dataframe_records")
_LONGEST_WAIT: Final = "how long the server may still be starting (0s)"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what the commands take."""
    record = commands.add_parser("record", help="note what a server answers to requests", allow_abbrev=False)
    _add_record(record)
    check = commands.add_parser("check", help="see whether a server answers as noted", allow_abbrev=False)
    _add_check(check)
    for command in (record, check):
        command.add_argument("--url", required=True, type=_checked(addresses.upstream_url), metavar="URL",
                             help="of the model server: http://HOST:PORT, https://HOST:PORT or unix:/PATH")  # fmt: skip
        command.add_argument("--timeout", type=_checked(values.duration), default=10.0, metavar="TIME",
                             help="how long one answer may take (10s)")  # fmt: skip
        command.add_argument("--wait", type=_checked(values.pause), default=0.0, metavar="TIME", help=_LONGEST_WAIT)
        command.add_argument("--ca-file", metavar="FILE", help="authorities (PEM) that vouch for an https:// server")
        command.add_argument("--server-name", metavar="NAME", help="in its certificate, where it is not the URL's")
        command.add_argument("--insecure-skip-verify", action="store_true", help="believe any certificate")


def _add_check(check: argparse.ArgumentParser) -> None:
    check.set_defaults(run=_check)
    check.add_argument("file", metavar="FILE", help="of golden requests, YAML or JSON")
    check.add_argument("--format", choices=("text", "json", "junit"), default="text", help="of the report (text)")
    check.add_argument("--output", metavar="FILE", help="where the report goes (standard output)")
    check.add_argument("--case", default="*", metavar="PATTERN", help="cases to send, * for anything (all)")
    check.add_argument("--repeat", type=_checked(values.integer(1, _MOST_TIMES)), default=1, metavar="NUMBER",
                       help="how often each is sent; every answer must be right (1)")  # fmt: skip
    check.add_argument("--max-failures", type=_checked(values.integer(1, 1000)), default=0, metavar="NUMBER",
                       help="send no further case once so many have failed")  # fmt: skip


def _add_record(record: argparse.ArgumentParser) -> None:
    record.set_defaults(run=_record)
    record.add_argument("files", nargs="*", metavar="FILE",
                        help="requests' bodies: JSON, JSON Lines with one a line, CSV, or a directory of them; of"
                        " synthetic rows only. With --update and without any: those that are recorded")  # fmt: skip
    record.add_argument("--profile", type=_checked(locations.location), metavar="PROFILE",
                        help="instead: make up rows such as a profile describes")  # fmt: skip
    record.add_argument("--form", choices=_FORMS, default=_FORMS[0], help="how made-up rows are sent (instances)")
    record.add_argument("--rows", type=_checked(values.integer(1, 1000)), default=10, metavar="NUMBER",
                        help="how many are made up, each a request (10)")  # fmt: skip
    record.add_argument("--path", metavar="PATH", help="the path that they are sent to")
    record.add_argument("--header", action="append", default=[], metavar="HEADER", help="a header, 'name: value'")
    record.add_argument("--header-file", action="append", default=[], metavar="NAME=FILE",
                        help="a header whose value, a secret, is in a file")  # fmt: skip
    record.add_argument("--output", default="golden.yml", metavar="FILE", help="to write (golden.yml)")
    record.add_argument("--repeat", type=_checked(values.integer(1, _MOST_TIMES)), default=3, metavar="NUMBER",
                        help="how often each is sent, to see what differs between its answers (3)")  # fmt: skip
    record.add_argument("--update", action="store_true",
                        help="take new answers into the file; its tolerances, and what is ignored, stay")  # fmt: skip
    record.add_argument("--by-version", action="store_true",
                        help="expect this of the version alone that the server says it is")  # fmt: skip


def _checked(parse: Callable[[object], _Value]) -> Callable[[str], _Value]:
    """A setting's way of reading text, for argparse."""

    def read(text: str) -> _Value:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _way(given: argparse.Namespace) -> "Way":
    """How the server is reached. ConfigError."""
    import ssl  # noqa: PLC0415 (serve comes by here, and stays small)

    from exporter.reaching import Way  # noqa: PLC0415

    place = addresses.upstream_place(given.url)
    if not addresses.is_tls(given.url):
        return Way(place)
    try:
        context = ssl.create_default_context(cafile=given.ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"--ca-file: cannot use {given.ca_file}: {error}") from None
    context.set_alpn_protocols(["http/1.1"])
    if given.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return Way(place, context, given.server_name or str(place[0]))


def _wishes(given: argparse.Namespace) -> "Wishes":
    from exporter.golden.checking import Wishes  # noqa: PLC0415

    return Wishes(
        getattr(given, "case", "*"), given.repeat, given.timeout, given.wait, getattr(given, "max_failures", 0)
    )


# --- check


def _check(given: argparse.Namespace, _: object) -> int:
    from exporter.golden import checking, reading, report  # noqa: PLC0415
    from exporter.profile.terminal import Paper  # noqa: PLC0415

    golden, wishes = reading.load(given.file), _wishes(given)
    cases = checking.chosen(golden, wishes.pattern)
    results = checking.check(golden, _way(given), wishes)
    found = report.Round(given.file, given.url, len(cases), results)
    paper = Paper() if given.output else Paper.of(sys.stdout)
    _tell(report.FORMATS[given.format](found, paper), given.output)
    return DataError.exit_code if found.failed else 0


def _tell(text: str, output: str | None) -> None:
    if output is None:
        print(text)
        return
    try:
        Path(output).write_text(text + "\n", encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"--output: cannot write {output}: {error.strerror}") from None


# --- record


def _record(given: argparse.Namespace, _: object) -> int:
    from exporter.golden import writing  # noqa: PLC0415
    from exporter.profile import terminal  # noqa: PLC0415

    draft = _draft(given)
    faults = list(_asked(given, draft))
    writing.save(given.output, writing.text(draft.document(), given.output))
    paper = terminal.Paper.of(sys.stdout)
    for name, words, is_fault in faults:
        word = "not recorded: " if is_fault else ""
        print(paper.warning(terminal.printable(f"  {name}: {word}{words}")))
    failed = sum(is_fault for _, _, is_fault in faults)
    print(terminal.printable(f"{given.output}: {len(draft.names) - failed} of {len(draft.names)} recorded"))
    return DataError.exit_code if failed else 0


def _draft(given: argparse.Namespace) -> "Draft":
    """What is to be asked. ConfigError."""
    from exporter.golden import reading  # noqa: PLC0415
    from exporter.golden.drafts import Draft  # noqa: PLC0415

    if Path(given.output).exists() and not given.update:
        raise ConfigError(f"{given.output} is there: say --update, or another --output")
    if not (given.files or given.profile or given.update):
        raise ConfigError("which requests? say files of bodies, --profile, or --update for those of the file")
    before: dict[str, Any] = {}
    if given.update:
        reading.load(given.output)
        before = reading.document_of(given.output, reading.content_of(given.output))
    draft = Draft(before, _travel(given))
    if given.files or given.profile:
        draft.add([*_bodies(given.files), *_made_up(given)])
    return draft


def _travel(given: argparse.Namespace) -> dict[str, Any]:
    """How requests travel, as the file says it."""
    headers = dict(_pair(text, ":", "--header", "'name: value'") for text in given.header)
    files = dict(_pair(text, "=", "--header-file", "NAME=FILE") for text in given.header_file)
    found = {"path": given.path, "headers": headers, "header_files": files}
    return {key: value for key, value in found.items() if value}


def _pair(text: str, mark: str, flag: str, form: str) -> tuple[str, str]:
    name, found, value = text.partition(mark)
    if not found or not name.strip() or not value.strip():
        raise ConfigError(f"{flag}: must be {form}")
    return name.strip(), value.strip()


def _bodies(files: Sequence[str]) -> Iterator[tuple[str, bytes, str]]:
    from exporter.golden.drafts import named  # noqa: PLC0415
    from exporter.samples import bodies  # noqa: PLC0415

    for path in map(Path, files):
        for one in sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]:
            halves = [(half.content, half.headers.get("content-type", "")) for half in bodies.several([str(one)])]
            yield from named(one, halves)


def _made_up(given: argparse.Namespace) -> list[tuple[str, bytes, str]]:
    """Requests of rows that nobody has. ConfigError, DataError."""
    if given.profile is None:
        return []
    from exporter.golden import rows  # noqa: PLC0415
    from exporter.places import reading  # noqa: PLC0415

    return rows.bodies(reading.load(given.profile), given.form, given.rows)


def _asked(given: argparse.Namespace, draft: "Draft") -> Iterator[tuple[str, str, bool]]:
    """Ask each request; names and words of what should be looked at, and whether it could not be recorded."""
    from exporter.golden import answers, checking, recording  # noqa: PLC0415

    golden, way, wishes = draft.golden(given.output), _way(given), _wishes(given)
    cases = [case for case in golden.cases if case.name in draft.names]
    if given.wait:
        checking.wait(cases[0], way, wishes)
    for case in cases:
        try:
            found = _several(case, way, wishes)
            learned = recording.learned(found)
            version = answers.named(case, found[0], golden.version_from).version if given.by_version else ""
            if given.by_version and not version:
                raise DataError("the answer says no version (version_from)")
            draft.answered(case.name, learned, version)
        except (DataError, DecodeError) as error:
            yield case.name, str(error), True
        else:
            yield from ((case.name, note, False) for note in learned.notes)


def _several(case: "Case", way: "Way", wishes: "Wishes") -> "list[Answer]":
    """All answers to one request. DataError where one is none, UpstreamError where the server has gone."""
    from exporter.golden.sending import send  # noqa: PLC0415

    found = []
    for _ in range(wishes.repeat):
        answer = send(case, way, wishes.timeout_s)
        if answer.failure == "unreachable":
            raise UpstreamError(f"the model server does not answer: {answer.detail}")
        if answer.failure:
            raise DataError(answer.detail)
        found.append(answer)
    return found
