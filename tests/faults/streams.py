"""Conversations over one connection: HTTP/1 as it should be, as it should not be, and damaged on the way."""

from collections.abc import Sequence
from typing import Final

from faults.lockstep import Said, Side
from hypothesis import strategies as st

_METHODS: Final = ([b"POST"] * 4 + [b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"], [b"CONNECT", b"FOO", b"post"])
_TARGETS: Final = ([b"/v1/models/m:predict", b"/", b"/p?q=1", b"http://x/"], [b"*", b"/\xe4", b"", b"/a b"])
_VERSIONS: Final = ([b"HTTP/1.1"], [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.9", b"HTTP/0.9", b"ICE/1.0"])
_STATUSES: Final = ([b"200"] * 4 + [b"204", b"304", b"404", b"500"], [b"101", b"100", b"199", b"000", b"999"])
_FIELDS: Final = (
    [
        b"Host: x", b"X-Request-Id: 7", b"Content-Type: application/json", b"Connection: keep-alive", b"X: \xff\x80",
        b"X:", b"Expect: 100-continue", b"X: " + b"long " * 900,
    ],
    [
        b"Connection: close", b"Connection: Upgrade\r\nUpgrade: h2c", b"Upgrade: websocket", b"X : y", b" folded",
        b": none", b"no colon",
    ],
)  # fmt: skip
_BODIES: Final = st.binary(max_size=60) | st.integers(500, 9000).map(lambda size: b"x" * size)
_EXTENSIONS: Final = ([b"", b";a=b", b'; a="b;c"'], [b" ;", b";"])
_TRAILERS: Final = ([b"", b"X: y\r\n", b"Host: y\r\n"], [b"Content-Length: 9\r\n", b"\n"])
_WRONG_FRAMINGS: Final = st.sampled_from([
    b"Content-Length: 3", b"Content-Length: +3", b"Content-Length: 99999999999999999999", b"Content-Length: ",
    b"Content-Length: 1\r\nContent-Length: 2", b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked, gzip", b"Transfer-Encoding:\tchunked ",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
])  # fmt: skip
_GARBAGE: Final = st.sampled_from([
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\r\n\r\n", b"\n", b"\r", b"\0", b"0\r\n\r\n",
    b"HTTP/1.1", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"ffffffffffffffffff\r\n",
]) | st.binary(max_size=30)  # fmt: skip


def _rarely(draw: st.DrawFn) -> bool:
    """Seldom enough for most conversations to get somewhere."""
    return draw(st.sampled_from([False] * 60 + [True]))


def _one(draw: st.DrawFn, usual_and_odd: tuple[list[bytes], list[bytes]]) -> bytes:
    return draw(st.sampled_from(usual_and_odd[_rarely(draw)]))


@st.composite
def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    """A body in chunks, perhaps with extensions and trailers."""
    size = draw(st.integers(max(len(body) // 20, 1), max(len(body), 1)))
    extension, trailer = _one(draw, _EXTENSIONS), _one(draw, _TRAILERS)
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks) + b"0\r\n%s\r\n" % trailer


@st.composite
def _message(draw: st.DrawFn, first: bytes) -> bytes:
    """A message that begins with this line."""
    body = draw(_BODIES)
    fields = [_one(draw, _FIELDS) for _ in range(draw(st.integers(0, 4)))]
    framing = "wrong" if _rarely(draw) else draw(st.sampled_from(["length", "length", "chunked", "none"]))
    if framing == "chunked":
        fields, body = [*fields, b"Transfer-Encoding: chunked"], draw(_chunked(body))
    elif framing == "length":
        fields = [*fields, b"Content-Length: %d" % len(body)]
    elif framing == "none":
        body = b""
    elif framing == "wrong":
        fields = [*fields, draw(_WRONG_FRAMINGS)]
    return b"\r\n".join([first, *fields, b"", body])


@st.composite
def _said(draw: st.DrawFn, side: Side) -> bytes:
    """A request or a response, perhaps damaged."""
    if side is Side.CLIENT:
        return _damaged(draw, draw(_message(b" ".join(_one(draw, part) for part in (_METHODS, _TARGETS, _VERSIONS)))))
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" * draw(st.sampled_from([0, 0, 0, 1, 2]))
    final = b" ".join([_one(draw, _VERSIONS), _one(draw, _STATUSES), b"Any"])
    return _damaged(draw, interim + draw(_message(final)))


def _damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """A message, rarely with something cut out, doubled, overwritten or put in."""
    if not _rarely(draw):
        return data
    begin = draw(st.integers(0, len(data)))
    end = draw(st.integers(begin, min(begin + 50, len(data))))
    instead = draw(st.sampled_from([b"", data[begin:end] * 2]) | _GARBAGE)
    return data[:begin] + instead + data[end:]


@st.composite
def conversations(draw: st.DrawFn) -> list[Said]:
    """What both sides say: in turns, requests ahead of their answers, or rarely in any order."""
    count = draw(st.integers(1, 5))
    sides = [Side.CLIENT, Side.SERVER] * count
    if _rarely(draw):
        sides = draw(st.permutations(sides))
    elif draw(st.booleans()):
        sides = sorted(sides)
    return _joined([(side, draw(_said(side))) for side in sides])


def _joined(said: Sequence[Said]) -> list[Said]:
    """What one side says without being interrupted is one piece."""
    joined: list[Said] = []
    for side, data in said:
        if joined and joined[-1][0] is side:
            joined[-1] = (side, joined[-1][1] + data)
        else:
            joined.append((side, data))
    return joined


sizes: Final = st.lists(st.integers(1, 40) | st.integers(1000, 6000), max_size=40)
"""How long the pieces are into which something is cut; what is left over is the last one."""
