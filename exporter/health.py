"""What a container platform asks: `/-/healthy` and `/-/ready`, answered by the supervisor itself."""

import asyncio
from collections.abc import Callable
from typing import Final

_REQUEST_TIMEOUT_S: Final = 2.0


class Answers:
    """Answers probes, one request per connection."""

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One prober."""
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                line = await reader.readline()
                while await reader.readline() not in {b"\r\n", b"\n", b""}:
                    pass
                writer.write(self._reply(line))
                await writer.drain()
        except (OSError, ValueError):
            pass  # a prober that goes away or sends nonsense
        finally:
            writer.close()

    def _reply(self, request_line: bytes) -> bytes:
        words = request_line.split()
        path = words[1].partition(b"?")[0] if len(words) > 1 else b""
        status, text = {
            b"/-/healthy": (b"200 OK", b"inference-exporter is healthy\n"),
            b"/-/ready": (b"200 OK", b"inference-exporter is ready\n")
            if self._ready()
            else (b"503 Service Unavailable", b"inference-exporter is not ready\n"),
        }.get(path, (b"404 Not Found", b"try /-/healthy or /-/ready\n"))
        body = b"" if words[:1] == [b"HEAD"] else text
        head = b"HTTP/1.1 %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
        return head % (status, len(text)) + b"connection: close\r\n\r\n" + body
