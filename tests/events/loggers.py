"""Events as the loggers of KServe and Seldon post them, header by header."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

Post = tuple[dict[str, str], bytes]
JSON = "application/json"


def kserve(half: str, body: bytes, identity: str, **more: str) -> Post:
    """KServe, pkg/logger/worker.go with CloudEvents' Go SDK: binary mode, one id for both halves.

    The content type is the request's, of answers too. `more` are attributes that are added or replace others.
    """
    attributes = {
        "specversion": "1.0",
        "id": identity,
        "source": "http://localhost:9081/",
        "type": f"org.kubeflow.serving.inference.{half}",
        "time": "2026-01-31T12:00:00.123456789Z",
        "inferenceservicename": "sklearn-iris",
        "namespace": "default",
        "component": "predictor",
        "endpoint": "",
        "metadata": "{}",
    }
    return _headers(attributes | more, "application/x-www-form-urlencoded"), body


def seldon(half: str, body: bytes, puid: str, **more: str) -> Post:
    """Seldon Core v1, executor/logger/worker.go: an id for each event, the puid in `requestid`."""
    kind = "feedback" if half == "feedback" else f"inference.{half}"
    attributes = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "http://:8000/",
        "type": f"io.seldon.serving.{kind}",
        "time": "2026-01-31T12:00:00.123456789Z",
        "modelid": "classifier",
        "requestid": puid,
        "inferenceservicename": "seldon-model",
        "namespace": "seldon",
        "endpoint": "example",
        "protocol": "seldon",
    }
    return _headers(attributes | more, JSON), body


def _headers(attributes: Mapping[str, str], content_type: str) -> dict[str, str]:
    headers = {f"Ce-{name.capitalize()}": value for name, value in attributes.items() if value}
    return headers | {"Content-Type": content_type}


def instances(*rows: Any) -> bytes:
    return json.dumps({"instances": rows}).encode()


def predictions(*rows: Any) -> bytes:
    return json.dumps({"predictions": rows}).encode()


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """As the web side hands them on."""
    return {name.lower(): value for name, value in headers.items()}
