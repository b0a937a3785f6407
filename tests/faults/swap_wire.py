"""What clients and server of the check for swapped answers say to each other: every message holds its own number."""

import mmap
import re
import struct
from pathlib import Path
from typing import Final

HEAD: Final = re.compile(rb"POST (/\w+) HTTP/1\.1\r\nHost: x\r\nX-Request-Id: (\d+)\r\nContent-Length: (\d+)\r\n\r\n")
PLAIN, IN_PIECES, LATE = b"/plain", b"/pieces", b"/late"
"""How the server is to answer."""
RESET, CUT_OFF = b"/reset", b"/cut"
"""How it is to fail: half an answer, and then a reset or an ordinary end."""

RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""For SO_LINGER."""


def body(number: int, repeat: int) -> bytes:
    return b"%d," % number * repeat


def request(number: int, content: bytes, how: bytes = PLAIN) -> bytes:
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nX-Request-Id: %d\r\nContent-Length: %d\r\n\r\n"
    return head % (how, number, len(content)) + content


def answer(number: int, content: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nX-Request-Id: %d\r\nContent-Length: %d\r\n\r\n%s" % (number, len(content), content)


def marks(path: Path) -> mmap.mmap:
    """One byte for each number, in a file that processes share."""
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), 0)
