"""`/api/v1`: what the status page says, for tools, as JSON; see `routes`, and /api/v1/openapi.json for all of it.

An answer is of the last snapshot: who has it already is told so, which costs nothing. What is made is paid from the
budget that the page has, too. What is refused is told as {"error": ...}: with 400 what cannot be meant, with 404 what
is not there, with 503 and Retry-After what cannot be had now.
"""

import gzip
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from functools import partial
from hashlib import blake2b
from importlib import resources
from typing import Any, Final

import orjson
from flask import Flask, Response, request

from exporter.status.source import Source
from exporter.web import negotiation
from exporter.web.status.budget import AGAIN_S, Budget, Crowded
from exporter.web.status.query import Refused, read
from exporter.web.status.routes import ROUTES, Question, Route

JSON: Final = "application/json"
DOCUMENT: Final = "openapi.json"
_WORTH_PACKING: Final = 1024
_LEVEL: Final = 5
_TOO_MUCH: Final = "too much was asked for: once more in a moment"


def add(app: Flask, source: Source, budget: Budget) -> None:
    """Have an application answer."""
    for route in ROUTES:
        app.add_url_rule(route.path, route.path, partial(_answer, route, source, budget), methods=["GET"])
    document = resources.files("exporter.web.status").joinpath(DOCUMENT).read_bytes()
    packed, tag = gzip.compress(document, _LEVEL, mtime=0), blake2b(document, digest_size=12).hexdigest()

    @app.get(f"/api/v1/{DOCUMENT}")
    def openapi() -> Response:
        return _not_modified(tag) if request.if_none_match.contains_weak(tag) else _sent(document, packed, tag)


def _answer(route: Route, source: Source, budget: Budget) -> Response:
    try:
        with budget.spending():
            answer = _found(route, source, budget)
    except Refused as refused:
        return _refused(refused.status, str(refused))
    except TimeoutError:
        return _refused(503, "the analyser is busy: once more in a moment")
    except Crowded:
        return _refused(503, _TOO_MUCH)
    return answer if budget.hold(answer) else _refused(503, _TOO_MUCH)


def _found(route: Route, source: Source, budget: Budget) -> Response:
    asked, now = read(route.parameters, request.args), source.now()
    if now is None:
        raise Refused(503, "no snapshot yet: once more in a moment")
    tag = blake2b(f"{now.time!r} {request.full_path}".encode("utf-8", "replace"), digest_size=12).hexdigest()
    if request.if_none_match.contains_weak(tag):
        return _not_modified(tag)
    if budget.is_spent:
        raise Refused(503, _TOO_MUCH)
    body = encoded(route.of(Question(source, now, asked)))
    worth = len(body) >= _WORTH_PACKING and negotiation.takes_gzip(request.accept_encodings)
    return _sent(body, gzip.compress(body, _LEVEL, mtime=0) if worth else None, tag)


def _sent(body: bytes, packed: bytes | None, tag: str) -> Response:
    is_packed = packed is not None and negotiation.takes_gzip(request.accept_encodings)
    answer = Response(packed if is_packed else body, content_type=JSON)
    if is_packed:
        answer.headers["Content-Encoding"] = "gzip"
    return _tagged(answer, tag)


def _not_modified(tag: str) -> Response:
    return _tagged(Response(status=304), tag)


def _tagged(answer: Response, tag: str) -> Response:
    answer.set_etag(tag, weak=True)  # whether it is packed or not
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Vary"] = "Accept-Encoding"
    return answer


def _refused(status: int, words: str) -> Response:
    answer = Response(encoded({"error": words}), status, content_type=JSON)
    answer.headers["Cache-Control"] = "no-store"
    if status == 503:
        answer.headers["Retry-After"] = str(AGAIN_S)
    return answer


def encoded(fact: Any) -> bytes:  # noqa: ANN401 (any fact)
    """As JSON. What is no text, as half a character of a name is none, is replaced."""
    try:
        return orjson.dumps(fact, default=_plain)
    except orjson.JSONEncodeError:
        return orjson.dumps(_as_text(asdict(fact) if is_dataclass(fact) and not isinstance(fact, type) else fact))


def _plain(fact: Any) -> Any:  # noqa: ANN401 (as above)
    if isinstance(fact, Mapping):
        return dict(fact)
    raise TypeError


def _as_text(fact: Any) -> Any:  # noqa: ANN401 (as above)
    if isinstance(fact, str):
        return fact.encode("utf-8", "replace").decode()
    if isinstance(fact, Mapping):
        return {_as_text(name): _as_text(value) for name, value in fact.items()}
    return [_as_text(one) for one in fact] if isinstance(fact, list | tuple) else fact
