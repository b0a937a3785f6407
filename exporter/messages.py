"""HTTP messages as far as they have passed, and who is told of them. No parser is known here."""

from collections import deque
from collections.abc import Iterator
from typing import Final, Protocol

from exporter import marks
from exporter.records import Capture

LONGEST_PATH: Final = 1024
KEPT_HEADERS: Final = frozenset((
    b"content-type", b"content-encoding", b"inference-header-content-length", b"user-agent",
    b"x-request-id", b"traceparent", b"seldon-puid", b"x-amzn-sagemaker-inference-id",
    b"x-amzn-sagemaker-target-model", b"x-amzn-sagemaker-target-variant",
    b"ce-id", b"ce-requestid", b"ce-modelid", b"ce-inferenceservicename", marks.GOLDEN.encode(),
))  # fmt: skip
"""What decoding needs, what names a model, what tells one exchange from another, and what tells one that is no data."""
LONGEST_VALUE: Final = 512


def header_text(value: bytes) -> str:
    """A header's value as it is kept: cut, and on one line."""
    return value[:LONGEST_VALUE].decode("latin-1").replace("\n", " ")


class Message:
    """A request or a response as far as it has passed."""

    __slots__ = (
        "begun_ns", "body_size", "capture", "complete", "content", "headers", "method", "status", "target"
    )  # fmt: skip

    def __init__(self, begun_ns: int) -> None:
        self.begun_ns = begun_ns
        self.method = ""
        self.target = b""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body_size = 0
        self.capture = Capture.SKIPPED
        """Whether the body is kept; the listener decides."""
        self.content = bytearray()
        """The body so far, or its beginning where `capture` is TRUNCATED. In one block: tiny parts in a list cost
        thirty times more."""
        self.complete = False

    @property
    def path(self) -> str:
        """The target without its query, cut at 1024 bytes."""
        return self.target.partition(b"?")[0][:LONGEST_PATH].decode("latin-1")


class Unanswered:
    """The requests of a connection that wait for their responses, oldest first."""

    __slots__ = ("_messages", "heads")

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self.heads = 0
        """How many of them are HEAD."""

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)

    @property
    def first(self) -> Message:
        """The one that is answered next."""
        return self._messages[0]

    def append(self, message: Message) -> None:
        """One more request."""
        self._messages.append(message)
        self.heads += message.method == "HEAD"

    def popleft(self) -> Message:
        """The first one is answered."""
        message = self._messages.popleft()
        self.heads -= message.method == "HEAD"
        return message


class Listener(Protocol):
    """Who is told of the messages of one direction."""

    def head(self, message: Message) -> None:
        """A message's head is complete."""

    def body(self, message: Message, part: bytes) -> None:
        """A part of its body was seen (the size is already added)."""

    def done(self, message: Message) -> None:
        """Its last byte was seen."""
