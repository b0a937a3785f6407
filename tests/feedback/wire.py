"""Between a client and a server, byte by byte: it can be cut once the server has answered, before that is heard."""

import select
import socket
import threading
from contextlib import suppress
from typing import Self


class Wire:
    """Ended with its block."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._marks: tuple[bytes, ...] = ()
        self.cuts = 0

    def cut_after(self, *marks: bytes) -> None:
        """Once: whoever has said these next, one after the other, hears nothing of the answer, though there was one."""
        self._marks = marks

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._to)) as server, suppress(OSError):
            is_marked = False
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    piece = ready.recv(1 << 16)
                    if not piece:
                        return
                    if ready is client:
                        server.sendall(piece)
                        if self._marks and self._marks[0] in piece:
                            self._marks = self._marks[1:]
                            is_marked = not self._marks
                    elif is_marked:
                        self.cuts += 1
                        return
                    else:
                        client.sendall(piece)
