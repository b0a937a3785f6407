"""What the operating system knows of the model server and of ourselves. Read-only, and never on the request path."""

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import psutil

from exporter.addresses import Place
from exporter.condition import ProcessVitals, ServerVitals

_LOG = logging.getLogger("exporter.vitals")
_CONNECT_TIMEOUT_S: Final = 2.0
_ANY: Final = frozenset(("0.0.0.0", "::"))  # noqa: S104 (compared with, not bound to)


class Lookout:
    """Looks at the model server and at our own processes, in a thread of its own."""

    def __init__(self, watch: "ServerWatch | None", pids: Callable[[], Mapping[str, int]], interval_s: float) -> None:
        """`pids` gives our own processes by what they are."""
        self._watch = watch
        self._pids = pids
        self._interval_s = interval_s
        self.server = ServerVitals(watched=False)  # not looked at yet: that it is down would be made up
        self.processes: dict[str, ProcessVitals] = {}

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        while True:
            try:
                if self._watch:
                    self.server = self._watch.look()
                self.processes = own(self._pids())
            except Exception:  # noqa: BLE001 (the next look may succeed)
                _LOG.exception("looking at processes failed")
            if stop.wait(self._interval_s):
                return


class ServerWatch:
    """Looks after the model server from outside: is it up, and what does it use."""

    def __init__(self, place: Place, pid: int | None, ours: Callable[[], Iterable[int]]) -> None:
        """`pid` where it is known; `ours` gives processes that are never taken for the server."""
        self._place = place
        self._declared = pid
        self._ours = ours
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
                vitals = _total(tree, with_ended_children=True)
                return ServerVitals(up, visible=True, processes=len(tree), process=vitals)
        except psutil.Error as error:
            self._root = None
            self._tell(f"the model server's process cannot be read ({type(error).__name__})")
        return ServerVitals(up)

    def _connects(self) -> bool:
        try:
            if isinstance(self._place, tuple):
                with socket.create_connection(self._place, _CONNECT_TIMEOUT_S):
                    return True
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                sock.settimeout(_CONNECT_TIMEOUT_S)
                sock.connect(self._place)
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
        eldest = min((psutil.Process(pid) for pid in listeners), key=lambda one: (one.create_time(), one.pid))
        return self._first_holder(eldest)

    def _first_holder(self, process: psutil.Process) -> psutil.Process:
        """The ancestor that opened the socket: a pre-forking server's workers inherit it, and any may be found."""
        parent = process.parent()
        while parent is not None and self._holds(parent):
            process, parent = parent, parent.parent()
        return process

    def _holds(self, process: psutil.Process) -> bool:
        try:
            found = process.net_connections(kind="tcp")
        except psutil.Error:
            return False
        return any(self._is_server(one, self._local_addresses()) for one in found)

    def _listeners(self) -> set[int]:
        """Processes of this host that listen where the upstream's name points to."""
        if isinstance(self._place, str):
            return self._socket_holders(self._place)
        addresses = self._local_addresses()
        if not addresses:
            return set()
        try:
            found = psutil.net_connections(kind="tcp")
        except psutil.AccessDenied:
            return set()
        return {one.pid for one in found if one.pid and self._is_server(one, addresses)} - set(self._ours())

    def _socket_holders(self, path: str) -> set[int]:
        try:
            found = psutil.net_connections(kind="unix")
        except psutil.AccessDenied:
            return set()
        # A server's accepted sockets carry the path too; whoever holds them is the server as well.
        return {one.pid for one in found if one.pid and str(one.laddr) == path} - set(self._ours())

    def _is_server(self, one: Any, addresses: set[str]) -> bool:  # noqa: ANN401 (psutil's record is private)
        if one.status != psutil.CONN_LISTEN or not one.laddr:
            return False
        return one.laddr.port == self._place[1] and (one.laddr.ip in _ANY or one.laddr.ip in addresses)

    def _local_addresses(self) -> set[str]:
        """The upstream's addresses that are this host's own: another host's server has no process here."""
        if isinstance(self._place, str):
            return set()
        try:
            found = socket.getaddrinfo(*self._place, type=socket.SOCK_STREAM)
        except OSError:
            return set()
        own_addresses = {address.address for each in psutil.net_if_addrs().values() for address in each}
        named = {str(info[4][0]) for info in found}
        return {one for one in named if one in own_addresses or one.startswith("127.") or one == "::1"}

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
                vitals[name] = _total([psutil.Process(pid)], with_ended_children=False)
        except psutil.Error:
            continue
    return vitals


def _total(processes: list[psutil.Process], *, with_ended_children: bool) -> ProcessVitals:
    """The sum over processes; CPU time of children that have ended stands in their parents' figures."""
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
        if with_ended_children:
            cpu += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return ProcessVitals(cpu, resident, processes[0].create_time())
