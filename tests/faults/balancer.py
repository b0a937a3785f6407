"""A balancer as Kubernetes has it: who is not ready gets no new connection, who has one keeps it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from support import Sidecar

_LOOK_S = 0.1


class Balancer:
    """Relays connections to the sidecars that say on their health port that they are ready, in turns."""

    def __init__(self) -> None:
        self.pods: list[Sidecar] = []
        self._ready: list[Sidecar] = []
        self._turn = 0
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._look, self._accept)]
        for thread in self._threads:
            thread.start()

    def sends_to(self, pod: Sidecar) -> bool:
        return pod in self._ready

    def _look(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._ready = [pod for pod in list(self.pods) if pod.get(pod.health_port, "/-/ready")[0] == 200]

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        ready = self._ready
        with client:
            if not ready:
                return
            self._turn += 1
            with socket.create_connection(("127.0.0.1", ready[self._turn % len(ready)].port), 10) as server:
                for sock in (client, server):
                    sock.settimeout(None)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes, and its end."""
    with suppress(OSError):
        while data := source.recv(1 << 18):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def balancer() -> Iterator[Balancer]:
    found = Balancer()
    try:
        yield found
    finally:
        found.close()
