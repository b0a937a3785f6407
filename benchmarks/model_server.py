"""A model server that behaves well and badly, as its path says. It lives in an event loop of the caller's."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator

MIB = 1 << 20
LARGE = b"x" * (2 * MIB)
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: what is left is thrown away, and the other end is reset."""


@contextlib.asynccontextmanager
async def model_server() -> AsyncIterator[int]:
    """Serves as long as the block lasts; gives its port."""
    server = await asyncio.start_server(_converse, "127.0.0.1", 0, backlog=1024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await _exchange(reader, writer):
            await writer.drain()
    except (OSError, ValueError, EOFError, asyncio.LimitOverrunError):
        pass  # the end of the connection, or of what can be read as HTTP
    finally:
        writer.close()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Read a request and answer it; whether there may be another one."""
    line, head = await read_head(reader)
    method, path, _ = line.split(" ")
    await read_body(reader, head)
    kind, _, detail = path.lstrip("/").partition("/")
    if kind in {"close", "reset", "half", "endless"}:
        _answer_badly(writer, kind)
        return False
    if head.get("upgrade"):
        await _echo(reader, writer)
        return False
    if kind == "slow":
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        await asyncio.sleep(0.05)
    if kind == "chunked":
        writer.write(_chunked(head))
    else:
        status = int(detail) if kind == "status" else 200
        body = LARGE if kind == "large" else _predictions(head)
        writer.write(_head(status, head, len(body)))
        if method != "HEAD":
            writer.write(body)
    return True


def _head(status: int, head: dict[str, str], length: int) -> bytes:
    return (
        f"HTTP/1.1 {status} Whatever\r\nX-Id: {head.get('x-id', '')}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def _predictions(head: dict[str, str]) -> bytes:
    return json.dumps({"predictions": [0.5] * int(head.get("x-rows", 0))}).encode()


def _chunked(head: dict[str, str]) -> bytes:
    body = _predictions(head)
    return (
        f"HTTP/1.1 200 OK\r\nX-Id: {head.get('x-id', '')}\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    ).encode() + b"%x\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(body), body)


def _answer_badly(writer: asyncio.StreamWriter, kind: str) -> None:
    if kind == "half":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nonly so much")
    elif kind == "endless":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b'{"predictions": []}' * 100)
    elif kind == "reset":
        reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection the hard way."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


# --- HTTP, as far as both ends need it


async def read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """The first line and the fields; EOFError (IncompleteReadError) where nothing more comes."""
    text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = text[:-4].split("\r\n")
    pairs = (field.partition(":") for field in fields)
    return line, {name.lower(): value.strip() for name, _, value in pairs}


async def read_body(reader: asyncio.StreamReader, head: dict[str, str]) -> bytes:
    """What follows a head that says how long it is; nothing where it does not."""
    if head.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(head.get("content-length", 0)))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return body
