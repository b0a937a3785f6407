"""Asks a Prometheus, or what speaks as one (Thanos, Mimir, VictoriaMetrics): instant and range queries, and series.

It knows nothing of what is asked for. Each question is asked once: whether to ask again is the caller's to say.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

import orjson
import requests

from exporter.errors import ConfigError, PrometheusError

MOST_POINTS: Final = 11_000
"""Of a series in one answer: Prometheus refuses more."""
_LARGEST: Final = 256 << 20
_PIECE: Final = 1 << 20
_CONNECT_S: Final = 5.0
_SHOWN: Final = 300

Labels = dict[str, str]
Points = list[tuple[float, float]]
"""Unix time and value, in the order of time."""
Series = tuple[Labels, Points]


@dataclass(frozen=True, slots=True)
class Access:
    """Where it is, and how to be let in. Files are read anew for each question: who gives out tokens changes them."""

    url: str
    """Of its root, such as https://prometheus:9090 or https://mimir/prometheus; it may hold user and password."""
    token_file: str | None = None
    """Of a bearer token."""
    password_file: str | None = None
    """Of one line, USER:PASSWORD."""
    ca_file: str | None = None
    """Of the authorities to be trusted, PEM; those of the system where there is none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside the others, such as X-Scope-OrgID."""


class PrometheusClient:
    """Keeps connections, so it is for one thread; memory is bounded by 256 MiB an answer."""

    def __init__(self, access: Access, timeout_s: float = 60.0) -> None:
        """`timeout_s` between two pieces of an answer. ConfigError where the address is none."""
        self._root, self._said = _taken_apart(access.url)
        self.url = self._root
        """Without user and password, to be shown."""
        self.warnings: tuple[str, ...] = ()
        """What came with the last answer, such as that it is of some stores alone."""
        self._access = access
        self._timeout_s = timeout_s
        self._session = requests.Session()

    def query(self, expression: str, at: float | None = None) -> list[Series]:
        """What an expression is at a Unix time, or now; of a range selector all its samples. PrometheusError."""
        asked = {"query": expression} | ({} if at is None else {"time": f"{at:.3f}"})
        return self._found("query", asked)

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[Series]:
        """What it is at each of these times, both ends included, as far as there is anything. PrometheusError."""
        asked = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        return self._found("query_range", asked)

    def series(self, selector: str, start: float, end: float) -> list[Labels]:
        """The labels of the series that had samples then. PrometheusError."""
        found = self._ask("series", {"match[]": selector, "start": f"{start:.3f}", "end": f"{end:.3f}"})
        return self._parsed("series", lambda: [{**labels} for labels in found])

    def _found(self, what: str, asked: Mapping[str, str]) -> list[Series]:
        data = self._ask(what, asked)
        return self._parsed(what, lambda: _series(data["resultType"], data["result"]))

    def _parsed(self, what: str, parse: Callable[[], list[Any]]) -> list[Any]:
        try:
            return parse()
        except (KeyError, TypeError, ValueError):
            raise self._fault(what, "answers otherwise than a Prometheus does") from None

    def _ask(self, what: str, asked: Mapping[str, str]) -> Any:  # noqa: ANN401 (JSON)
        """The data of an answer. A form may be longer than an address."""
        self.warnings = ()
        try:
            with self._session.post(
                f"{self._root}/api/v1/{what}", data=asked, headers=dict(self._access.headers), auth=self._let_in,
                verify=self._access.ca_file or True, timeout=(_CONNECT_S, self._timeout_s), allow_redirects=False,
                stream=True,
            ) as answer:  # fmt: skip
                return self._data(what, answer)
        except requests.RequestException as error:
            raise self._fault(what, _reason(error)) from None
        except OSError as error:  # of the file of authorities, which requests looks for itself
            raise ConfigError(f"cannot use {self._access.ca_file}: {error.strerror or error}") from None

    def _data(self, what: str, answer: requests.Response) -> Any:  # noqa: ANN401 (JSON)
        if answer.is_redirect:
            raise self._fault(what, f"is elsewhere ({answer.status_code}), say that address instead")
        content = self._content(what, answer)
        try:
            told = orjson.loads(content)
        except ValueError:
            told = None
        if not isinstance(told, dict) or "status" not in told:
            raise self._fault(what, f"is no Prometheus, as it answers {_first_line(answer, content)}")
        if told["status"] != "success":
            raise self._fault(what, f"{told.get('errorType', answer.status_code)}: {_shown(str(told.get('error')))}")
        self.warnings = tuple(_shown(str(one)) for one in told.get("warnings") or ())
        return told.get("data")

    def _content(self, what: str, answer: requests.Response) -> bytes:
        content = bytearray()
        for piece in answer.iter_content(_PIECE):
            content += piece
            if len(content) > _LARGEST:
                raise self._fault(what, f"answers with more than {_LARGEST >> 20} MiB")
        return bytes(content)

    def _let_in(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """With this a request has no password that the environment knows for the host (.netrc)."""
        access = self._access
        if access.token_file:
            request.headers["Authorization"] = f"Bearer {_line(access.token_file)}"
        elif access.password_file or self._said:
            who = _line(access.password_file) if access.password_file else self._said
            request.headers["Authorization"] = f"Basic {base64.b64encode(who.encode()).decode()}"
        return request

    def _fault(self, what: str, words: str) -> PrometheusError:
        return PrometheusError(f"{self._root}/api/v1/{what}: {words}")


def _taken_apart(url: str) -> tuple[str, str]:
    """The address without user and password, and these."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)
        _ = parts.port  # ValueError where it is none
    except ValueError:
        fine = False
    if not fine:
        raise ConfigError("the address of a Prometheus must be such as http://prometheus:9090")
    who, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=host)).rstrip("/"), unquote(who)


def _line(path: str) -> str:
    """The secret in a file. ConfigError names the file alone."""
    try:
        found = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'not text'}") from None
    if not found or not found.isprintable():
        raise ConfigError(f"{path}: must hold one line")
    return found


def _series(kind: str, result: Sequence[Any]) -> list[Series]:
    """An answer's data as series. ValueError, KeyError, TypeError where they are none."""
    if kind == "matrix":
        return [(one["metric"], [(float(at), float(value)) for at, value in one["values"]]) for one in result]
    if kind == "vector":
        return [(one["metric"], [(float(one["value"][0]), float(one["value"][1]))]) for one in result]
    if kind == "scalar":
        return [({}, [(float(result[0]), float(result[1]))])]
    raise ValueError(kind)


def _reason(error: requests.RequestException) -> str:
    """Why there is no answer, in a few words: requests' own are those of four libraries."""
    if isinstance(error, requests.exceptions.SSLError):
        return f"TLS failed: {_innermost(error)}"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy does not let us through: {_innermost(error)}"
    if isinstance(error, requests.Timeout):
        return "does not answer in time"
    if isinstance(error, requests.ConnectionError):
        return f"cannot be reached: {_innermost(error)}"
    return f"cannot be asked: {_innermost(error)}"


def _innermost(error: BaseException) -> str:
    """What the operating system or TLS said in the first place."""
    while True:
        reason = getattr(error, "reason", None)
        inner = reason if isinstance(reason, BaseException) else next(
            (one for one in error.args if isinstance(one, BaseException)), error.__cause__ or error.__context__
        )  # fmt: skip
        if inner is None:
            return _shown(getattr(error, "strerror", None) or str(error) or type(error).__name__)
        error = inner


def _first_line(answer: requests.Response, content: bytes) -> str:
    kind = answer.headers.get("Content-Type", "").partition(";")[0] or "something"
    return f"{answer.status_code}, {_shown(kind)}: {_shown(content[:_SHOWN].decode(errors='replace'))}"


def _shown(text: str) -> str:
    """A stranger's words in one line, without what a terminal would obey."""
    words = " ".join(text.split())
    return "".join(one if one.isprintable() else "�" for one in words[:_SHOWN]) + ("…" if len(words) > _SHOWN else "")
