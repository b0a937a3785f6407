"""What the command line says of samples: `check --sample` and `suggest`. What they need is imported when they run."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.errors import ConfigError, DataError

if TYPE_CHECKING:
    from exporter.config import Settings
    from exporter.records import Observation
    from exporter.reference import Profile, References


def add_check(parser: argparse.ArgumentParser) -> None:
    """The flags of `check` that are no settings."""
    parser.add_argument("--sample", metavar="FILE", help="a request's body, to see how it is read")
    parser.add_argument("--response", metavar="FILE", help="its answer's body")
    _add_way(parser)
    parser.add_argument(
        "--response-header", action="append", default=[], metavar="HEADER", help="a header of the answer"
    )


def _add_way(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--path", default="/", metavar="PATH", help="the path that the request was sent to")
    parser.add_argument(
        "--header", action="append", default=[], metavar="HEADER", help="a header it had, 'name: value'"
    )


def check(given: argparse.Namespace, settings: "Settings") -> int:
    """Say how a sample is read; the exit code, 65 where that cannot be or it is not of the profile's model."""
    from exporter.decode import Decoder, rules  # noqa: PLC0415 (this child only)
    from exporter.monitor.naming import Naming  # noqa: PLC0415
    from exporter.proxy.filters import Filter  # noqa: PLC0415
    from exporter.samples import bodies, report  # noqa: PLC0415

    sides = [name for name, file in (("request", given.sample), ("response", given.response)) if file is not None]
    if not sides:
        return 0
    request = bodies.half(given.sample, given.header, "--header")
    response = bodies.half(given.response, given.response_header, "--response-header")
    if not Filter(settings.capture.methods, settings.capture.paths).wants("POST", given.path):
        print(f"note: serve copies no bodies of {given.path}, see capture.paths")
    exchange = bodies.exchange(request, response, given.path, settings)
    references = _references(settings)
    naming = Naming(settings.model, references)
    decoder = Decoder(rules.of(settings))

    def profile_of(seen: "Observation") -> "Profile | None":
        label = naming.label(seen)
        return references.of(*label) or references.offered(label.model)

    lines, fine = report.page(decoder, exchange, profile_of, sides)
    print("\n".join(lines))
    return 0 if fine else DataError.exit_code


def _references(settings: "Settings") -> "References":
    from exporter.profile import document  # noqa: PLC0415
    from exporter.profile.directory import OneProfile, ProfileDirectory  # noqa: PLC0415

    path = settings.profile
    if path is not None and Path(path).is_dir():
        return ProfileDirectory(path)
    return OneProfile(document.load(path) if path else None, settings.model.name)


def add_suggest(parser: argparse.ArgumentParser) -> None:
    """The flags of `suggest`."""
    parser.set_defaults(run=_suggest)
    parser.add_argument("--request", nargs="+", default=[], metavar="FILE",
                        help="requests' bodies: JSON, JSON Lines with one a line, or a directory of them")  # fmt: skip
    parser.add_argument(
        "--response", nargs="+", default=[], metavar="FILE", help="their answers' bodies, in that order"
    )
    parser.add_argument("--profile", metavar="FILE", help="the profile whose columns are looked for")
    _add_way(parser)


def _suggest(given: argparse.Namespace, _: Sequence[str]) -> int:
    from exporter.profile import document  # noqa: PLC0415
    from exporter.samples import bodies, suggest  # noqa: PLC0415

    if not given.request and not given.response:
        raise ConfigError("suggest: needs --request or --response, files of recorded bodies")
    profile = document.load(given.profile) if given.profile else None
    headers = bodies.half(None, given.header, "--header").headers
    requests = [half._replace(headers={**half.headers, **headers}) for half in bodies.several(given.request)]
    recorded = suggest.Recorded(requests, bodies.several(given.response), given.path)
    print(suggest.page(recorded, profile))
    return 0
