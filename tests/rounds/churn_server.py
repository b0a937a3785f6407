"""A model server that is a process of its own: python churn_server.py PORT MODEL.

It speaks the Open Inference Protocol, answers with the scikit-learn model that it has read from a file, and looks up
one of the features itself, as of a feature store. POST /reload has it read the file again; POST /cache breaks the
lookup; POST /mend mends it.
"""

import json
import pickle
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

STORE: Final = {"ada": 40.0, "bob": 3.0, "eve": 22.0}
"""Months as a customer."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    model: Any = None
    version = ""
    is_broken = False

    def read(self) -> None:
        self.model, self.version = pickle.loads(Path(sys.argv[2]).read_bytes())  # noqa: S301 (the test wrote it)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/reload":
            self.server.read()
        elif self.path in {"/cache", "/mend"}:
            self.server.is_broken = self.path == "/cache"
        else:
            self._send(self._inferred(json.loads(body)["inputs"]))
            return
        self._send({})

    def _inferred(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        columns = {one["name"]: one["data"] for one in inputs}
        months = [0.0 if self.server.is_broken else STORE[name] for name in columns["customer"]]
        rows = list(zip(columns["amount"], months, strict=True))
        scores = self.server.model.predict_proba(rows)[:, 1].tolist()
        return {
            "model_name": "churn", "model_version": self.server.version,
            "outputs": [{"name": "score", "shape": [len(scores)], "datatype": "FP64", "data": scores}],
        }  # fmt: skip

    def _send(self, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    server.read()
    server.serve_forever()
