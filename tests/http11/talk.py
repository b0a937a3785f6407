"""Both directions of a connection, read as the relay would."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from exporter.http11 import RequestReader, ResponseReader, Unobservable
from exporter.messages import Message, Unanswered

GET, HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADING = b"POST /u HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"


class Read(NamedTuple):
    """One message, as it was read."""

    what: str
    target: str
    body: bytes
    complete: bool


class Ear:
    """Hears one direction."""

    def __init__(self, unanswered: Unanswered, *, answers: bool) -> None:
        self.unanswered = unanswered
        self.answers = answers
        self.messages: list[Message] = []
        self.bodies: defaultdict[int, list[bytes]] = defaultdict(list)

    def head(self, message: Message) -> None:
        self.messages.append(message)
        if not self.answers:
            self.unanswered.append(message)

    def body(self, message: Message, part: bytes) -> None:
        self.bodies[id(message)].append(part)

    def done(self, _: Message) -> None:
        if self.answers:
            self.unanswered.popleft()

    def read(self) -> list[Read]:
        read = []
        for message in self.messages:
            body = b"".join(self.bodies[id(message)])
            assert message.body_size == len(body)
            what = str(message.status) if self.answers else message.method
            read.append(Read(what, message.target.decode("latin-1"), body, message.complete))
        return read


class Talk:
    """Both directions of a connection."""

    def __init__(self) -> None:
        unanswered = Unanswered()
        self.asked, self.answered = Ear(unanswered, answers=False), Ear(unanswered, answers=True)
        self.requests = RequestReader(self.asked, lambda: 0)
        self.responses = ResponseReader(self.answered, lambda: 0, unanswered)

    def hear(self, requests: Sequence[bytes], responses: Sequence[bytes], *, eof: bool = False) -> str:
        """Feed both; why it became unobservable, or nothing."""
        try:
            for part in requests:
                self.requests.feed(part)
            for part in responses:
                self.responses.feed(part)
            if eof:
                self.responses.eof()
        except Unobservable as loss:
            return str(loss.args[0])
        return ""


def cut(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    parts, at = [], 0
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    return [part for part in [*parts, data[at:]] if part]
