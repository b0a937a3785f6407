"""What the command line says of samples: `check --sample` and `suggest`. What they need is imported when they run."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from exporter import locations, values
from exporter.errors import ConfigError, DataError

if TYPE_CHECKING:
    from exporter.config import Settings
    from exporter.records import Exchange, Observation
    from exporter.reference import Profile
    from exporter.references import References
    from exporter.samples import bodies


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
    from exporter.places import by_model, reading  # noqa: PLC0415
    from exporter.profile.directory import OneProfile  # noqa: PLC0415

    place = settings.profile
    if place is not None and locations.has_many(place):
        return by_model.under(locations.parse(place), settings.profile_poll_interval, None)
    return OneProfile(reading.load(place) if place else None, settings.model.name)


SHOWN: Final = frozenset(("upstream", "listen", "profile", "capture.paths"))
"""Settings in the help of `suggest`. It takes them all: what `serve` is told, it can be told."""
_MOST_REQUESTS: Final = 1000
_Number = TypeVar("_Number", int, float)


def add_suggest(parser: argparse.ArgumentParser) -> None:
    """The flags of `suggest` that are no settings."""
    parser.description = (
        "Propose the map of columns, and print it as YAML: from recorded bodies (--request, --response), or from live"
        " requests, which are relayed to --upstream as serve does it and kept in memory alone. Other flags, the"
        " configuration file and the environment are those of serve."
    )
    parser.add_argument("--request", nargs="+", default=[], metavar="FILE",
                        help="requests' bodies: JSON, JSON Lines with one a line, or a directory of them")  # fmt: skip
    parser.add_argument(
        "--response", nargs="+", default=[], metavar="FILE", help="their answers' bodies, in that order"
    )
    _add_way(parser)
    parser.add_argument("--requests", type=_checked(values.integer(1, _MOST_REQUESTS)), metavar="NUMBER",
                        default=20, help="how many live requests to look at (default 20)")  # fmt: skip
    parser.add_argument("--timeout", type=_checked(values.duration), metavar="TIME", default=60.0,
                        help="how long to wait for them; then what has come must do (default 1m)")  # fmt: skip


def _checked(parse: Callable[[object], _Number]) -> Callable[[str], _Number]:
    """A setting's way of reading text, for argparse."""

    def read(text: str) -> _Number:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def suggest(given: argparse.Namespace, settings: "Settings") -> int:
    """Print a proposal from recorded bodies, or from those of live clients."""
    from exporter.decode import Decoder  # noqa: PLC0415 (this command only)
    from exporter.decode.rules import Rules  # noqa: PLC0415
    from exporter.places import reading  # noqa: PLC0415
    from exporter.privacy import Patterns  # noqa: PLC0415
    from exporter.samples import bodies, live, suggest  # noqa: PLC0415

    recorded = bool(given.request or given.response)
    if recorded and given.upstream:
        raise ConfigError("suggest: takes --upstream, or else files of recorded bodies, not both")
    if not recorded and not settings.every_route:
        raise ConfigError(
            "suggest: needs --request or --response, files of recorded bodies, or --upstream http://HOST:PORT"
        )
    if not recorded and (given.header or given.path != "/"):
        raise ConfigError(
            "suggest: --path and --header are of recorded bodies; --capture.paths chooses among live ones"
        )
    profile = reading.load(settings.profile) if settings.profile else None
    denied = Patterns(settings.privacy.deny)
    decoder = Decoder(Rules(settings.protocols))  # without the map that is there: another one is wanted

    def propose(seen: "bodies.Pairs") -> None:
        print(suggest.page(seen, profile, decoder, denied), flush=True)

    if recorded:
        propose(_recorded(given, settings))
    else:
        wishes = live.Wishes(given.requests, given.timeout)
        live.run(settings, wishes, lambda exchanges: propose(bodies.Pairs(exchanges, exchanges)))
    return 0


def _recorded(given: argparse.Namespace, settings: "Settings") -> "bodies.Pairs":
    from exporter.samples import bodies  # noqa: PLC0415

    headers = bodies.half(None, given.header, "--header").headers
    requests = [half._replace(headers={**half.headers, **headers}) for half in bodies.several(given.request)]

    def exchange_of(request: "bodies.Half", response: "bodies.Half") -> "Exchange":
        return bodies.exchange(request, response, given.path, settings)

    return bodies.pairs(requests, bodies.several(given.response), exchange_of)
