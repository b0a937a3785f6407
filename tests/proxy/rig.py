"""A worker process by itself between two raw sockets, both ends of which follow a script and record what they get."""

import hashlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from support import PATIENCE_S, eventually

from exporter.handoff import frames, ring
from exporter.handoff.reader import Reader
from exporter.handoff.tally import INCOMPLETE, UNOBSERVABLE, Slot
from exporter.records import Exchange

MIB: Final = 1 << 20
BLOCK = random.Random(1).randbytes(MIB)
PREDICT = (
    b"POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n"
)
INSTANCES = b'{"instances": [[1,2]]}'
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"predictions": [3]}'
NOTHING = b"HTTP/1.1 204 No Content\r\n\r\n"


class Peer:
    """One end of a connection, blocking; everything received is hashed, and kept as long as it is small."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE_S)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.received = bytearray()
        self.count = 0
        self.was_reset = False
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    @property
    def digest(self) -> tuple[int, str]:
        return self.count, self._hash.hexdigest()

    def some(self, most: int = 1 << 18) -> bytes:
        """What comes next; empty at the end, and at a reset, which is noted."""
        try:
            data = self.sock.recv(most)
        except ConnectionResetError:
            self.was_reset = True
            return b""
        self.count += len(data)
        self._hash.update(data)
        if self.count < MIB:
            self.received += data
        return data

    def read(self, count: int) -> None:
        """Exactly so many bytes more (fewer where they end)."""
        until = self.count + count
        while self.count < until and self.some(min(until - self.count, 1 << 18)):
            pass

    def until(self, end: bytes) -> None:
        """Byte by byte up to some bytes."""
        while not self.received.endswith(end) and self.some(1):
            pass

    def to_end(self) -> None:
        while self.some():
            pass

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.sock.sendall(part)

    def finish(self) -> None:
        """Half-close."""
        with suppress(OSError):  # the other end may be gone
            self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Peer], object]


class Recorder:
    """A server that follows a script on every connection and records what it got."""

    def __init__(self, script: Script, listener: socket.socket | None = None) -> None:
        self.script = script
        self.peers: list[Peer] = []
        self.errors: list[BaseException] = []
        self._threads: list[threading.Thread] = []
        self._starting = threading.Lock()
        """Held from a thread's being known to its being one that can be joined."""
        self._listener = listener or socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address: Any = self._listener.getsockname()
        self.port: int = 0 if isinstance(self.address, str) else self.address[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            peer = Peer(sock)
            self.peers.append(peer)
            thread = threading.Thread(target=self._converse, args=(peer,), daemon=True)
            with self._starting:
                self._threads.append(thread)
                thread.start()

    def _converse(self, peer: Peer) -> None:
        with peer:
            try:
                self.script(peer)
            except BaseException as error:  # noqa: BLE001 (told to the test)
                if peer.count:  # a sidecar's look whether the server listens says nothing and leaves
                    self.errors.append(error)

    def join(self) -> None:
        """Wait until every conversation is over; what went wrong in one is raised here."""
        with self._starting:
            threads = list(self._threads)
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "the server's script did not end"
        if self.errors:
            raise self.errors[0]

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(5)
        for peer in self.peers:
            peer.sock.close()


@contextmanager
def recorder(script: Script, listener: socket.socket | None = None) -> Iterator[Recorder]:
    server = Recorder(script, listener)
    try:
        yield server
    finally:
        server.close()


class Relay:
    """A worker process, started as the supervisor starts it."""

    def __init__(
        self,
        upstream: int | str,
        host: str = "127.0.0.1",
        listener: socket.socket | None = None,
        further: Sequence[int] = (),
        **orders: Any,
    ) -> None:
        """`upstream` is a port, or the path of a Unix socket; `further` are more, each with its own way in."""
        self._listener = listener or socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address: Any = self._listener.getsockname()
        self.port: int = 0 if isinstance(self.address, str) else self.address[1]
        places = [upstream if isinstance(upstream, str) else (host, upstream), *[(host, port) for port in further]]
        self._listeners = [self._listener, *[socket.create_server(("127.0.0.1", 0), backlog=256) for _ in further]]
        self.further_ports: list[int] = [one.getsockname()[1] for one in self._listeners[1:]]
        self._ring_fd = ring.create(16 * MIB)
        self.ring = ring.Ring(self._ring_fd)
        self.reader = Reader(self.ring)
        self._orders = {
            "index": 0, "event_loop": os.environ.get("RELAY_EVENT_LOOP", "uvloop"), "ring_fd": self._ring_fd,
            "routes": [
                {"listen_fd": one.fileno(), "upstream": place, "tls": bool(orders.get("upstream_tls"))}
                for one, place in zip(self._listeners, places, strict=True)
            ],
            "listen_tls": None, "proxy_protocol": "off", "log_level": "info", "announce_end": False,
            "upstream_tls": None, "methods": ["POST"], "paths": ["/*"], "headers": [],
            "supervisor": os.getpid(), "max_body": MIB, "max_pending": 32 * MIB, "drain_timeout": 20.0,
            "connect_timeout": 10.0, "head_timeout": 0.0, "max_connections": 0, **orders,
        }  # fmt: skip
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exporter.worker"], stdin=subprocess.PIPE,
            pass_fds=(*[one.fileno() for one in self._listeners], self._ring_fd),
        )  # fmt: skip
        assert self.process.stdin
        with self.process.stdin as orders:
            orders.write(json.dumps(self._orders).encode() + b"\n")
        eventually(lambda: self.slot(Slot.PID) == self.process.pid, what="worker running")
        return self.process

    def slot(self, slot: int) -> int:
        return self.ring.slots[slot]

    def unobservable(self) -> dict[str, int]:
        counts = {reason: self.slot(Slot.UNOBSERVABLE + at) for at, reason in enumerate(UNOBSERVABLE)}
        return {reason: count for reason, count in counts.items() if count}

    def incomplete(self) -> dict[str, int]:
        counts = {who: self.slot(Slot.INCOMPLETE + at) for at, who in enumerate(INCOMPLETE)}
        return {who: count for who, count in counts.items() if count}

    def settled(self) -> None:
        """Wait until no connection is open; then nothing may be under way either."""
        eventually(lambda: self.slot(Slot.CONNECTIONS_OPEN) == 0, what="all connections over")
        eventually(lambda: self.slot(Slot.IN_FLIGHT) == 0, what="everything looked at")

    def exchanges(self) -> list[Exchange]:
        return [frames.unpack(record) for record in self.reader.take(10**6, 1 << 30)]

    def descriptors(self) -> int:
        """How many the worker has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def resident(self) -> int:
        """Resident memory of the worker, bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def connect(self) -> Peer:
        sock = socket.socket(self._listener.family)
        sock.settimeout(PATIENCE_S)
        sock.connect(self.address)
        return Peer(sock)

    def converse(self, script: Script) -> Peer:
        """Be a client: follow a script, then read to the end."""
        with self.connect() as peer:
            script(peer)
            peer.to_end()
            return peer

    def close_listener(self) -> None:
        """As the supervisor does when it drains."""
        for one in self._listeners:
            one.close()

    def stop(self, number: int = signal.SIGUSR1) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.close_listener()
        with suppress(OSError):
            os.close(self._ring_fd)


@contextmanager
def relay(upstream: int | str, host: str = "127.0.0.1", **orders: Any) -> Iterator[Relay]:
    running = Relay(upstream, host, **orders)
    try:
        yield running
    finally:
        running.close()


def converse(port: int, script: Script) -> Peer:
    """Be a client: follow a script, then read to the end."""
    with Peer(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)) as peer:
        script(peer)
        peer.to_end()
        return peer


def sending(*parts: bytes) -> Script:
    return lambda peer: (peer.send(*parts), peer.finish())


def answering(request_bytes: int, *parts: bytes) -> Script:
    """Read so many bytes, answer, wait for the client's end."""
    return lambda peer: (peer.read(request_bytes), peer.send(*parts), peer.finish(), peer.to_end())


class Bench(NamedTuple):
    """One relay and one recorder for all cases; the script is exchanged."""

    relay: Relay
    server: Recorder
