"""What our worker weighs: fresh, with idle connections, and while bodies of 1 GiB pass both ways; how soon it is up."""

import contextlib
import os
import signal
import socket
import threading
import time

from contenders import PROBE, Place, Running, sidecar, sidecar_groups
from processes import private_kib, started_s, wait_for

IDLE_PAIRS = 1000
GIB = 1 << 30
BLOCK = bytes(1 << 20)
ASK = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
SEND = b"POST /v1/models/model:predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % GIB
FETCH = b"GET /files/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def weigh(place: Place) -> None:
    """Print a Markdown table."""
    rows = []
    with sidecar(place) as running:
        (worker,) = running.groups["relay"]
        fresh = private_kib([worker])
        rows += [
            ("RSS without its ring, one request served", f"{fresh / 1024:.1f} MiB"),
            (f"per idle keep-alive connection, of {IDLE_PAIRS}", f"{idle_pair_kib(running.port, worker):.1f} KiB"),
            ("from its start to its first answer", f"{start_s(running):.2f} s"),
        ]
    with sidecar(place) as running:
        (worker,) = running.groups["relay"]
        grown = growth_with_large_bodies_kib(place, running.port, worker)
        rows.append(("more RSS at most while 1 GiB passes each way", f"{grown / 1024:.1f} MiB"))
    print("\n| worker | |\n|---|---|")
    for what, value in rows:
        print(f"| {what} | {value} |")


def idle_pair_kib(port: int, worker: int) -> float:
    """Memory of a client connection and its upstream connection, after one exchange each."""
    before = private_kib([worker])
    with contextlib.ExitStack() as stack:
        for _ in range(IDLE_PAIRS):
            _ask(stack.enter_context(socket.create_connection(("127.0.0.1", port), 10)))
        return (private_kib([worker]) - before) / IDLE_PAIRS


def _ask(sock: socket.socket) -> None:
    sock.sendall(ASK)
    if b" 200 " not in sock.recv(4096):
        raise SystemExit("the relay did not answer with 200")


def start_s(running: Running) -> float:
    """Kill the worker; from the start of its successor to its first answer."""
    (worker,) = running.groups["relay"]
    os.kill(worker, signal.SIGKILL)
    wait_for(running.port, PROBE)
    answered = time.clock_gettime(time.CLOCK_BOOTTIME)
    (successor,) = sidecar_groups(running.groups["supervisor"][0])["relay"]
    return answered - started_s(successor)


def growth_with_large_bodies_kib(place: Place, port: int, worker: int) -> int:
    """How much the worker grows at most while a large body goes up and another one comes down."""
    (place.directory / "files" / "large").open("wb").truncate(GIB)
    before = private_kib([worker])
    transfers = [threading.Thread(target=one, args=(port,), daemon=True) for one in (_upload, _download)]
    for one in transfers:
        one.start()
    peak = before
    while any(one.is_alive() for one in transfers):
        peak = max(peak, private_kib([worker]))
        time.sleep(0.02)
    return peak - before


def _upload(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 60) as sock:
        sock.sendall(SEND)
        for _ in range(GIB // len(BLOCK)):
            sock.sendall(BLOCK)
        while not sock.recv(4096):
            pass


def _download(port: int) -> None:
    received = 0
    with socket.create_connection(("127.0.0.1", port), 60) as sock:
        sock.sendall(FETCH)
        while data := sock.recv(1 << 20):
            received += len(data)
    if received < GIB:
        raise SystemExit(f"only {received} bytes of 1 GiB came down")
