"""What the operating system knows of the model server and of ourselves. Read-only, and never on the request path."""

import logging
import socket
from collections.abc import Iterable, Mapping

import psutil

from exporter.records import ProcessVitals, ServerVitals

_LOG = logging.getLogger("exporter.vitals")
_CONNECT_TIMEOUT_S = 2.0


class ServerWatch:
    """Looks after the model server from outside: is it up, and what does it use."""

    def __init__(self, host: str, port: int, pid: int | None, ours: Iterable[int]) -> None:
        """`pid` where it is known; `ours` are processes that are never taken for the server."""
        self._address = (host, port)
        self._declared = pid
        self._ours = frozenset(ours)
        self._root: psutil.Process | None = None
        self._told = False

    def look(self) -> ServerVitals:
        """One look; may take as long as a connect's timeout."""
        up = self._connects()
        try:
            if self._root is None or not self._root.is_running():
                self._root = self._find()
            if self._root is not None:
                tree = [self._root, *self._root.children(recursive=True)]
                vitals = _total(tree)
                return ServerVitals(up, visible=True, processes=len(tree), process=vitals)
        except psutil.Error as error:
            self._root = None
            self._tell(f"the model server's process cannot be read ({type(error).__name__})")
        return ServerVitals(up)

    def _connects(self) -> bool:
        try:
            with socket.create_connection(self._address, _CONNECT_TIMEOUT_S):
                return True
        except OSError:
            return False

    def _find(self) -> psutil.Process | None:
        if self._declared is not None:
            return psutil.Process(self._declared)
        listeners = self._listeners()
        if not listeners:
            self._tell(
                "no process that listens on the model server's port can be seen: its CPU and memory are not shown"
                " (share the process namespace, run as the same user or root, or give --upstream-pid)"
            )
            return None
        self._told = False
        # The parent of a pre-forking server and its workers hold the same socket: take the eldest.
        return min((psutil.Process(pid) for pid in listeners), key=lambda one: (one.create_time(), one.pid))

    def _listeners(self) -> set[int]:
        port = self._address[1]
        try:
            found = psutil.net_connections(kind="tcp")
        except psutil.AccessDenied:
            return set()
        return {
            one.pid for one in found
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid
            and one.pid not in self._ours
        }  # fmt: skip

    def _tell(self, text: str) -> None:
        if not self._told:
            self._told = True
            _LOG.warning("%s", text)


def own(pids: Mapping[str, int]) -> dict[str, ProcessVitals]:
    """What our own processes use, by name; those that are gone are left out."""
    vitals = {}
    for name, pid in pids.items():
        try:
            if pid:
                vitals[name] = _total([psutil.Process(pid)])
        except psutil.Error:
            continue
    return vitals


def _total(processes: list[psutil.Process]) -> ProcessVitals:
    """The sum over processes; children that have ended are in their parents' figures."""
    cpu = 0.0
    resident = 0
    for place, process in enumerate(processes):
        try:
            with process.oneshot():
                times = process.cpu_times()
                resident += process.memory_info().rss
        except psutil.Error:
            if not place:
                raise
            continue  # a child that ended meanwhile
        cpu += times.user + times.system
        if len(processes) > 1:
            cpu += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return ProcessVitals(cpu, resident, processes[0].create_time())
