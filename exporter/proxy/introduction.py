"""The PROXY protocol: who the client is, said to the server in the first bytes of a connection.

The server sees the relay's own address otherwise. https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

import ipaddress
import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_LOCAL, _PROXY = 0x20, 0x21
_UNSPECIFIED: Final = 0
_TCP_OVER: Final = {4: 0x11, 6: 0x21}


def v1(transport: "asyncio.BaseTransport") -> bytes:
    """As a line of text."""
    ends = _ends(transport)
    if ends is None:
        return b"PROXY UNKNOWN\r\n"
    (client, client_port), (relay, relay_port) = ends
    return f"PROXY TCP{client.version} {client} {relay} {client_port} {relay_port}\r\n".encode()


def v2(transport: "asyncio.BaseTransport") -> bytes:
    """As a block of bytes."""
    ends = _ends(transport)
    if ends is None:
        return _SIGNATURE + struct.pack("!BBH", _LOCAL, _UNSPECIFIED, 0)
    (client, client_port), (relay, relay_port) = ends
    addresses = client.packed + relay.packed + struct.pack("!HH", client_port, relay_port)
    return _SIGNATURE + struct.pack("!BBH", _PROXY, _TCP_OVER[client.version], len(addresses)) + addresses


def _ends(transport: "asyncio.BaseTransport") -> tuple[tuple[Address, int], tuple[Address, int]] | None:
    """The client's end and ours, where both are known and of one kind."""
    client, relay = (_end(transport.get_extra_info(name)) for name in ("peername", "sockname"))
    return (client, relay) if client and relay and client[0].version == relay[0].version else None


def _end(name: Any) -> tuple[Address, int] | None:  # noqa: ANN401 (whatever the system says)
    if not isinstance(name, tuple):
        return None  # a Unix socket, or a client that has gone
    address = ipaddress.ip_address(name[0].partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address, name[1]


FORMS: Final[Mapping[str, Callable[["asyncio.BaseTransport"], bytes] | None]] = {"off": None, "v1": v1, "v2": v2}


def of_nobody(form: str) -> bytes:
    """What we say first where we ask on our own account."""
    introduce = FORMS[form]
    if introduce is None:
        return b""
    import asyncio  # noqa: PLC0415 (the analyser has no loop, and seldom introduces itself)

    return introduce(asyncio.BaseTransport())
