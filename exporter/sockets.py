"""The sockets a sidecar listens on, bound by the supervisor. The standard library only."""

import contextlib
import errno
import os
import resource
import socket
import stat
from collections.abc import Callable
from typing import Final

from exporter.addresses import Place, listener_place
from exporter.errors import ConfigError

_BACKLOG: Final = 1024
_MOST_DESCRIPTORS: Final = 1 << 20


def raise_descriptor_limit() -> None:
    """Two descriptors a connection: the soft limit that shells start with would halve what the server could take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if wanted > soft:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(address: str, key: str, *, share: bool = False) -> socket.socket:
    """A bound and listening socket. ConfigError, naming the setting, where the address cannot be had."""
    place = listener_place(address)
    try:
        return _listen_unix(place) if isinstance(place, str) else _listen_tcp(place, share=share)
    except OSError as error:
        raise ConfigError(f"{key}: cannot listen on {address}: {error.strerror or error}") from None


def listen_for_each(address: str, key: str, workers: int) -> list[socket.socket]:
    """A socket per worker, so that connections spread evenly and one that waits outlives the worker it waits for.

    A Unix socket has one queue, which all of them share.
    """
    first = listen(address, key, share=workers > 1)
    if first.family == socket.AF_UNIX:
        return [first] * workers
    # Where the system chose the port, the others must be given the same.
    host, port = first.getsockname()[:2]
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return [first, *(listen(place, key, share=True) for _ in range(workers - 1))]


def _listen_tcp(place: tuple[str, int], *, share: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)

    def bind() -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(place)

    return _opened(sock, bind)


def _listen_unix(path: str) -> socket.socket:
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    return _opened(sock, lambda: sock.bind(path))


def _opened(sock: socket.socket, bind: Callable[[], None]) -> socket.socket:
    try:
        bind()
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _remove_stale(path: str) -> None:
    """Remove a socket on which nobody listens any more: who was killed could not do it."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "there is a file that is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.settimeout(1)
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)  # noqa: PTH108 (a path is text here)
            return
        except TimeoutError:
            pass  # its queue is full: somebody is there
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def remove(place: Place) -> None:
    """Remove what a Unix socket leaves behind at its end."""
    if isinstance(place, str):
        with contextlib.suppress(OSError):
            os.unlink(place)  # noqa: PTH108 (a path is text here)
