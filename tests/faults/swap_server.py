"""Answers every request with its own number and body, fails where it is told to, and at times takes in nobody.

python -m faults.swap_server LISTENING-FD FILE-OF-MARKS
"""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any, Final

import uvloop
from faults.swap_wire import CUT_OFF, HEAD, IN_PIECES, LATE, PLAIN, RESET, RESET_ON_CLOSE, answer, marks

SEEN: Final = 1
"""Mark of a request that came."""
_OPEN_S, _SHUT_S = 1.5, 0.5
_LATE_S: Final = 0.02


class Echo(asyncio.Protocol):
    """One connection."""

    def __init__(self, seen: Any) -> None:
        self._seen = seen
        self._heard = b""
        self._ended = self._waiting = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if not self._waiting:
            self._answer_all()

    def eof_received(self) -> bool:
        self._ended = True
        return self._waiting

    def _answer_all(self) -> None:
        at, said = 0, []
        while head := HEAD.match(self._heard, at):
            begin, end = head.end(), head.end() + int(head[3])
            if end > len(self._heard):
                break
            how, number, content = head[1], int(head[2]), self._heard[begin:end]
            at = end
            self._seen[number] = SEEN
            said.append(answer(number, content))
            if how != PLAIN:
                last = said.pop()
                self._transport.write(b"".join(said))
                said = []
                self._answer_oddly(how, last)
                if self._waiting or self._transport.is_closing():
                    break
        self._heard = self._heard[at:]
        if said:
            self._transport.write(b"".join(said))

    def _answer_oddly(self, how: bytes, said: bytes) -> None:
        half = len(said) // 2
        if how == IN_PIECES:
            self._transport.write(said[:half])
            self._later(0, said[half:])
        elif how == LATE:
            self._later(_LATE_S, said)
        else:
            assert how in {RESET, CUT_OFF}
            self._transport.write(said[:half])
            if how == RESET:
                raw = self._transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                self._transport.abort()
            self._transport.close()

    def _later(self, delay: float, said: bytes) -> None:
        self._waiting = True
        asyncio.get_running_loop().call_later(delay, self._go_on, said)

    def _go_on(self, said: bytes) -> None:
        self._waiting = False
        if not self._transport.is_closing():
            self._transport.write(said)
            self._answer_all()
            if self._ended and not self._waiting:
                self._transport.close()


async def main(listener: socket.socket, seen: Any) -> None:
    loop = asyncio.get_running_loop()
    listener.setblocking(False)
    arriving = set()

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            task = loop.create_task(loop.connect_accepted_socket(lambda: Echo(seen), client))
            arriving.add(task)
            task.add_done_callback(arriving.discard)

    while True:
        loop.add_reader(listener.fileno(), accept)
        await asyncio.sleep(_OPEN_S)
        loop.remove_reader(listener.fileno())  # the queue fills, and whoever comes then waits in vain
        await asyncio.sleep(_SHUT_S)


if __name__ == "__main__":
    uvloop.run(main(socket.socket(fileno=int(sys.argv[1])), marks(Path(sys.argv[2]))))
