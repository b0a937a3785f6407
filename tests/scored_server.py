"""A model server that is a process of its own: python scored_server.py PORT [blind].

It answers {"instances": [...]} with a score between 0 and 1 for each row. One that is blind fails where a
request's only row is blue.
"""

import json
import math
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def score(row: Mapping[str, Any]) -> float:
    """What the model thinks of a row."""
    amount, age = (value if isinstance(value, int | float) else 0 for value in (row.get("amount"), row.get("age")))
    return round(1 / (1 + math.exp(2 - amount / 20 - age / 60)) if amount < 1000 else 1.0, 4)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    blind = False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Server

    def do_GET(self) -> None:
        self._send(200, {"status": "ready"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            rows = json.loads(body)["instances"]
            answer = {"predictions": [score(row) for row in rows]}
        except (ValueError, KeyError, TypeError, AttributeError):
            self._send(400, {"error": "bad request"})
            return
        if self.server.blind and [row.get("colour") for row in rows] == ["blue"]:
            self._send(500, {"error": "KeyError"})
        else:
            self._send(200, answer)

    def _send(self, status: int, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    server.blind = sys.argv[2:] == ["blind"]
    server.serve_forever()
