"""Those who take spans: OTLP over HTTP and gRPC, of opentelemetry-proto, and Zipkin's JSON. Threads of the test."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """What has come."""

    def __init__(self) -> None:
        self.port = 0
        self.spans: list[Span] = []
        self.zipkin: list[dict[str, Any]] = []
        self.resources: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.refuses = 0
        """How many more are told to come again."""
        self.status = 503
        self.pause_s = 0.0
        self.posts = 0

    def take(self, request: messages.ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            self.resources.append(attributes(resource.resource))
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def is_refused(self) -> bool:
        self.posts += 1
        time.sleep(self.pause_s)
        self.refuses -= 1
        return self.refuses >= 0


def attributes(of: Any) -> dict[str, Any]:
    """Attributes of a span or a resource."""
    return {one.key: _value(one.value) for one in of.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)


class _Http(BaseHTTPRequestHandler):
    collector: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        refused = self.collector.is_refused()
        self.collector.headers.append({name.lower(): value for name, value in self.headers.items()})
        if not refused:
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                self.collector.take(messages.ExportTraceServiceRequest.FromString(body))
            else:
                assert self.path == "/api/v2/spans", self.path
                self.collector.zipkin += json.loads(body)
        self.send_response(self.collector.status if refused else 202 if "zipkin" in self.path else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def by_http() -> Iterator[Collector]:
    """OTLP over HTTP, and Zipkin."""
    collector = Collector()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Http,), {"collector": collector}))
    server.daemon_threads = True
    collector.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Grpc(service.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 (the service's naming)
        if self._collector.is_refused():
            context.abort(grpc.StatusCode.UNAVAILABLE, "come again")
        self._collector.take(request)
        return messages.ExportTraceServiceResponse()


@contextmanager
def by_grpc() -> Iterator[Collector]:
    """OTLP over gRPC."""
    collector = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    service.add_TraceServiceServicer_to_server(_Grpc(collector), server)
    collector.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield collector
    finally:
        server.stop(0).wait(5)
