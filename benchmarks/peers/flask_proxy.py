"""What a Flask developer would write: a catch-all route that asks `requests`, on a threaded WSGI server.

Arguments: PORT UPSTREAM_URL.
"""

import sys
import threading

import requests
from cheroot import wsgi
from flask import Flask, Response, request

THREADS = 20
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length"}


def create_app(upstream: str) -> Flask:
    app = Flask(__name__)
    local = threading.local()

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def relay(path: str) -> Response:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        headers = {name: value for name, value in request.headers if name.lower() not in HOP_BY_HOP}
        answer = local.session.request(
            request.method, f"{upstream}/{path}", data=request.get_data(), headers=headers, timeout=60
        )
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP]
        return Response(answer.content, answer.status_code, kept)

    return app


def main() -> None:
    wsgi.Server(("127.0.0.1", int(sys.argv[1])), create_app(sys.argv[2]), numthreads=THREADS).start()


if __name__ == "__main__":
    main()
