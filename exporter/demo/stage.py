"""Processes of the demo: started, waited for, and ended whatever happens.

An interrupt is noted when it comes and acted upon only while waiting. Between the start of a process and the note that
it has to be ended there is no moment in which Ctrl-C could lose it.

What our processes start is ended as well, even where it outlives whoever started it: it inherits a mark.
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
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final

import psutil

from exporter.errors import UpstreamError

START_TIMEOUT_S: Final = 60.0
_END_TIMEOUT_S: Final = 15.0
_LOOK_S: Final = 0.05
_LINES_SHOWN: Final = 12
_MARK: Final = "DEMO_STAGE"
"""The environment variable by which whatever belongs to a stage is known: its directory."""
_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Process = subprocess.Popen[bytes]


class Stage:
    """A directory, the processes that work in it, and the wish of whoever watches to stop."""

    def __init__(self, directory: Path, stack: ExitStack, wish: "Wish") -> None:
        self.directory = directory
        self._stack = stack
        self._wish = wish
        self._names: dict[Process, str] = {}
        self._spared: set[Process] = set()
        self._gone: dict[str, str] = {}

    def act_at_once(self) -> None:
        """From now on a wish to stop is acted upon in no time, so that nobody need be told that it was noted."""
        self._wish.told = True

    def pause(self, seconds: float) -> None:
        """Wait. KeyboardInterrupt where that was wished for in the meantime."""
        until = time.monotonic() + seconds
        while True:
            if self._wish.noted:
                raise KeyboardInterrupt
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _LOOK_S))

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until it holds. UpstreamError, naming what did not come to be, where it takes too long."""
        if not self.waited(condition):
            raise UpstreamError(f"{what} took longer than {START_TIMEOUT_S:.0f} s")

    def waited(self, condition: Callable[[], bool]) -> bool:
        """Wait until it holds; whether it did before it took too long."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            self.look()
            if condition():
                return True
            if time.monotonic() > deadline:
                return False
            self.pause(_LOOK_S)

    # processes

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Process:
        """Start a process in a session of its own: Ctrl-C reaches us alone, and we end it in order."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (our own modules, and tools found on PATH)
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=os.environ | {"OMP_NUM_THREADS": "1", _MARK: str(self.directory)} | dict(environment or {}),
            )  # fmt: skip
        self._names[process] = name
        self._stack.callback(self.end, process)
        return process

    def spare(self, process: Process) -> None:
        """From now on it may end without ending everything: that is only told, by `gone`."""
        self._spared.add(process)

    def __contains__(self, process: Process) -> bool:
        """Whether it was started, and neither was ended nor seen to have ended."""
        return process in self._names

    def run(self, name: str, command: Sequence[str]) -> str:
        """Run a process to its end; what it printed. UpstreamError where it failed."""
        process = self.start(name, command)
        while process.poll() is None:
            self.pause(_LOOK_S)
        if process.returncode:
            raise UpstreamError(self.fate(process))
        self.end(process)
        return self.log(name).read_text(errors="replace")

    def look(self) -> None:
        """UpstreamError where a process has ended of itself, unless it was spared."""
        for process in [process for process in self._names if process.poll() is not None]:
            if process not in self._spared:
                raise UpstreamError(self.fate(process))
            self._gone[self._names[process]] = self.fate(process)
            self.end(process)

    def gone(self) -> Mapping[str, str]:
        """Who was spared and has ended since the last call, and how."""
        found, self._gone = self._gone, {}
        return found

    def gone_as(self, name: str) -> str:
        """The same of one alone; nothing where it has not ended."""
        return self._gone.pop(name, "")

    def fate(self, process: Process) -> str:
        """How a process ended, and what it said last."""
        name = self._names[process]
        words = self.last_words(name)
        return f"{name} {ending(process.returncode)}" + (f":\n{words}" if words else "")

    def end(self, process: Process) -> None:
        """End a process for good; once it has ended this does nothing."""
        if self._names.pop(process, None) is None:
            return
        process.terminate()
        try:
            process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def at_last(self, command: Sequence[str]) -> None:
        """A command to run on the way out, when the processes that are started from now on have ended."""
        self._stack.callback(_try, command)

    def log(self, name: str) -> Path:
        """Where a process's output goes."""
        return self.directory / f"{name.replace(' ', '-')}.log"

    def last_words(self, name: str) -> str:
        """The end of a process's output."""
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-_LINES_SHOWN:])


class Wish:
    """The wish to stop: it is noted, and whoever pressed Ctrl-C is told so."""

    def __init__(self) -> None:
        self.noted = False
        self.told = False

    def note(self, _: int, __: FrameType | None) -> None:
        """A signal came. Not printed: whatever it interrupts may be in the middle of printing."""
        self.noted = True
        if not self.told:
            self.told = True
            with suppress(OSError):  # a terminal that was closed: that is a way to press Ctrl-C, too
                os.write(1, "stopping …\n".encode())


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage. On the way out nothing may interrupt: every process is ended, the directory removed."""
    with ExitStack() as stack:
        wish = Wish()
        for number in _INTERRUPTS:  # first, and back to what they were last of all
            # Under nohup a terminal that is closed is no reason to stop.
            if (number, signal.getsignal(number)) != (signal.SIGHUP, signal.SIG_IGN):
                stack.callback(signal.signal, number, signal.signal(number, wish.note))
        directory = Path(tempfile.mkdtemp(prefix="inference-exporter-demo-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        stack.callback(_end_marked, directory)
        yield Stage(directory, stack, wish)


def ending(code: int) -> str:
    """An exit code of `subprocess`, in words."""
    if code >= 0:
        return f"ended with {code}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"


def _end_marked(directory: Path) -> None:
    """End what our processes left behind. Whoever could end it in good order is gone, so it is killed."""
    deadline = time.monotonic() + _END_TIMEOUT_S
    while (left := _marked(directory)) and time.monotonic() < deadline:
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(_LOOK_S)


def _marked(directory: Path) -> list[psutil.Process]:
    """Processes that belong to the stage and still run."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(_MARK) == str(directory) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _try(command: Sequence[str]) -> None:
    """Run a command that may well fail."""
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, capture_output=True, timeout=_END_TIMEOUT_S, check=False, start_new_session=True)  # noqa: S603


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
