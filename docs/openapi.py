# ruff: noqa: INP001 (a script, not a package)
"""Writes the OpenAPI document of `/api/v1`: of the routes that are served and the dataclasses that are answered."""

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import msgspec

from exporter.status import facts
from exporter.web.status import answers, api
from exporter.web.status.query import Parameter
from exporter.web.status.routes import ROUTES, Route

PATH: Final = Path(__file__).parents[1] / "exporter" / "web" / "status" / api.DOCUMENT
_REFERRED: Final = "#/components/schemas/{name}"
_CHOICES: Final = {"verdict": facts.VERDICTS, "standing": facts.STANDINGS, "side": ("feature", "output")}
"""Of properties, by name."""
_ABOUT: Final = (
    "What the status page says, for tools. Times are Unix seconds, shares 0 to 1, and null is not known. An answer is"
    " of the last snapshot and has its tag: with If-None-Match a poll costs 304."
)
_NOT_THERE: Final = {"404": "There is no such model, column, window or moment."}
_REFUSALS: Final = {
    "400": "The query cannot be meant: an unknown parameter, a value out of its bounds, several models that fit.",
    **_NOT_THERE,
    "503": "Nothing to say yet, or too busy to: ask again after Retry-After seconds.",
}
_WORDS: Final = {"type": "string"}
_WHAT_FOR: Final = "What a window holds, by bin, for those who adopt it as the reference."
WINDOW: Final = Route(
    "/api/v1/window", _WHAT_FOR, answers.Window, lambda _: None, (
        Parameter("window", "Which window: `24h`.", _WORDS, required=True),
        Parameter("model", "The model's name; may be left out where one fits.", _WORDS),
        Parameter("model_version", "Its version, likewise.", _WORDS),
        Parameter("profile", "SHA-256 of its profile, likewise.", _WORDS),
    ),
)  # fmt: skip
"""It was there before: its errors are all 404, and it is of the last scoring, without a tag."""


def main() -> None:
    """It is written whole; nothing else is needed to serve it."""
    PATH.write_text(document(), encoding="utf-8")


def document() -> str:
    """As it is served."""
    nouns = [route.answers for route in (*ROUTES, WINDOW)]
    _, schemas = msgspec.json.schema_components([*nouns, answers.Refusal], ref_template=_REFERRED)
    every = {one.__name__: one for module in (facts, answers) for one in vars(module).values() if inspect.isclass(one)}
    paths = {route.path: {"get": _operation(route, _REFUSALS)} for route in ROUTES}
    paths[WINDOW.path] = {"get": _operation(WINDOW, _NOT_THERE)}
    paths[f"/api/v1/{api.DOCUMENT}"] = {"get": _itself()}
    found = {
        "openapi": "3.1.0",
        "info": {
            "title": "inference-exporter",
            "version": "v1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The web port of the sidecar."}],
        "paths": paths,
        "components": {
            "responses": {code: _refused(code, words) for code, words in _REFUSALS.items()},
            "schemas": {name: _told(every[name], schemas[name]) for name in sorted(schemas)},
        },
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _operation(route: Route, refusals: dict[str, str]) -> dict[str, Any]:
    headers = {"ETag": {"description": "Of the snapshot.", "schema": _WORDS}} if refusals is _REFUSALS else {}
    return {
        "operationId": route.path.rpartition("/")[2],
        "summary": route.says,
        "parameters": [_parameter(one) for one in route.parameters],
        "responses": {
            "200": {"description": route.says, "headers": headers, "content": _json(route.answers)},
            **({"304": {"description": "As the snapshot that was told before."}} if headers else {}),
            **{code: {"$ref": f"#/components/responses/{code}"} for code in refusals},
        },
    }  # fmt: skip


def _refused(code: str, words: str) -> dict[str, Any]:
    again = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
    return {"description": words, "content": _json(answers.Refusal)} | ({"headers": again} if code == "503" else {})


def _itself() -> dict[str, Any]:
    whole = {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}}
    unchanged = {"description": "As it was told before."}
    return {"operationId": "openapi", "summary": "This document.", "responses": {"200": whole, "304": unchanged}}


def _json(of: type) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERRED.format(name=of.__name__)}}}


def _parameter(one: Parameter) -> dict[str, Any]:
    schema = dict(one.schema) | ({} if one.default is None else {"default": one.default})
    several = {"type": "array", "items": schema, "maxItems": one.most}
    found = {"name": one.name, "in": "query", "description": one.says, "required": one.required}
    return found | {"schema": schema if one.most == 1 else several}


def _told(noun: type, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a dataclass with what its source says of each field; all are always there."""
    said = dict(_said(noun))
    properties = {}
    for field in fields(noun):
        found = {name: value for name, value in schema["properties"][field.name].items() if name != "default"}
        if field.name in _CHOICES and found == _WORDS:
            found["enum"] = list(_CHOICES[field.name])
        properties[field.name] = found | ({"description": said[field.name]} if field.name in said else {})
    return schema | {"properties": properties, "required": list(properties)}


def _said(noun: type) -> Iterator[tuple[str, str]]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(noun))).body
    assert isinstance(tree, ast.ClassDef)  # noqa: S101 (for who reads the types)
    for one, after in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and isinstance(after, ast.Expr):
            yield one.target.id, " ".join(str(ast.literal_eval(after.value)).split())


if __name__ == "__main__":
    sys.exit(main())
