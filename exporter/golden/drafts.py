"""A file of golden requests while it is being recorded: requests from files of bodies, answers as they come in."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from exporter.errors import ConfigError, DecodeError
from exporter.golden import answers, reading, recording, sent
from exporter.golden.cases import LONGEST_NAME, Golden
from exporter.golden.recording import Learned
from exporter.values import Fault

_LINES: Final = frozenset((".jsonl", ".ndjson"))


class Draft:
    """The document of a file, and the names of the cases that are to be asked."""

    def __init__(self, before: Mapping[str, Any], way: Mapping[str, Any]) -> None:
        """`before` is what the file says already; `way` is how new requests travel."""
        self._document: dict[str, Any] = {**before, "cases": [dict(case) for case in before.get("cases", ())]}
        self._own = dict(way) if before else {}
        self.names = [case["name"] for case in self._document["cases"]]
        """All of them where nothing is added."""
        if not before and way:
            self._document = {"defaults": dict(way), **self._document}

    def add(self, bodies: Sequence[tuple[str, bytes, str]]) -> None:
        """New requests: what they are called, bytes, Content-Type. Those of a name that is there replace it."""
        self.names = []
        for name, content, kind in bodies:
            free = _free(name, self.names)
            self.names.append(free)
            case = self._case(free)
            if case is None:
                case = {"name": free}
                self._document["cases"].append(case)
            case["request"] = _request(content, kind, self._own)

    def golden(self, file: str) -> Golden:
        """The cases, as they are to be sent. ConfigError."""
        cases = [case if "expect" in case or "versions" in case else {**case, "expect": {}}
                 for case in self._document["cases"]]  # fmt: skip
        try:
            return reading.golden({**self._document, "cases": cases})
        except Fault as fault:
            raise ConfigError(f"{file}: {fault.path}: {fault}") from None

    def answered(self, name: str, found: Learned, version: str) -> None:
        """Note what a case is answered with, under a version where one is given. DataError."""
        case = self._case(name)
        if case is None:
            raise KeyError(name)
        if version:
            versions = dict(case.get("versions", {}))
            case["versions"] = {**versions, version: recording.updated(versions.get(version, {}), found)}
        else:
            case["expect"] = recording.updated(case.get("expect", {}), found)

    def document(self) -> dict[str, Any]:
        """Without cases that were never answered. ConfigError where nothing is left."""
        cases = [case for case in self._document["cases"] if "expect" in case or "versions" in case]
        if not cases:
            raise ConfigError("no case could be recorded")
        return {**self._document, "cases": cases}

    def _case(self, name: str) -> dict[str, Any] | None:
        return next((case for case in self._document["cases"] if case["name"] == name), None)


def _free(name: str, taken: Sequence[str]) -> str:
    name = "".join(letter if letter.isprintable() else "_" for letter in name).strip()[: LONGEST_NAME - 5] or "case"
    return next(one for one in (name, *(f"{name} {number}" for number in range(2, 10_000))) if one not in taken)


def _request(content: bytes, kind: str, way: Mapping[str, Any]) -> dict[str, Any]:
    key, value, unsaid = _body(content, kind)
    headers = {**way.get("headers", {}), **({"content-type": kind} if kind not in {"", unsaid} else {})}
    return {**way, **({"headers": headers} if headers else {}), key: value}


def _body(content: bytes, kind: str) -> tuple[str, Any, str]:
    """A body as people can read it, a JSON value, else text, else base64, and the Content-Type that this means."""
    if kind in {"", sent.TYPES["body"]}:
        with suppress(DecodeError):
            value = answers.parsed(content)
            if answers.is_writable(value):
                return "body", value, sent.TYPES["body"]
    try:
        return "text", content.decode(), sent.TYPES["text"]
    except UnicodeDecodeError:
        return "base64", base64.b64encode(content).decode(), sent.TYPES["base64"]


def named(path: Path, halves: Sequence[tuple[bytes, str]]) -> Iterator[tuple[str, bytes, str]]:
    """Bodies of one file with what their cases are called: the file's name, and the line where there are several."""
    for number, (content, kind) in enumerate(halves, 1):
        yield f"{path.stem} {number}" if path.suffix.lower() in _LINES else path.stem, content, kind
