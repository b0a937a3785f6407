"""What a case sends, as the file says it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from exporter import marks
from exporter.golden import strict
from exporter.golden.cases import Request
from exporter.golden.strict import BODIES
from exporter.values import Fault, header_name, one_of, path

WAY: Final = ("method", "path", "headers", "header_files")
"""How a request travels, which cases may have in common."""
_MOST_HEADERS: Final = 32
_LONGEST_PATH: Final = 4096
_METHODS: Final = ("POST", "PUT", "PATCH", "GET")
_SECRETS: Final = frozenset(("authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"))
_OURS: Final = frozenset((
    "host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", marks.GOLDEN,
))  # fmt: skip
TYPES: Final = {"body": "application/json", "text": "text/plain; charset=utf-8", "base64": "application/octet-stream"}


def request(value: object, place: str, defaults: Mapping[str, Any]) -> Request:
    """A request, with what the defaults say of its way. Fault."""
    given = strict.mapping(value, place, (*WAY, *BODIES))
    kind = _one_body(given, place)
    content = strict.body(given[kind], kind, f"{place}.{kind}") if kind else b""
    method, target, headers, files = way(_merged(defaults, given), place)
    if not target:
        raise Fault(f"{place}.path", "must be there, or among the defaults")
    if kind and "content-type" not in {name for name, _ in (*headers, *files)}:
        headers = (*headers, ("content-type", TYPES[kind]))
    return Request(method, target, headers, files, content)


def _merged(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """How a request travels: its own words before the defaults', header by header."""
    found = {key: defaults[key] for key in WAY if key in defaults}
    for key in WAY:
        if key in given:
            both = (
                key in {"headers", "header_files"} and isinstance(given[key], dict) and isinstance(found.get(key), dict)
            )
            found[key] = {**found[key], **given[key]} if both else given[key]
    return found


def _one_body(given: Mapping[str, Any], place: str) -> str:
    kinds = [kind for kind in BODIES if kind in given]
    if len(kinds) > 1:
        raise Fault(f"{place}.{kinds[1]}", f"has no meaning beside {kinds[0]}")
    return kinds[0] if kinds else ""


def way(given: Mapping[str, Any], place: str) -> tuple[str, str, Any, Any]:
    """Method, path, headers and their files."""
    method = strict.read(given, "method", place, one_of(*_METHODS), "POST")
    target = given.get("path", "")
    if not isinstance(target, str) or (target and not re.fullmatch(r"/[!-~]*", target)) or len(target) > _LONGEST_PATH:
        raise Fault(f"{place}.path", "must begin with / and be of ASCII, such as /v1/models/churn:predict")
    headers = tuple(_headers(given, "headers", place))
    files = tuple(_headers(given, "header_files", place))
    twins = {name for name, _ in headers} & {name for name, _ in files}
    if twins:
        raise Fault(f"{place}.header_files.{min(twins)}", "is among the headers, too")
    return method, target, headers, files


def _headers(given: Mapping[str, Any], key: str, place: str) -> Iterator[tuple[str, str]]:
    found = given.get(key, {})
    if not isinstance(found, dict) or len(found) > _MOST_HEADERS:
        raise Fault(f"{place}.{key}", f"must be a mapping of {_MOST_HEADERS} headers at most")
    for name, value in found.items():
        where = f"{place}.{key}.{name}"
        lower = strict.checked(header_name, name, where)
        if lower in _OURS:
            raise Fault(where, "is made here")
        if key == "headers" and lower in _SECRETS:
            raise Fault(where, "may be a secret: put it into a file, and the file into header_files")
        yield lower, strict.checked(path if key == "header_files" else _header_value, value, where)


def _header_value(value: object) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError("must be printable ASCII text, numbers in quotes")
    return value
