"""What a model needs beside its server, as the operator says it: databases, feature stores, other services.

`dependencies:` is a list of at most twenty of

    {name: orders, url: "tcp://db.internal:5432"}                              a connection is accepted
    {name: features, url: "https://features.internal/health"}                  GET, any code of 2xx
    {name: prices, url: "http://prices:8080/up", method: HEAD, expect: [200, 401], interval: 1m, timeout: 10s}
    {name: store, url: "https://store/v1/ping", bearer_token_file: /run/secrets/token, ca_file: /etc/ca.pem}

Further keys are header_files, a mapping of headers to the files that hold their values; insecure_skip_verify;
follow_redirects. The standard library only: every process reads settings.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

from exporter.addresses import Place, leads_to
from exporter.errors import ConfigError
from exporter.values import Fault, boolean, duration, header_name, nearest, path

MOST: Final = 20
"""Dependencies: each has a thread of its own."""
MOST_HEADERS: Final = 8
TCP: Final = "tcp"
_PORTS: Final = {"http": 80, "https": 443}
_INTERVAL_S: Final = 30.0
_INTERVALS_S: Final = (1.0, 3600.0)
_TIMEOUT_S: Final = 5.0
_MOST_CODES: Final = 20
_LONGEST_NAME: Final = 64
_LONGEST_URL: Final = 2048
_SHOWN: Final = 60
_FLAG: Final = re.compile(r"\s*([^=]*)=(.*)", re.DOTALL)
_CODE: Final = re.compile(r"[1-5](xx|\d\d)")
_METHODS: Final = ("GET", "HEAD")
_FORMS: Final = "http://HOST[:PORT]/PATH, https://HOST[:PORT]/PATH or tcp://HOST:PORT"


class Dependency(NamedTuple):
    """One of them."""

    name: str
    url: str
    """It may hold a secret behind the question mark: show `shown`."""
    interval: float = _INTERVAL_S
    """Seconds, as the next."""
    timeout: float = _TIMEOUT_S
    expect: tuple[str, ...] = ("2xx",)
    """Codes such as 204, or classes of codes."""
    method: str = "GET"
    bearer_token_file: str = ""
    """Empty where there is none, as is ca_file."""
    header_files: tuple[tuple[str, str], ...] = ()
    """Headers and the files that hold their values."""
    ca_file: str = ""
    insecure_skip_verify: bool = False
    follow_redirects: bool = False

    @property
    def scheme(self) -> str:
        """`http`, `https` or `tcp`."""
        return urlsplit(self.url).scheme

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return cast("str", parts.hostname), parts.port or _PORTS[parts.scheme]

    @property
    def shown(self) -> str:
        """Where it is, as it may be logged and shown."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"

    @property
    def files(self) -> tuple[str, ...]:
        """All that a probe reads."""
        return tuple(filter(None, (self.ca_file, self.bearer_token_file, *(file for _, file in self.header_files))))

    @property
    def words(self) -> str:
        """What will be done, for people."""
        what = "connects to" if self.scheme == TCP else f"{self.method} of"
        expected = "" if self.scheme == TCP else f", expecting {', '.join(self.expect)}"
        return f"{self.name}: {what} {self.shown} every {self.interval:g} s, within {self.timeout:g} s{expected}"


_OF_HTTP: Final = ("expect", "method", "bearer_token_file", "header_files", "follow_redirects")
_OF_TLS: Final = ("ca_file", "insecure_skip_verify")


def dependencies(value: object) -> tuple[Dependency, ...]:
    """Dependencies from a list, its JSON text, or `NAME=URL` with commas. ValueError, naming the path of the fault.

    No message holds a URL: it may hold a password.
    """
    items = _items(value)
    if len(items) > MOST:
        raise ValueError(f"must not be more than {MOST}")
    found = tuple(_dependency(item, f"[{place}]") for place, item in enumerate(items))
    if len({one.name for one in found}) < len(found):
        raise ValueError("two of them have one name")
    return found


def refuse_own(found: tuple[Dependency, ...], listeners: tuple[Place, ...]) -> None:
    """ValueError where one of them is a listener of our own: it would ask itself, and count that as traffic."""
    for one in found:
        if any(leads_to(one.place, place) for place in listeners):
            raise ValueError(f"dependencies: {one.name} is at an address of this exporter itself")


def told(found: tuple[Dependency, ...]) -> Iterator[str]:
    """What will be probed, and how, for people. ConfigError where a file of it cannot be read.

    `serve` goes on without one, and says so by a probe that fails: it may come yet.
    """
    for one in found:
        for file in one.files:
            try:
                with Path(file).open("rb"):
                    pass
            except OSError as error:
                raise ConfigError(f"dependencies: {one.name}: {file}: {error.strerror}") from None
        yield one.words


def _items(value: object) -> list[object]:
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError('must be JSON such as [{"name": "db", "url": "tcp://db:5432"}]') from None
    if isinstance(value, str):
        return [item for item in value.split(",") if item.strip()]
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of mappings with name and url")  # noqa: TRY004 (settings raise one error)
    return list(value)


def _dependency(item: object, place: str) -> Dependency:
    if isinstance(item, str):
        match = _FLAG.fullmatch(item)
        if not match:
            raise Fault(place, "must be NAME=URL such as db=tcp://db:5432, or a mapping with name and url")
        item = {"name": match[1].strip(), "url": match[2].strip()}
    if isinstance(item, list | tuple) and len(item) == len(Dependency._fields):  # as it travels to child processes
        travelled = dict(zip(Dependency._fields, item, strict=True))
        travelled["header_files"] = dict(travelled["header_files"])
        return _checked({key: said for key, said in travelled.items() if said not in ("", {})}, place)
    if not isinstance(item, Mapping):
        raise Fault(place, "must be a mapping with name and url")
    for key in item:
        if key not in Dependency._fields:
            raise Fault(f"{place}.{key}", f"unknown key{nearest(str(key), set(Dependency._fields))}")
    return _sensible(_checked(item, place), item, place)


def _checked(item: Mapping[Any, Any], place: str) -> Dependency:
    name, url = _name(item.get("name"), f"{place}.name"), _url(item.get("url"), f"{place}.url")
    interval = _read(item, "interval", place, duration, _INTERVAL_S)
    if not _INTERVALS_S[0] <= interval <= _INTERVALS_S[1]:
        raise Fault(f"{place}.interval", "must be from 1s to 1h")
    timeout = _read(item, "timeout", place, duration, min(_TIMEOUT_S, interval / 2))
    if timeout >= interval:
        raise Fault(f"{place}.timeout", "must be shorter than the interval")
    return Dependency(
        name, url, interval, timeout,
        _read(item, "expect", place, _codes, ("2xx",)),
        _read(item, "method", place, _method, "GET"),
        _read(item, "bearer_token_file", place, path, ""),
        _read(item, "header_files", place, _header_files, ()),
        _read(item, "ca_file", place, path, ""),
        _read(item, "insecure_skip_verify", place, boolean, False),
        _read(item, "follow_redirects", place, boolean, False),
    )  # fmt: skip


def _read(item: Mapping[Any, Any], key: str, place: str, parse: Any, default: Any) -> Any:  # noqa: ANN401 (what the parser gives)
    if item.get(key) is None:
        return default
    try:
        return parse(item[key])
    except Fault as fault:
        raise Fault(f"{place}.{key}{fault.path}", str(fault)) from None
    except ValueError as error:
        raise Fault(f"{place}.{key}", str(error)) from None


def _sensible(found: Dependency, item: Mapping[Any, Any], place: str) -> Dependency:
    """As it is. Fault where something was said that would not be done."""
    useless = {TCP: (*_OF_HTTP, *_OF_TLS), "http": () if found.follow_redirects else _OF_TLS}.get(found.scheme, ())
    for key in useless:
        if item.get(key) is not None:
            raise Fault(f"{place}.{key}", f"has no meaning for {found.scheme}://")
    if found.ca_file and found.insecure_skip_verify:
        raise Fault(f"{place}.ca_file", "has no meaning beside insecure_skip_verify")
    if found.bearer_token_file and any(name == "authorization" for name, _ in found.header_files):
        raise Fault(f"{place}.header_files", "has the header that bearer_token_file makes")
    return found


def _name(value: object, place: str) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _LONGEST_NAME:
        raise Fault(place, f"must be text of 1 to {_LONGEST_NAME} printable characters, not {_shown(value)}")
    return value


def _url(value: object, place: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_URL:
        raise Fault(place, f"must be there: {_FORMS}")
    try:
        parts = urlsplit(value)
        has_port = parts.port != 0 and (parts.port is not None or parts.scheme in _PORTS)
    except ValueError:  # a port or brackets that are none
        raise Fault(place, f"must be {_FORMS}") from None
    if "@" in parts.netloc:
        raise Fault(place, "must not hold a user or a password: bearer_token_file and header_files are for secrets")
    if not (value.isascii() and value.isprintable() and parts.hostname and has_port) or " " in value:
        raise Fault(place, f"must be {_FORMS}")
    if parts.scheme == TCP and (parts.path.strip("/") or parts.query or parts.fragment):
        raise Fault(place, "must not have a path: tcp://HOST:PORT")
    if parts.scheme not in {TCP, *_PORTS}:
        raise Fault(place, f"must be {_FORMS}")
    return value


def _codes(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    found = tuple(str(item).strip() for item in items)
    if not 0 < len(found) <= _MOST_CODES or not all(map(_CODE.fullmatch, found)):
        raise ValueError(f"must be a list of codes such as [200, 204] or [2xx], not {_shown(value)}")
    return found


def _method(value: object) -> str:
    if value not in _METHODS:
        raise ValueError(f"must be GET or HEAD, not {_shown(value)}")
    return str(value)


def _header_files(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or not 0 < len(value) <= MOST_HEADERS:
        raise ValueError(f"must be a mapping of 1 to {MOST_HEADERS} headers to files, such as {{X-Api-Key: /run/key}}")
    found = tuple((header_name(name), path(file)) for name, file in value.items())
    if any(name in {"host", "connection", "content-length", "transfer-encoding"} for name, _ in found):
        raise ValueError("must not have Host, Connection, Content-Length or Transfer-Encoding")
    return found


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
