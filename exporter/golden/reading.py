"""The file of golden requests: YAML or JSON that people write and edit, read strictly. The form is in docs/golden.md.

    version_from: {header: X-Model-Version}          where no protocol says it; or {pointer: /meta/version}
    defaults: {path: /v1/models/churn:predict, tolerance: {relative: 1e-4}, ignore: [/id]}
    cases:
      - name: a new customer
        request: {body: {instances: [[0, 29.9]]}}
        expect: {body: {predictions: [0.31]}}
        versions: {"7": {body: {predictions: [0.29]}}}

Of a fault the path is told, such as `cases[3].request.body`, and never a value that may be a secret.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from exporter.errors import ConfigError, DataError, DecodeError
from exporter.golden import answers, expecting, sent, strict
from exporter.golden.cases import ANY, LONGEST_NAME, MOST_CASES, Case, Expected, Golden, Source
from exporter.golden.expecting import RULES
from exporter.golden.sent import WAY
from exporter.profile import strict_yaml, whole_file
from exporter.values import Fault, header_name, json_pointer

LARGEST: Final = 16 << 20
"""Bytes of a file."""
MOST_VERSIONS: Final = 20
_TOP: Final = ("version_from", "defaults", "cases")
_CASE: Final = ("name", "request", "expect", "versions")


def load(file: str) -> Golden:
    """The cases of a file. ConfigError names it, and the path to the fault."""
    content = content_of(file)
    try:
        return golden(document_of(file, content), hashlib.sha256(content).hexdigest())
    except Fault as fault:
        raise ConfigError(f"{file}: {fault.path}: {fault}") from None


def content_of(file: str) -> bytes:
    """Its bytes. ConfigError."""
    try:
        return whole_file.read(Path(file), LARGEST)
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None
    except DataError as error:
        raise ConfigError(str(error)) from None


def document_of(file: str, content: bytes) -> Any:  # noqa: ANN401 (YAML)
    """What stands there: JSON where the file is called so, else YAML. ConfigError."""
    kind = "JSON" if file.endswith(".json") else "YAML"
    try:
        return answers.parsed(content) if kind == "JSON" else strict_yaml.load_json_like(content.decode())
    except (yaml.YAMLError, ValueError, RecursionError, DecodeError) as error:
        raise ConfigError(f"{file}: not {kind}: {' '.join(str(error).split())}") from None


def golden(document: object, digest: str = "") -> Golden:
    """Cases from a document. Fault."""
    top = strict.mapping(document, "document", _TOP)
    given = top.get("cases")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_CASES:
        raise Fault("cases", f"must be a list of 1 to {MOST_CASES} cases")
    defaults = strict.mapping(top.get("defaults", {}), "defaults", (*WAY, *RULES))
    sent.way(defaults, "defaults")
    expecting.rules_of(defaults, "defaults")
    cases = tuple(_case(item, f"cases[{place}]", defaults) for place, item in enumerate(given))
    _refuse_twins(cases)
    return Golden(cases, digest, _source(top.get("version_from", {})))


def _refuse_twins(cases: tuple[Case, ...]) -> None:
    seen: dict[str, int] = {}
    for place, case in enumerate(cases):
        if case.name in seen:
            raise Fault(f"cases[{place}].name", f"is that of cases[{seen[case.name]}], too")
        seen[case.name] = place


def _source(value: object) -> Source:
    given = strict.mapping(value, "version_from", ("pointer", "header"))
    if len(given) > 1:
        raise Fault("version_from", "must be a pointer or a header, not both")
    return Source(
        strict.read(given, "pointer", "version_from", json_pointer, ""),
        strict.read(given, "header", "version_from", header_name, ""),
    )


def _case(item: object, place: str, defaults: Mapping[str, Any]) -> Case:
    given = strict.mapping(item, place, _CASE)
    name = given.get("name")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= LONGEST_NAME or name != name.strip():
        raise Fault(f"{place}.name", f"must be text of 1 to {LONGEST_NAME} printable characters")
    request = sent.request(given.get("request"), f"{place}.request", defaults)
    shared = {key: defaults[key] for key in RULES if key in defaults}
    return Case(name, request, dict(_expectations(given, place, shared)))


def _expectations(
    given: Mapping[str, Any], place: str, shared: Mapping[str, Any]
) -> Iterator[tuple[str, Expected]]:  # fmt: skip
    versions = given.get("versions", {})
    if not isinstance(versions, dict) or len(versions) > MOST_VERSIONS:
        raise Fault(f"{place}.versions", f"must be a mapping of {MOST_VERSIONS} versions at most to what they answer")
    if "expect" not in given and not versions:
        raise Fault(f"{place}.expect", "must say what is to be answered")
    if "expect" in given:
        yield ANY, expecting.expected(given["expect"], f"{place}.expect", shared)
    for version, value in versions.items():
        if not isinstance(version, str) or not version:
            raise Fault(f"{place}.versions", f"must have texts as keys, write it in quotes: {version!r}")
        if version == ANY and "expect" in given:
            raise Fault(f"{place}.versions.{ANY}", "is what `expect` says: one of both")
        yield version, expecting.expected(value, f"{place}.versions.{version}", shared)
