"""An exchange as the bytes of one record, and back. No pickle: what crosses is shaped by strangers.

Layout: a fixed head, then method, path, both header blocks (`name:value` lines, Latin-1) and both bodies, each
preceded by its length in the head. The bodies may be lost on the way (`ring`): they are then shed, all else is there.
"""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from exporter.glance import Head
from exporter.records import Body, Capture, Exchange

_MOMENTS: Final = struct.Struct("<QQQQ")
MOMENTS_BYTES: Final = _MOMENTS.size
_FORM: Final = struct.Struct("<QQHBBBHHIIII")
_HEAD: Final = struct.Struct("<QQQQQQHBBBHHIIII")  # the one behind the other
_CAPTURES: Final = {int(capture): capture for capture in Capture}
_KEPT_BLOCKS: Final = 256
_LONGEST_KEPT: Final = 512
BODIES: Final = 5
"""Where in a record's parts its two bodies begin."""


def pack(exchange: Exchange) -> tuple[bytes, ...]:
    """The parts of a record, in order, to be written behind each other."""
    request, response = exchange.request, exchange.response
    texts = (
        exchange.method.encode("latin-1"),
        exchange.path.encode("latin-1"),
        _pack_headers(exchange.request_headers),
        _pack_headers(exchange.response_headers),
    )
    head = _HEAD.pack(
        exchange.ended_ns, exchange.wall_ns, exchange.duration_ns, exchange.first_byte_ns, request.size, response.size,
        exchange.status, request.capture, response.capture, exchange.halvings,
        *map(len, texts), len(request.content), len(response.content),
    )  # fmt: skip
    return (head, *texts, request.content, response.content)


def moments(ended_ns: int, wall_ns: int, duration_ns: int) -> bytes:
    """How a record of whole messages begins: when it ended, on both clocks, and how long it took.

    Its answer came in one read: the first byte when the last one did.
    """
    return _MOMENTS.pack(ended_ns, wall_ns, duration_ns, duration_ns)


def form(request: Head, response: Head, why: Capture, halvings: int) -> bytes:
    """What follows the moments, up to the bodies: all that an exchange of whole messages has from its heads.

    `why` says that the bodies will be there, or why not.
    """
    method, path, asked = request.texts
    [answered] = response.texts
    lost = why is not Capture.WHOLE and why is not Capture.SKIPPED
    sizes = (request.body_size, response.body_size)
    captures = [Capture.WHOLE if lost and not size else why for size in sizes]  # what is empty cannot be lost
    present = sizes if why is Capture.WHOLE else (0, 0)
    lengths = (len(method), len(path), len(asked), len(answered))
    head = _FORM.pack(*sizes, response.status, *captures, halvings, *lengths, *present)
    return b"".join((head, method, path, asked, answered))


def without_bodies(exchange: Exchange, why: Capture = Capture.SHED) -> Exchange:
    """The same exchange with its bodies shed, or whatever the reason is; sizes stay true."""
    request, response = (
        body._replace(capture=why, content=b"") if body.content else body
        for body in (exchange.request, exchange.response)
    )
    return exchange._replace(request=request, response=response)


def unpack(record: bytes) -> Exchange:
    """The exchange in a record. ValueError where the lengths do not add up."""
    if len(record) < _HEAD.size:
        raise ValueError("record shorter than its head")
    (ended, wall, duration, first_byte, request_size, response_size, status, request_capture, response_capture,
     halvings, method, path, asked, answered, request, response) = _HEAD.unpack_from(record)  # fmt: skip
    # Where each part ends: written out, because every exchange passes here.
    method += _HEAD.size
    path += method
    asked += path
    answered += asked
    whole = answered + request + response
    bodies_lost = answered == len(record) != whole
    if whole != len(record) and not bodies_lost:
        raise ValueError("record of the wrong length")
    if request_capture not in _CAPTURES or response_capture not in _CAPTURES:
        raise ValueError("record of an unknown capture")
    exchange = Exchange(
        ended, wall, duration, status,
        record[_HEAD.size : method].decode("latin-1"), record[method:path].decode("latin-1"),
        _headers(record[path:asked]), _headers(record[asked:answered]),
        Body(request_size, _CAPTURES[request_capture], record[answered : answered + request]),
        Body(response_size, _CAPTURES[response_capture], record[answered + request :]), halvings,
        first_byte,
    )  # fmt: skip
    return _without_lost(exchange, (request, response)) if bodies_lost else exchange


def _without_lost(exchange: Exchange, lengths: Sequence[int]) -> Exchange:
    """The same exchange, where the bodies that had a length were lost on the way."""
    request, response = (
        body._replace(capture=Capture.SHED) if length else body
        for body, length in zip((exchange.request, exchange.response), lengths, strict=True)
    )
    return exchange._replace(request=request, response=response)


def _pack_headers(headers: Mapping[str, str]) -> bytes:
    return "\n".join([f"{name}:{value}" for name, value in headers.items()]).encode("latin-1")


def _headers(block: bytes) -> Mapping[str, str]:
    return _known_headers(block) if len(block) <= _LONGEST_KEPT else _unpack_headers(block)


def _unpack_headers(block: bytes) -> Mapping[str, str]:
    lines = block.decode("latin-1").split("\n") if block else []
    return MappingProxyType({name: value for name, _, value in (line.partition(":") for line in lines)})


_known_headers = lru_cache(_KEPT_BLOCKS)(_unpack_headers)
"""Most exchanges have the heads of those before them."""
