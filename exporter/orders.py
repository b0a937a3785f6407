"""What the supervisor tells its children: one line of JSON each. Settings in, plain data out."""

from collections.abc import Sequence
from typing import Any

from exporter import config
from exporter.addresses import is_tls, upstream_place
from exporter.config import Settings


def worker(settings: Settings, index: int, listeners: Sequence[int], ring_fd: int) -> dict[str, Any]:
    """For one relay process: its sockets, in the order of the routes, and its memory."""
    return {
        "index": index,
        "event_loop": "uvloop",
        "log_level": settings.log_level,
        "ring_fd": ring_fd,
        "routes": [
            {"listen_fd": fd, "upstream": upstream_place(route.upstream), "tls": is_tls(route.upstream)}
            for fd, route in zip(listeners, settings.every_route, strict=True)
        ],
        "proxy_protocol": settings.upstream_proxy_protocol,
        "listen_tls": listen_tls(settings),
        "upstream_tls": upstream_tls(settings),
        "methods": settings.capture.methods,
        "paths": settings.capture.paths,
        "headers": settings.kept_headers,
        "max_body": settings.capture.max_body,
        "max_pending": settings.capture.max_pending,
        "connect_timeout": settings.upstream_connect_timeout,
        "head_timeout": settings.head_timeout,
        "max_connections": settings.max_connections,
        "drain_timeout": settings.drain.timeout,
        "announce_end": False,
    }


def listen_tls(settings: Settings) -> dict[str, Any] | None:
    """The files of the listeners' TLS, None where there is none."""
    tls = settings.listen_tls
    return None if tls.cert_file is None else {"cert_file": tls.cert_file, "key_file": tls.key_file}


def upstream_tls(settings: Settings) -> dict[str, Any] | None:
    """How an `https://` upstream is verified, None where there is none."""
    if not any(map(is_tls, (settings.watched or "", *(route.upstream for route in settings.every_route)))):
        return None
    tls = settings.upstream_tls
    return {
        "ca_file": tls.ca_file, "server_name": tls.server_name, "insecure_skip_verify": tls.insecure_skip_verify,
    }  # fmt: skip


def analyser(settings: Settings, fds: dict[str, Any]) -> dict[str, Any]:
    """For the analysing process: its settings, and its descriptors by name."""
    return {"settings": config.to_document(settings), **fds}
