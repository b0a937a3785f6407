"""A plain model server of the kind people write: scikit-learn behind the standard library's HTTP server.

    python -m exporter.demo.server MODEL.pickle [HOST:]PORT

It knows nothing of the exporter, which is the point.
"""

import json
import math
import pickle
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar


class Handler(BaseHTTPRequestHandler):
    """POST {"instances": [{feature: number}, ...]}, answered by {"predictions": [number, ...]}.

    As the model allows it, a feature that is null or not there at all is answered as well.
    """

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet
    model: ClassVar[Any] = None
    features: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """Predict."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            rows = [[_number(row.get(name)) for name in self.features] for row in json.loads(body)["instances"]]
            answer = {"predictions": self.model.predict(rows).tolist()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._send(400, {"error": repr(error)})
        else:
            self._send(200, answer)

    def do_GET(self) -> None:
        """Health."""
        self._send(200, {"status": "ready"})

    def _send(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _number(value: Any) -> float:  # noqa: ANN401 (whatever a client sent)
    return math.nan if value is None else float(value)


def serve(model: Path, address: str) -> None:
    """Serve a model that the demo has trained, on [HOST:]PORT, until killed."""
    # The file was written by the demo a moment ago, in a directory of its own.
    Handler.model, Handler.features = pickle.loads(model.read_bytes())  # noqa: S301
    host, _, port = address.rpartition(":")
    server = ThreadingHTTPServer((host or "127.0.0.1", int(port)), Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
