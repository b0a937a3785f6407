"""The command `inference-exporter profile adopt`: asks a running exporter what a window holds, and writes it down."""

import argparse
import base64
import json
import math
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exporter.errors import ConfigError, DataError, UpstreamError
from exporter.values import duration, format_duration

if TYPE_CHECKING:
    import ssl
    import urllib.request

    from exporter.profile.adopt import Window, Wish
    from exporter.reference import Profile

_LAST_SECOND: Final = 253_402_300_799.0
"""9999-12-31T23:59:59Z."""
_OF_ROWS: Final = re.compile(r"[1-9]\d*rows").fullmatch
_TIMEOUT_S: Final = 30.0
_LONGEST_ANSWER: Final = 64 << 20


def add(adopt: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    adopt.set_defaults(run=_adopt)
    adopt.add_argument("file", metavar="PROFILE", help="the one that is in force; it is written anew")
    adopt.add_argument("--feature", action="append", default=[], metavar="NAME",
                       help="column whose distribution is taken, or a pattern (*, ?, [abc]); repeatable")  # fmt: skip
    adopt.add_argument("--prediction", action="append", default=[], metavar="NAME", help="the same of an output")
    adopt.add_argument(
        "--from", dest="window", metavar="WINDOW", help="one of the exporter's windows, such as 24h or 10000rows"
    )
    adopt.add_argument("--exporter", default="http://127.0.0.1:9877", metavar="URL",
                       help="web address of the running exporter (http://127.0.0.1:9877)")  # fmt: skip
    adopt.add_argument("--basic-auth-file", metavar="FILE", help="a line USER:PASSWORD, where the exporter wants one")
    adopt.add_argument("--ca-file", metavar="FILE", help="certificates (PEM) that vouch for it (the system's)")
    adopt.add_argument("--model", metavar="NAME", help="what the exporter calls it, where several have the profile")
    adopt.add_argument("--model-version", metavar="VERSION", help="the same of its version")
    adopt.add_argument("--author", metavar="WHO", help="who accepts it")
    adopt.add_argument("--reason", metavar="WHY", help="for whoever asks later")
    adopt.add_argument("--expires", metavar="WHEN", help="2026-12-31 or 30d: the training data count again from then")
    adopt.add_argument("--drop", action="store_true", help="have the training data count again now")
    adopt.add_argument("--output", metavar="FILE", help="where to write (PROFILE)")


def _adopt(given: argparse.Namespace, _: object) -> int:
    from exporter.profile import adopt, document, terminal  # noqa: PLC0415

    wish = _wish(given)
    profile = document.load(given.file)
    if given.drop:
        changed, notes = adopt.drop(profile, wish), list[str]()
    else:
        changed, notes = adopt.adopt(profile, _window(given, profile, wish), wish)
    output = given.output or given.file
    saved = document.save(changed, output)
    lines = [*_lines(saved, wish, given), *(f"warning: {note}" for note in notes), f"written to {output}"]
    print(terminal.printable("\n".join(lines)))
    return 0


def _lines(saved: "Profile", wish: "Wish", given: argparse.Namespace) -> list[str]:
    from exporter.profile import adopt  # noqa: PLC0415

    columns = list(adopt.chosen(saved, wish))
    names = ", ".join(column.name for _, column in columns)
    how = "the training data count again" if given.drop else f"adopted from {given.window}"
    return [f"{names}: {how}; the profile is {saved.short_digest} now"]


def _wish(given: argparse.Namespace) -> "Wish":
    from exporter.profile.adopt import Wish  # noqa: PLC0415

    if not given.feature and not given.prediction:
        raise ConfigError("--feature: for which columns? (or --prediction for outputs)")
    needed = () if given.drop else (("--from", given.window), ("--author", given.author), ("--reason", given.reason))
    for flag, value in needed:
        if not value:
            raise ConfigError(f"{flag}: must be said")
    now = time.time()
    return Wish(given.feature, given.prediction, given.author, given.reason, now, _expiry(given.expires, now))


def _expiry(text: str | None, now: float) -> float | None:
    from exporter.profile import parsing  # noqa: PLC0415

    if text is None:
        return None
    try:
        at = now + duration(text)
    except ValueError:
        try:
            at = parsing.moment(text)
        except ValueError:
            raise ConfigError(f"--expires: must be a time such as 2026-12-31, or 30d, not {text!r}") from None
    if at <= now:
        raise ConfigError(f"--expires: {text} is over")
    return min(float(math.ceil(at)), _LAST_SECOND)


def _window(given: argparse.Namespace, profile: "Profile", wish: "Wish") -> "Window":
    """What the exporter says of the window. ConfigError, DataError, UpstreamError."""
    import urllib.parse  # noqa: PLC0415 (every command reads this file, `serve` too)
    import urllib.request  # noqa: PLC0415

    from exporter.profile import adopt  # noqa: PLC0415
    from exporter.profile.in_force import in_force  # noqa: PLC0415

    try:
        asked = {"window": given.window if _OF_ROWS(given.window) else format_duration(duration(given.window))}
    except ValueError as error:
        raise ConfigError(f"--from: {error}") from None
    if given.model is None and given.model_version is None:
        asked["profile"] = in_force(profile, wish.now).digest
    names = {"model": given.model, "model_version": given.model_version}
    asked |= {word: value for word, value in names.items() if value is not None}
    url = f"{_address(given.exporter)}/api/v1/window?{urllib.parse.urlencode(asked)}"
    return adopt.parse(_ask(urllib.request.Request(url, headers=_password(given)), _trusted(given)))  # noqa: S310


def _address(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"--exporter: must be http://HOST:PORT, not {url!r}")
    return url.rstrip("/")


def _password(given: argparse.Namespace) -> dict[str, str]:
    if given.basic_auth_file is None:
        return {}
    try:
        line = Path(given.basic_auth_file).read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"--basic-auth-file: cannot read {given.basic_auth_file}: {error.strerror}") from None
    return {"Authorization": f"Basic {base64.b64encode(line).decode()}"}


def _trusted(given: argparse.Namespace) -> "ssl.SSLContext":
    import ssl  # noqa: PLC0415

    try:
        return ssl.create_default_context(cafile=given.ca_file)
    except OSError as error:
        raise ConfigError(f"--ca-file: cannot use {given.ca_file}: {error.strerror or error}") from None


def _ask(request: "urllib.request.Request", trusted: "ssl.SSLContext") -> object:
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=trusted) as answer:  # noqa: S310 (http, https)
            return json.loads(answer.read(_LONGEST_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            raise DataError(f"the exporter refuses: {_words(error.read(_LONGEST_ANSWER)) or error}") from None
    except (OSError, ValueError) as error:
        raise UpstreamError(f"--exporter: {request.full_url.partition('/api/')[0]} does not answer: {error}") from None


def _words(content: bytes) -> str:
    try:
        return str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError):
        return ""
