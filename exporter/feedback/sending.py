"""Records to an exporter's POST /feedback, a batch at a time, with patience for one that is busy or starting again."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import requests

from exporter.errors import ConfigError, DeliveryError
from exporter.feedback.files import Row

_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 60.0
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 10.0
_AGAIN: Final = frozenset((408, 429, 500, 502, 503, 504))
_TOO_LARGE: Final = 413
_DONE: Final = frozenset((200, 202))
_OF_LINE: Final = re.compile(r"line (\d+): (.*)", re.DOTALL)
_SHOWN: Final = 300
MOST_SHOWN: Final = 20
"""Malformed records that are listed."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where to post."""

    url: str
    token_file: str | None = None
    """Of a bearer token; it is read anew for each batch."""
    ca_file: str | None = None
    patience_s: float = 60.0
    """How long it may not answer, or ask to come again, before it is given up."""


@dataclass(slots=True)
class Summary:
    """What became of the records of a file."""

    counted: Counter[str] = field(default_factory=Counter)
    """By outcome."""
    malformed: list[tuple[int | None, str]] = field(default_factory=list)
    """Place, where it is known, and fault of the first ones."""

    @property
    def records(self) -> int:
        """All that were answered for."""
        return self.counted.total()


class Sender:
    """To one exporter. It keeps its connection, so it is for one thread."""

    def __init__(self, access: Access) -> None:
        """ConfigError where the address is none."""
        parts = urlsplit(access.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"--url: must be such as http://127.0.0.1:9877, not {access.url!r}")
        self._access = access
        self._url = f"{access.url.rstrip('/')}/feedback?results=errors"
        self._session = requests.Session()

    def send(self, batch: Sequence[Row], summary: Summary) -> None:
        """Have a batch acknowledged, and add what became of it. DeliveryError, ConfigError."""
        if not batch:
            return
        lines = [row.record if isinstance(row.record, bytes) else orjson.dumps(row.record) for row in batch]
        told = self._delivered(b"\n".join(lines))
        results = told.pop("results", [])
        summary.counted.update({outcome: count for outcome, count in told.items() if count})
        malformed = [one for one in results if one["outcome"] == "malformed"]
        one_each = sum(told.values()) == len(batch)
        room = MOST_SHOWN - len(summary.malformed)
        summary.malformed += [_placed(one, batch, one_each=one_each) for one in malformed[:room]]

    def _delivered(self, body: bytes) -> dict[str, Any]:
        """What the exporter says; asked until it says anything of use."""
        until = time.monotonic() + self._access.patience_s
        pauses = _pauses()
        while True:
            answer, fault = self._post(body)
            if answer is not None and answer.status_code in _DONE:
                return _told(answer)
            if answer is not None and answer.status_code not in _AGAIN:
                advice = "; say a smaller --batch" if answer.status_code == _TOO_LARGE else ""
                words = f"{answer.status_code}, {_first_line(answer)}{advice}"
                raise ConfigError(f"{self._access.url} takes no truths: {words}")
            pause_s = max(next(pauses), _asked_for(answer))
            if time.monotonic() + pause_s > until:
                raise DeliveryError(f"{self._access.url}: {fault}")
            time.sleep(pause_s)

    def _post(self, body: bytes) -> tuple[requests.Response | None, str]:
        """An answer, and why it is none of use."""
        try:
            answer = self._session.post(
                self._url, data=body, headers=self._headers(), verify=self._access.ca_file or True,
                timeout=(_CONNECT_S, _ANSWER_S), allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException as error:
            return None, f"cannot be reached ({type(error).__name__})"
        except OSError as error:  # of the file of authorities, which requests looks for itself
            raise ConfigError(f"cannot use {self._access.ca_file}: {error.strerror or error}") from None
        return answer, f"does not take them now: {answer.status_code}, {_first_line(answer)}"

    def _headers(self) -> Mapping[str, str]:
        said = {"content-type": "application/x-ndjson"}
        if self._access.token_file is None:
            return said
        try:
            token = Path(self._access.token_file).read_text("ascii").strip()
        except (OSError, UnicodeError) as error:
            raise ConfigError(f"--token-file: cannot read {self._access.token_file}: {error}") from None
        return said | {"authorization": f"Bearer {token}"}


def _placed(result: Mapping[str, Any], batch: Sequence[Row], *, one_each: bool) -> tuple[int | None, str]:
    """A fault with its place in the file.

    What could not be read says its line of what was posted. What was read and not taken (such as the id of several
    models' predictions) has the place of its truth only: the line's where each line has one truth.
    """
    if of_line := _OF_LINE.match(result["detail"]):
        return batch[int(of_line[1]) - 1].place, of_line[2]
    return batch[result["index"]].place if one_each else None, result["detail"]


def _pauses() -> Iterator[float]:
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _asked_for(answer: requests.Response | None) -> float:
    """How long to stay away, seconds."""
    said = answer.headers.get("Retry-After", "") if answer is not None else ""
    return min(float(said), _LONGEST_PAUSE_S) if said.isascii() and said.isdigit() else 0.0


def _told(answer: requests.Response) -> dict[str, Any]:
    try:
        found = orjson.loads(answer.content)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("results"), list):
        raise ConfigError(f"{answer.url} answers otherwise than an inference-exporter does")
    return found


def _first_line(answer: requests.Response) -> str:
    text = answer.text[:_SHOWN].partition("\n")[0]
    return "".join(letter if letter.isprintable() else "�" for letter in text) or "nothing more"
