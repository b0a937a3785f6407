"""The page's style and script: small files of our own, named with what they hold, so that a browser asks once."""

from hashlib import blake2b
from importlib import resources
from typing import Final

from flask import Flask, Response, abort, request

_TYPES: Final = {"status.css": "text/css; charset=utf-8", "status.js": "text/javascript; charset=utf-8"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def _read(name: str) -> bytes:
    return resources.files("exporter.web.status").joinpath("static", name).read_bytes()


def hashes() -> dict[str, str]:
    """By file: what its address ends in."""
    return {name: blake2b(_read(name), digest_size=6).hexdigest() for name in _TYPES}


def add(app: Flask) -> None:
    """Have an application serve them."""
    texts = {name: _read(name) for name in _TYPES}
    signs = hashes()

    @app.get("/static/<name>")
    def static(name: str) -> Response:
        if name not in texts:
            abort(404)
        answer = Response(texts[name], content_type=_TYPES[name])
        answer.set_etag(signs[name])
        answer.headers["Cache-Control"] = _FOR_EVER if request.args.get("v") == signs[name] else "no-cache"
        answer.make_conditional(request)
        return answer
