"""An address that takes CloudEvents 1.0 in batches (HTTP protocol binding, 3.3: application/cloudevents-batch+json)."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from exporter import __version__
from exporter.traced import PredictionLog
from exporter.witness.porter import DELIVERED, Outcome

if TYPE_CHECKING:
    import requests

_MEDIA: Final = "application/cloudevents-batch+json"
_TYPE: Final = "io.github.inference-exporter.prediction"
_AGAIN: Final = frozenset((408, 425, 429, 500, 502, 503, 504))


def opened(said: PredictionLog) -> Callable[[Sequence[bytes]], Outcome]:
    """It keeps its connection."""
    return _Post(said).write


class _Post:
    """For one thread."""

    def __init__(self, said: PredictionLog) -> None:
        self._said = said
        self._session: requests.Session | None = None

    def write(self, lines: Sequence[bytes]) -> Outcome:
        """Post them once. They have the same ids where they are posted again."""
        import requests  # noqa: PLC0415 (a tenth of a second's work at each start, and few ask for it)

        if self._session is None:
            self._session = requests.Session()
            self._session.trust_env = False  # a .netrc would take the place of the token
        body = b"[" + b",".join(map(_event, lines)) + b"]"
        try:
            answer = self._session.post(
                self._said.to, data=body, headers=self._headers(), timeout=self._said.timeout, allow_redirects=False,
                verify=self._said.ca_file or True,
            )  # fmt: skip
        except requests.RequestException as error:
            return Outcome("unreachable", type(error).__name__, is_final=False)
        except (OSError, ValueError) as error:
            return Outcome("io", f"a file of a secret cannot be used: {error}")
        if 200 <= answer.status_code < 300:
            return DELIVERED
        return Outcome("refused", f"it answered {answer.status_code}", is_final=answer.status_code not in _AGAIN)

    def _headers(self) -> dict[str, str]:
        found = {"content-type": _MEDIA, "user-agent": f"inference-exporter/{__version__}"}
        if self._said.token_file:
            found["authorization"] = f"Bearer {Path(self._said.token_file).read_text('ascii').strip()}"
        return found


def _event(line: bytes) -> bytes:
    """A line is its data as it is; its id is made of it, so that who gets it twice can tell."""
    data: dict[str, Any] = orjson.loads(line)
    head = {
        "specversion": "1.0", "id": hashlib.blake2b(line, digest_size=16).hexdigest(),
        "source": "/inference-exporter", "type": _TYPE, "subject": data["model"], "time": data["time"],
        "datacontenttype": "application/json",
    }  # fmt: skip
    if "trace_id" in data:
        head["traceparent"] = f"00-{data['trace_id']}-{data['span_id']}-01"
    return orjson.dumps(head)[:-1] + b',"data":' + line.rstrip(b"\n") + b"}"
