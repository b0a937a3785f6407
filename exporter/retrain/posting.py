"""One post of an event: with its signature and secrets as their files have them now, and what came of it."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from exporter import __version__
from exporter.retrain import signature
from exporter.retrain.event import MEDIA, Event
from exporter.retraining import Retrain

if TYPE_CHECKING:
    import requests

_LONGEST_SECRET: Final = 16 << 10
_NEVER: Final = frozenset((400, 405, 406, 410, 413, 415, 422))
"""A receiver that says so will not say otherwise of the same event. Others may be put right meanwhile: 401, 404."""


class Outcome(NamedTuple):
    """What came of a post."""

    failure: str
    """Of `retrained.FAILURES`; empty where it was delivered."""
    words: str = ""
    is_final: bool = False
    """Whether to try again is in vain."""
    pause_s: float = 0.0
    """How long the receiver asked us to wait."""


class Sender:
    """For one thread."""

    def __init__(self, said: Retrain) -> None:
        self._said = said

    def post(self, event: Event) -> Outcome:
        """Post it once. It takes as long as the receiver may, and never raises."""
        import requests  # noqa: PLC0415 (a tenth of a second's work at each start, and few ask for it)

        body = event.body.encode()
        try:
            headers = self._headers(event, body)
        except (OSError, ValueError) as error:
            return Outcome("local", f"a file of a secret cannot be used: {error}")
        try:
            with requests.Session() as session, session.post(
                str(self._said.url), data=body, headers=headers, verify=self._said.ca_file or True,
                timeout=self._said.timeout, allow_redirects=False, stream=True, auth=_as_it_is,
            ) as answer:  # fmt: skip
                return _judged(answer)
        except requests.exceptions.SSLError as error:
            return Outcome("tls", type(error).__name__)
        except requests.exceptions.Timeout:
            return Outcome("timeout", f"no answer within {self._said.timeout:g} s")
        except requests.RequestException as error:
            return Outcome("unreachable", type(error).__name__)
        except OSError as error:  # of the file of authorities, which requests looks for itself
            return Outcome("local", f"ca_file cannot be used: {error.strerror or error}")

    def _headers(self, event: Event, body: bytes) -> dict[str, str]:
        said = self._said
        found = {name: _content(file) for name, file in said.header_files}
        if said.bearer_token_file:
            found["authorization"] = f"Bearer {_content(said.bearer_token_file)}"
        keys = _keys(said.secret_file) if said.secret_file else ()
        about = {"content-type": MEDIA, "user-agent": f"inference-exporter/{__version__}"}
        return found | about | signature.headers(event.id, int(time.time()), body, keys)


def check(said: Retrain) -> None:
    """ValueError or OSError where a file of it cannot be used."""
    for file in (said.bearer_token_file, *(file for _, file in said.header_files)):
        if file:
            _content(file)
    if said.secret_file:
        _keys(said.secret_file)
    if said.ca_file:
        with Path(said.ca_file).open("rb"):
            pass


def _as_it_is(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    """Without this a .netrc would take the place of the token."""
    return request


def _keys(file: str) -> tuple[bytes, ...]:
    try:
        return signature.secrets(_content(file, lines=True))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _content(file: str, *, lines: bool = False) -> str:
    """ValueError where it is no secret that a header can have; the words hold none of it."""
    with Path(file).open("rb") as opened:
        content = opened.read(_LONGEST_SECRET)
    text = content.decode("ascii", "replace").strip()
    if not text or not text.isascii() or not (lines or text.isprintable()):
        raise ValueError(f"{file}: must hold visible ASCII characters alone")
    return text


def _judged(answer: "requests.Response") -> Outcome:
    if 200 <= answer.status_code < 300:
        return Outcome("")
    words = f"it answered {answer.status_code}"
    return Outcome("status", words, answer.status_code in _NEVER, _asked_for(answer.headers.get("Retry-After", "")))


def _asked_for(said: str) -> float:
    """Seconds of a Retry-After (RFC 9110, section 10.2.3); 0 where it says nothing of use."""
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        return max((parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return 0.0
