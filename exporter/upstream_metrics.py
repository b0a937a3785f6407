"""Where the model server's own metrics are, and how much of them is put onto our page. The standard library only."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from exporter.addresses import Place, is_tls, leads_to, listener_place, upstream_place, upstream_url
from exporter.keys import setting
from exporter.values import duration, integer, size

USUAL: Final = "/metrics"
_UNIX: Final = re.compile(r"(unix:/.*?)(?::(/.*))?")
_PATH: Final = re.compile(r"/[!-\"$-~]*")  # visible ASCII, no fragment


class Resource(NamedTuple):
    """What is asked for."""

    server: str
    """As an upstream is written."""
    path: str
    """With its query."""

    @property
    def place(self) -> Place:
        """Where that is."""
        return upstream_place(self.server)

    @property
    def host(self) -> str:
        """As it is called in a request."""
        return urlsplit(self.server).netloc or "localhost"

    @property
    def is_tls(self) -> bool:
        """Whether it speaks TLS."""
        return is_tls(self.server)


def address(value: object) -> str:
    """A path, or `http[s]://HOST[:PORT][/PATH]` or `unix:/SOCKET[:/PATH]`, given back as written."""
    text = str(value)
    if not text.startswith("/") or not _PATH.fullmatch(text):
        _far(text)
    return text


def _far(text: str) -> Resource:
    """What an address names."""
    unix = _UNIX.fullmatch(text)
    if unix is not None:
        server, path = unix[1], unix[2] or USUAL
    else:
        scheme, _, rest = text.partition("://")
        authority, slash, behind = rest.partition("/")
        server, path = f"{scheme}://{authority}", slash + behind or USUAL
    if not _PATH.fullmatch(path):
        raise ValueError(
            f"must be a path such as /metrics, or an address such as http://127.0.0.1:8002/metrics, not {text!r}"
        )
    try:
        return Resource(upstream_url(server), path)
    except ValueError:
        raise ValueError(
            f"must be a path such as /metrics, http[s]://HOST:PORT/PATH or unix:/SOCKET:/PATH, not {text!r}"
        ) from None


@dataclass(frozen=True, slots=True)
class Merge:
    """What stands on /metrics beside our own."""

    upstream_metrics: str | None = setting(
        None,
        "Where the model server's own metrics are, which are to be on our page as well: a path on the upstream"
        " (/metrics where the flag has no value), http[s]://HOST:PORT/PATH or unix:/SOCKET:/PATH. Ours alone where left"
        " out.",
        address,
        alias="merge-upstream-metrics",
        bare=USUAL,
    )
    timeout: float = setting(
        2.0,
        "How long a scrape waits for them at most, and less where it says itself that it has less; then it is answered"
        " with ours alone.",
        duration,
        "2s",
    )
    max_size: int = setting(4 << 20, "Longest page that is taken of the server, inflated.", size(1 << 10), "4MiB")
    max_series: int = setting(
        10_000, "Most series of theirs; families beyond them are left out whole.", integer(1, 1_000_000)
    )

    def resource(self, upstream: str | None) -> Resource | None:
        """What is asked for, where the upstream is this one; None where nothing is, or it is not known yet."""
        if self.upstream_metrics is None:
            return None
        if not self.upstream_metrics.startswith("/"):
            return _far(self.upstream_metrics)
        return Resource(upstream, self.upstream_metrics) if upstream else None

    def refuse_circles(self, upstream: str | None, listeners: Iterable[str]) -> None:
        """ValueError where it leads back to something of ours: through the relay it would be counted as a request."""
        found = self.resource(upstream)
        if found is not None and any(leads_to(found.place, listener_place(listener)) for listener in listeners):
            raise ValueError(f"merge.upstream_metrics: {found.server} is an address of this exporter itself")
