"""Processes of the demo: started, waited for, and ended whatever happens.

An interrupt is noted when it comes and acted upon only while waiting. Between the start of a process and the note that
it has to be ended there is no moment in which Ctrl-C could lose it.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from exporter.errors import UpstreamError

_START_TIMEOUT_S: Final = 60.0
_END_TIMEOUT_S: Final = 15.0
_LOOK_S: Final = 0.05
_LINES_SHOWN: Final = 12
# Closing the terminal is a way to press Ctrl-C, too.
_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Process = subprocess.Popen[bytes]


class Stage:
    """A directory, the processes that work in it, and the wish of whoever watches to stop."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self._stack = stack
        self._names: dict[Process, str] = {}
        self._interrupted = False

    def interrupt(self, _: int, __: FrameType | None) -> None:
        """Stop at the next wait."""
        self._interrupted = True

    def pause(self, seconds: float) -> None:
        """Wait. KeyboardInterrupt where that was wished for in the meantime."""
        until = time.monotonic() + seconds
        while True:
            if self._interrupted:
                raise KeyboardInterrupt
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _LOOK_S))

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until it holds. UpstreamError, naming what did not come to be, where it takes too long."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not condition():
            if time.monotonic() > deadline:
                raise UpstreamError(f"{what} took longer than {_START_TIMEOUT_S:.0f} s")
            self.look()
            self.pause(_LOOK_S)

    # processes

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Process:
        """Start a process in a session of its own: Ctrl-C reaches us alone, and we end it in order."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (our own modules, and tools found on PATH)
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=os.environ | {"OMP_NUM_THREADS": "1"} | dict(environment or {}),
            )  # fmt: skip
        self._names[process] = name
        self._stack.callback(self.end, process)
        return process

    def run(self, name: str, command: Sequence[str]) -> str:
        """Run a process to its end; what it printed. UpstreamError where it failed."""
        process = self.start(name, command)
        while process.poll() is None:
            self.pause(_LOOK_S)
        self._names.pop(process)
        if process.returncode:
            raise UpstreamError(f"{name} ended with {process.returncode}:\n{self.last_words(name)}")
        return self.log(name).read_text(errors="replace")

    def look(self) -> None:
        """UpstreamError where a process has ended of itself."""
        for process, name in self._names.items():
            if process.poll() is not None:
                raise UpstreamError(f"{name} ended with {process.returncode}:\n{self.last_words(name)}")

    def end(self, process: Process) -> None:
        """End a process for good; once it has ended this does nothing."""
        self._names.pop(process, None)
        process.terminate()
        try:
            process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log(self, name: str) -> Path:
        """Where a process's output goes."""
        return self.directory / f"{name.replace(' ', '-')}.log"

    def last_words(self, name: str) -> str:
        """The end of a process's output."""
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-_LINES_SHOWN:])


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage. On the way out nothing may interrupt: every process is ended, the directory removed."""
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="inference-exporter-demo-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        found = Stage(directory, stack)
        for number in _INTERRUPTS:
            stack.callback(signal.signal, number, signal.signal(number, found.interrupt))
        yield found


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody uses now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def listening(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def answers(url: str) -> bool:
    """Whether a GET is answered by a success."""
    try:
        urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 (our own address)
    except OSError:
        return False
    return True
