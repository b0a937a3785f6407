"""Where clients are while nothing of theirs is to be done: no thread waits for them.

One thread accepts them, shakes hands (TLS), and reads until a head is complete; only then is a thread of the pool
asked. An answer that its client does not take waits here, too. Each stage has its time. There are `MOST_CLIENTS`
connections at most: for a newcomer the one is let go that is idle for longest, else the one that is at its request or
its answer for longest. So a crowd that says or reads nothing, or does it slowly, pushes itself out, and who asks and
reads at once is answered.
"""

import contextlib
import logging
import selectors
import socket
import ssl
import time
from collections import deque
from typing import Any, Final

from exporter.web import tls
from exporter.web.connection import Connection, Stage
from exporter.web.in_force import Terms

_LOG = logging.getLogger("exporter.web")
MOST_CLIENTS: Final = 256
_BUFFER_BYTES: Final = 128 << 10
"""What the kernel may hold for a connection, each way (it takes twice as much): left to itself it takes megabytes."""
_AT_ONCE: Final = 32
"""Accepted before others are looked at."""
_PAUSE_S: Final = 0.05
"""Where there are no descriptors left, and nobody to be let go."""
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Lobby:
    """Stands where cheroot has its manager of connections."""

    can_add_keepalive_connection = True

    def __init__(self, server: Any) -> None:  # noqa: ANN401 (cheroot's server)
        """`server` has the listening socket, and is told who is to be served."""
        self._server = server
        self._listener: socket.socket = server.socket
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._rope, self._bell = socket.socketpair()
        self._rope.setblocking(False)
        self._bell.setblocking(False)
        self._selector.register(self._listener, _READ)
        self._selector.register(self._bell, _READ)
        self._back: deque[Connection] = deque()
        """From the threads."""
        self._waiting: dict[Connection, None] = {}
        self._is_ending = self._is_running = False

    def put(self, client: Connection) -> None:
        """Take a connection back; from any thread."""
        self._back.append(client)
        self._ring()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # it rings already, or for nobody
            self._rope.send(b"!")

    def run(self, pause_s: float) -> None:
        """Look after everybody until `stop`; at least so often at the clock."""
        self._is_running = True
        try:
            while not self._is_ending:
                self._turn(pause_s)
        finally:
            self._is_running = False

    def stop(self) -> None:
        """Have it end."""
        self._is_ending = True
        self._ring()
        while self._is_running:
            time.sleep(0.01)

    def close(self) -> None:
        """Let everybody go."""
        for client in list(self._waiting):
            self._let_go(client)
        self._selector.close()
        self._rope.close()
        self._bell.close()

    def _turn(self, pause_s: float) -> None:
        for key, _ in self._selector.select(pause_s):
            if key.fileobj is self._listener:
                self._accept()
            elif key.data is None:
                self._bell.recv(4096)
            elif key.data in self._waiting:  # not let go in this very turn
                self._look(key.data)
        for _ in range(len(self._back)):  # and no more: who has sent many requests comes back at once, again and again
            self._look(self._back.popleft())
        self._watch_the_clock()

    # newcomers

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                sock, address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:  # no descriptors, or it was gone before it was here
                _LOG.debug("not accepted: %s", error)
                if not self._make_room():
                    time.sleep(_PAUSE_S)
                return
            self._welcome(sock, address)

    def _welcome(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
        terms: Terms | None = self._server.doors.terms()
        if terms is None or (self._server.is_crowded and not self._make_room()):
            self._server.doors.refused.count("unserved" if terms is None else "crowded")
            sock.close()
            return
        try:
            sock.setblocking(False)
            for way in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                sock.setsockopt(socket.SOL_SOCKET, way, _BUFFER_BYTES)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if terms.context is not None:
                sock = terms.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        except (OSError, ValueError):  # it has left already
            sock.close()
            return
        client = Connection(self._server, sock, address)
        client.allowed_sans = terms.allowed_sans
        self._server.clients.add(client)
        self._look(client)

    def _make_room(self) -> bool:
        """Let the one go that is idle, or else that has had most time; whether there was one."""
        if not self._waiting:
            return False
        self._server.doors.refused.count("crowded")
        self._let_go(min(self._waiting, key=lambda client: (client.stage is not Stage.IDLE, client.since_s)))
        return True

    # those who are here

    def _look(self, client: Connection) -> None:
        """See what can be done for somebody, and wait for the rest."""
        try:
            self._see_to(client)
        except (OSError, EOFError, ValueError):
            self._let_go(client)

    def _see_to(self, client: Connection) -> None:
        if client.stage is Stage.HANDSHAKING and not self._shake_hands(client):
            return
        if client.stage is Stage.LEAVING:
            if client.has_left():
                self._let_go(client)
            else:
                self._wait(client, _READ if client.has_said_all else _WRITE)
        elif client.stage is Stage.ANSWERING:
            # Back from a thread it waits until it can be sent more; then a thread is asked again.
            if client.watched:
                self._have_served(client)
            else:
                self._wait(client, _WRITE)
        elif client.receive():
            self._have_served(client)
        else:
            self._wait(client, _READ)

    def _shake_hands(self, client: Connection) -> bool:
        """Whether both have; OSError where it is over."""
        try:
            client.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._wait(client, _READ)
            return False
        except ssl.SSLWantWriteError:
            self._wait(client, _WRITE)
            return False
        except OSError:
            self._server.doors.refused.count("tls")
            raise
        if not tls.is_allowed(client.socket.getpeercert(), client.allowed_sans):
            self._server.doors.refused.count("tls")
            raise EOFError
        client.stage = Stage.ASKING
        return True

    def _have_served(self, client: Connection) -> None:
        self._forget(client)
        self._server.process_conn(client)

    def _wait(self, client: Connection, events: int) -> None:
        if not client.watched:
            self._selector.register(client.socket, events, client)
        elif client.watched != events:
            self._selector.modify(client.socket, events, client)
        client.watched = events
        self._waiting[client] = None

    def _forget(self, client: Connection) -> None:
        self._waiting.pop(client, None)
        if client.watched:
            self._selector.unregister(client.socket)
            client.watched = 0

    def _let_go(self, client: Connection) -> None:
        self._forget(client)
        client.close()

    def _watch_the_clock(self) -> None:
        now = time.monotonic()
        for client in [one for one in self._waiting if one.due_s <= now]:
            if client.stage not in {Stage.IDLE, Stage.LEAVING}:
                self._server.doors.refused.count("slow")
            if client.stage is Stage.ASKING and client.rfile.held:
                with contextlib.suppress(OSError):
                    client.time_out()
            self._let_go(client)
