"""Where the relay listens and where the model server is: text in, a checked place out, ValueError in words otherwise.

A place is what a socket needs, ready for JSON: `(host, port)`, or the path of a Unix socket. The standard library
only: every process reads settings.
"""

import re
from typing import Final, NamedTuple, cast
from urllib.parse import urlsplit

Place = tuple[str, int] | str

_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]*):(\d{1,5})")
_OPENING_IPV6: Final = re.compile(r"\[[0-9A-Fa-f:.%\w]+\]:")
_LOOPBACK: Final = frozenset(("127.0.0.1", "localhost", "::1"))
_EVERYWHERE: Final = frozenset(("0.0.0.0", "::"))  # noqa: S104 (compared with, not bound to)
_UNIX: Final = "unix:"
_LONGEST_UNIX_PATH: Final = 107
"""Bytes; the kernel's structure has room for one more, the end."""
_ROUTE: Final = re.compile(r"(.+?)=((?:https?:|unix:).*)", re.DOTALL)


def address(value: object) -> str:
    """`HOST:PORT`, `:PORT` or `[IPv6]:PORT`, given back as written."""
    split_address(str(value))
    return str(value)


def split_address(text: str) -> tuple[str, int]:
    """The host (without brackets, `0.0.0.0` where left out) and port of `HOST:PORT`."""
    match = _ADDRESS.fullmatch(text)
    if not match or int(match[2]) > 65535:
        raise ValueError(f"must be HOST:PORT such as 127.0.0.1:8080, not {text!r}")
    return match[1].strip("[]") or "0.0.0.0", int(match[2])  # noqa: S104 (a sidecar is reached from outside its pod)


def is_loopback(text: str) -> bool:
    """Whether an address is reached from the same host alone."""
    return split_address(text)[0] in _LOOPBACK


def listener(value: object) -> str:
    """An address, or `unix:/PATH` of a socket to be made, given back as written."""
    listener_place(str(value))
    return str(value)


def listener_place(text: str) -> Place:
    """Where a listener is bound."""
    if text.startswith(_UNIX):
        return _unix_path(text)
    try:
        return split_address(text)
    except ValueError as error:
        raise ValueError(str(error).replace(", not", " or unix:/PATH, not")) from None


def _unix_path(text: str) -> str:
    path = text.removeprefix(_UNIX)
    if not path.startswith("/") or path.endswith("/") or "\0" in path:
        raise ValueError(f"must be the absolute path of a socket such as unix:/run/model.sock, not {text!r}")
    if len(path.encode()) > _LONGEST_UNIX_PATH:
        raise ValueError(f"must not be longer than {_LONGEST_UNIX_PATH} bytes, as long as a socket's path may be")
    return path


def upstream_url(value: object) -> str:
    """`http[s]://HOST[:PORT]` or `unix:/PATH` of the model server; a URL's path would be ignored, so it is refused."""
    text = str(value)
    if text.startswith(_UNIX):
        _unix_path(text)
        return text
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:  # a port or brackets that are none
        usable = False
    if not usable or re.search(r"\s", text):
        raise ValueError(
            f"must be http://HOST:PORT such as http://127.0.0.1:8000 (or https:, or unix:/PATH), not {text!r}"
        )
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(f"must not have a path, bytes are relayed unchanged: {text!r}")
    return text


def page_url(value: object) -> str:
    """`http[s]://HOST[:PORT][/PATH]` that a browser is led to, without a slash at its end."""
    text = str(value)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # a port or brackets that are none
        usable = False
    if not usable or parts.query or parts.fragment or re.search(r"[\s<>\"'\\]", text):
        raise ValueError(f"must be an address without a query such as https://grafana.example.com, not {text!r}")
    return text.rstrip("/")


def upstream_place(url: str) -> Place:
    """Where a checked upstream is."""
    if url.startswith(_UNIX):
        return _unix_path(url)
    parts = urlsplit(url)
    return cast("str", parts.hostname), parts.port or (443 if is_tls(url) else 80)


def is_tls(url: str) -> bool:
    """Whether a checked upstream speaks TLS."""
    return urlsplit(url).scheme == "https"


class Route(NamedTuple):
    """Clients of `listen` are relayed to `upstream`."""

    listen: str
    upstream: str


def routes(value: object) -> tuple[Route, ...]:
    """Routes from `LISTEN=UPSTREAM` or a list of them."""
    items = _in_brackets(value.strip()).split(",") if isinstance(value, str) else value
    if isinstance(items, list | tuple):
        return tuple(_route(item) for item in items if item != "")
    raise ValueError(f"must be a list of LISTEN=UPSTREAM, not {value!r}")


def _in_brackets(text: str) -> str:
    """A list's text without its brackets; those of an IPv6 address stay."""
    listed = text.startswith("[") and text.endswith("]") and not _OPENING_IPV6.match(text)
    return text[1:-1] if listed else text


def _route(item: object) -> Route:
    if isinstance(item, list | tuple) and len(item) == 2:  # as it travels to child processes
        item = f"{item[0]}={item[1]}"
    match = _ROUTE.fullmatch(item.strip()) if isinstance(item, str) else None
    if not match:
        raise ValueError(f"must be LISTEN=UPSTREAM such as :8081=http://127.0.0.1:8001, not {item!r}")
    return Route(listener(match[1]), upstream_url(match[2]))


def refuse_loops(pairs: tuple[Route, ...]) -> None:
    """ValueError where two routes listen in one place, or one leads back to the relay."""
    places = [listener_place(route.listen) for route in pairs]
    for number, route in enumerate(pairs):
        key = "upstream" if number == 0 else "routes"
        if places[number] in places[:number]:
            raise ValueError(f"routes: two of them listen on {route.listen}")
        if any(leads_to(upstream_place(route.upstream), place) for place in places):
            raise ValueError(f"{key}: {route.upstream} is the address of the relay itself")


def leads_to(upstream: Place, listening: Place) -> bool:
    """Whether a connection may reach a socket of this host that listens there, as far as addresses tell."""
    if isinstance(upstream, str) or isinstance(listening, str) or upstream[1] != listening[1]:
        return upstream == listening
    host, own = upstream[0], listening[0]
    return host == own or (host in _LOOPBACK and (own in _EVERYWHERE or own in _LOOPBACK))


def receiver(value: object) -> str:
    """http:// or https://, without a user or a password. ValueError, whose words hold no address: it may be secret."""
    text = value if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or a password: bearer_token_file and header_files are for secrets")
    return text
