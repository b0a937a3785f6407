"""One side of an exchange, opened once, and how the protocols on the shelf say that it is theirs."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from exporter.decode import inflate, json_body
from exporter.decode.prefix import Rows
from exporter.errors import DecodeError
from exporter.records import Body, Capture, Table


class Payload:
    """The bytes of a body as they were meant, and what came with them."""

    __slots__ = ("_json", "_places", "content", "headers", "partial")

    def __init__(self, body: Body, headers: Mapping[str, str], places: Collection[Rows]) -> None:
        """`places` are where lists of rows may be, should the body have been cut off.

        DecodeError: sampled, shed, content_encoding, corrupt.
        """
        capture = body.capture
        self.partial = capture is not Capture.WHOLE
        """Whether `content` is a beginning only."""
        if self.partial and capture is not Capture.TRUNCATED:
            raise DecodeError("sampled" if capture is Capture.SAMPLED else "shed")
        self.content = body.content
        self.headers = headers
        if "content-encoding" in headers:
            self.content, self.partial = inflate.inflated(body.content, headers["content-encoding"], self.partial)
        self._places = places
        self._json: object = None

    @property
    def json(self) -> Any:  # noqa: ANN401 (whatever JSON has)
        """All of it as one JSON value, or the complete rows of it; parsed when first asked for.

        DecodeError: empty, invalid_json, truncated.
        """
        if self._json is None:
            read = self.content
            self._json = json_body.beginning(read, self._places) if self.partial else json_body.parsed(read)
        return self._json

    @property
    def document(self) -> Mapping[str, Any]:
        """The same as one object. DecodeError: unknown_protocol, and those of `json`."""
        return json_body.as_object(self.json)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Requests, or responses, of one protocol: how they are recognised and read."""

    read: Callable[[Payload], Table]
    """Raises DecodeError and nothing else; its messages never hold a value of the payload."""
    keys: tuple[str, ...] = ()
    """Keys of a JSON object's top level that announce it."""
    rows: tuple[Rows, ...] = ()
    """Where it has lists of rows."""
    claims: Callable[[Mapping[str, Any]], bool] | None = None
    """Where others have the same keys: whether an object that has one of them is its own."""
    by_head: Callable[[Payload], bool] | None = None
    """Whether headers alone announce it; the body need not be JSON then."""


class Shelf:
    """Sides that a payload may belong to, the likelier claims first."""

    __slots__ = ("_by_head", "_by_key", "rows", "sides")

    def __init__(self, *sides: Side) -> None:
        self.sides = sides
        self.rows = tuple(place for side in sides for place in side.rows)
        self._by_head = [(side.by_head, side) for side in sides if side.by_head]
        self._by_key = [(key, side.claims, side) for side in sides for key in side.keys]

    def side_of(self, payload: Payload) -> Side:
        """Whose it is. DecodeError: unknown_protocol, and those of `Payload.document`."""
        for announces, side in self._by_head:
            if announces(payload):
                return side
        document = payload.document
        for key, claims, side in self._by_key:
            if key in document and (claims is None or claims(document)):
                return side
        raise DecodeError("unknown_protocol", "no known key at the top level")
