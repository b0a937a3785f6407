"""A model server of the tests in a process of its own: `python -m faults.server PORT`.

An answer is a function of the request's body alone, so that a client knows every byte of it. `?rows=N` asks for so many
predictions, `?wait=S` for an answer after so many seconds; `?stall=KIND` gets the first half of an answer and no more,
in one of the ways in which an answer may be framed.
"""

import asyncio
import hashlib
import sys
from urllib.parse import parse_qsl

HALF = b'data: {"predictions": [1]}\n\n' * 500
"""What comes of an answer that stalls."""
STALLED = {
    "length": b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (2 * len(HALF), HALF),
    "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(HALF), HALF),
    "close": b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n%s" % HALF,
    "events": b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n%s" % HALF,
    "never": b"",
}


def answer(body: bytes, rows: int = 1) -> bytes:
    """The body of the answer to a body."""
    predictions = ", ".join(["0.5"] * rows)
    return b'{"predictions": [%s], "digest": "%s"}' % (predictions.encode(), hashlib.sha256(body).hexdigest().encode())


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    if b"transfer-encoding: chunked" in head:
        parts = []
        while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            parts.append((await reader.readexactly(size + 2))[:-2])
        await reader.readuntil(b"\r\n")
        return b"".join(parts)
    _, found, rest = head.partition(b"content-length:")
    return await reader.readexactly(int(rest.partition(b"\r\n")[0])) if found else b""


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode("latin-1")
            body = await _body(head.lower(), reader)
            wanted = dict(parse_qsl(target.partition("?")[2]))
            await asyncio.sleep(float(wanted.get("wait", 0)))
            if "stall" in wanted:
                writer.write(STALLED[wanted["stall"]])
                await reader.read()
                return
            content = answer(body, int(wanted.get("rows", 1)))
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(content)
            writer.write(head + content)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _main(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port, backlog=4096, limit=1 << 20)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
