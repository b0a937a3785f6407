"""A native sidecar starts first: its probes must pass while there is no model server, which waits for them."""

import threading
from http.server import ThreadingHTTPServer

from support import Answering, free_port, predict, sidecar


def test_probes_pass_before_there_is_a_model_server_and_requests_as_soon_as_there_is() -> None:
    port = free_port()
    with sidecar(port, "--profile", "/etc/inference-exporter/profile.json") as running:
        assert running.get(running.health_port, "/-/healthy")[0] == 200
        assert running.get(running.health_port, "/-/ready")[0] == 200
        assert running.get(running.port, "/")[0] == 502
        with ThreadingHTTPServer(("127.0.0.1", port), Answering) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            assert predict(running.url, [[1, 2]]) == {"predictions": [3]}
            server.shutdown()
            thread.join(10)
        assert running.get(running.health_port, "/-/ready")[0] == 200
