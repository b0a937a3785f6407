"""One side of an exchange, opened once, and how the protocols on the shelf say that it is theirs."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from exporter.decode import delimited, inflate, json_body
from exporter.decode.media import Kind, Media, media
from exporter.decode.prefix import Rows
from exporter.errors import DecodeError
from exporter.records import Body, Capture, Table

_UNREAD: Final = object()
_JSON: Final = Kind.JSON  # a member of an enum costs more than a name


class Payload:
    """The bytes of a body as they were meant, and what came with them."""

    __slots__ = ("_cells", "_json", "_places", "content", "headers", "kind", "media", "partial", "rows_in")

    def __init__(self, body: Body, headers: Mapping[str, str], places: Collection[Rows], rows_in: int = 0) -> None:
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
        self.rows_in = rows_in
        """Of an answer: how many rows it answers, as far as that is known; 0 where it is not."""
        if "content-encoding" in headers:
            self.content, self.partial = inflate.inflated(body.content, headers["content-encoding"], self.partial)
        self._places = places
        self._json: Any = _UNREAD
        self._cells: list[list[object]] | None = None
        self.media: Media = media(headers.get("content-type", ""))
        kind = self.media.kind
        self.kind = kind if kind is _JSON else self._kind(kind)

    def _kind(self, said: Kind) -> Kind:
        """What it is, where the Content-Type may not be the last word; what is empty is as good as JSON."""
        begins_so = said is Kind.UNSURE and self.content.lstrip()[:1] in {b"{", b"["}
        return _JSON if begins_so or not self.content else said

    @property
    def json(self) -> Any:  # noqa: ANN401 (whatever JSON has)
        """All of it as one JSON value, or the complete rows of it; parsed when first asked for.

        DecodeError: empty, invalid_json, truncated.
        """
        if self._json is _UNREAD:
            read = self.content
            self._json = json_body.beginning(read, self._places) if self.partial else json_body.parsed(read)
        return self._json

    @property
    def document(self) -> dict[str, Any]:
        """As `json`, of what is an object. DecodeError: those, and unknown_protocol."""
        found = self._json
        if type(found) is not dict:
            found = self.json
            if type(found) is not dict:
                raise DecodeError("unknown_protocol", f"the top level is a {type(found).__name__}, not an object")
        return found

    @property
    def read_json(self) -> object:
        """The JSON value as far as it was read; None where none was."""
        return None if self._json is _UNREAD else self._json

    def tell(self, part: Mapping[str, Any]) -> None:
        """Let one of the JSON values of a body that has several speak for it, as far as none has spoken yet."""
        if self._json is _UNREAD:
            self._json = part

    def head(self, size: int) -> dict[str, Any]:
        """The object in the first `size` bytes, which tensors in binary follow. DecodeError as `document`."""
        self._json = json_body.parsed(self.content[:size])
        return self.document

    @property
    def cells(self) -> list[list[object]]:
        """All rows of CSV, the first one too. DecodeError: empty, truncated, content_type, invalid_csv."""
        if self._cells is None:
            self._cells = delimited.rows(self.content, self.media.charset, partial=self.partial)
        return self._cells

    @property
    def lines(self) -> list[Any]:
        """The values of JSON lines. DecodeError: empty, truncated, invalid_json."""
        content = self.content
        if self.partial:
            content = content[: content.rfind(b"\n") + 1]
            if not content:
                raise DecodeError("truncated", "no complete line")
        return json_body.lines(content)


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
    bare: Callable[[object], bool] | None = None
    """Whether JSON is its own that has none of the keys of anybody."""
    kinds: tuple[Kind, ...] = ()
    """What else than JSON it can be."""
    picks: Callable[[Payload], bool] | None = None
    """Where others have the same kinds: whether a body of such a kind is its own."""
    paths: tuple[str, ...] = ()
    """Of a request: regular expressions for ends of paths; on these it comes before the others."""
    id: str = ""
    """JSON pointer to the request's id."""
    model: tuple[str, str] = ("", "")
    """Of an answer: keys of the top level that hold the model's name and version."""


class Shelf:
    """Sides that a payload may belong to, the likelier claims first."""

    __slots__ = ("_bare", "_by_head", "_by_key", "_by_kind", "rows", "sides")

    def __init__(self, *sides: Side, forced: bool = False, bare: Collection[Side] | None = None) -> None:
        """`forced`: nobody else comes into question; `bare`: who reads what has no known key, all where left out."""
        self.sides = sides
        self.rows = tuple(place for side in sides for place in side.rows)
        self._by_head = [(side.by_head, side) for side in sides if side.by_head]
        self._by_key = [(key, None if forced else side.claims, side) for side in sides for key in side.keys]
        self._bare = [(side.bare, side) for side in (sides if bare is None else bare) if side.bare]
        self._by_kind = [(kind, None if forced else side.picks, side) for side in sides for kind in side.kinds]

    def side_of(self, payload: Payload) -> Side:
        """Whose it is. DecodeError: unknown_protocol, content_type, multipart, and those of `Payload.json`."""
        for announces, side in self._by_head:
            if announces(payload):
                return side
        if payload.kind is not _JSON:
            return self._side_of_kind(payload)
        document = payload.json
        if type(document) is dict:
            for key, claims, side in self._by_key:
                if key in document and (claims is None or claims(document)):
                    return side
        for is_own, side in self._bare:
            if is_own(document):
                return side
        if not isinstance(document, dict):
            raise DecodeError("unknown_protocol", f"the top level is a {type(document).__name__}, not an object")
        raise DecodeError("unknown_protocol", "no known key at the top level")

    def _side_of_kind(self, payload: Payload) -> Side:
        for kind, picks, side in self._by_kind:
            if kind is payload.kind and (picks is None or picks(payload)):
                return side
        if payload.kind is Kind.FORM:
            raise DecodeError("multipart", "forms are not read")
        raise DecodeError("content_type", f"{payload.kind.value} where that is not read")
