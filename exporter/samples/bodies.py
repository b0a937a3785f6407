"""Recorded bodies as exchanges, just as they would have passed. ConfigError names the file or flag that is wrong."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exporter.config import Settings
from exporter.errors import ConfigError
from exporter.messages import LONGEST_PATH, header_text
from exporter.proxy.filters import Filter
from exporter.records import Body, Capture, Exchange

_TYPES: Final[Mapping[str, str]] = {
    ".json": "application/json", ".jsonl": "application/jsonlines", ".ndjson": "application/jsonlines",
    ".csv": "text/csv", ".npy": "application/x-npy",
}  # fmt: skip
_LINES: Final = frozenset((".jsonl", ".ndjson"))
_MOST_BODIES: Final = 1000
_LARGEST: Final = 64 << 20


class Half(NamedTuple):
    """One side of an exchange: its body and headers as they were given."""

    content: bytes
    headers: Mapping[str, str]


NOTHING: Final = Half(b"", {})


class Pairs(NamedTuple):
    """Exchanges from which the requests are known, and those of the responses: the same ones where both are."""

    requests: Sequence[Exchange]
    responses: Sequence[Exchange]


def half(path: str | None, given: Sequence[str], flag: str) -> Half:
    """The body in a file, with its headers; a Content-Type that is not said is that of the file's name."""
    headers = dict(_header(text, flag) for text in given)
    if path is None:
        return Half(b"", headers)
    kind = _TYPES.get(Path(path).suffix.lower())
    return Half(_read(Path(path)), ({"content-type": kind} if kind else {}) | headers)


def several(paths: Iterable[str]) -> list[Half]:
    """The bodies in files, one each; in JSON Lines one a line, in a directory those of its files by their names."""
    files: list[Path] = []
    for path in map(Path, paths):
        files += sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
    found: list[Half] = []
    for file in files[:_MOST_BODIES]:
        suffix = file.suffix.lower()
        if suffix in _LINES:
            found += [
                Half(line, {"content-type": "application/json"}) for line in _read(file).splitlines() if line.strip()
            ]
        else:
            found.append(Half(_read(file), {"content-type": _TYPES[suffix]} if suffix in _TYPES else {}))
    return found[:_MOST_BODIES]


def pairs(requests: Sequence[Half], responses: Sequence[Half], exchange_of: Callable[[Half, Half], Exchange]) -> Pairs:
    """The exchanges of both sides: the same ones, in order, where there are as many requests as responses."""
    if len(requests) == len(responses):
        both = list(map(exchange_of, requests, responses))
        return Pairs(both, both)
    return Pairs(
        [exchange_of(request, NOTHING) for request in requests],
        [exchange_of(NOTHING, response) for response in responses],
    )


def printable(text: str) -> str:
    """Text fit for a terminal: names and paths come from strangers, no escape sequence may reach one."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def exchange(request: Half, response: Half, path: str, settings: Settings) -> Exchange:
    """What would be decoded had these bodies passed: long ones cut, headers that are not kept left out."""
    most = settings.capture.max_body
    names = Filter(settings.capture.methods, settings.capture.paths, settings.kept_headers).headers
    return Exchange(
        1, 1, 1, 200, "POST", path.partition("?")[0][:LONGEST_PATH],
        _kept(request.headers, names), _kept(response.headers, names),
        _body(request.content, most), _body(response.content, most),
    )  # fmt: skip


def _body(content: bytes, most: int) -> Body:
    return Body(len(content), Capture.WHOLE if len(content) <= most else Capture.TRUNCATED, content[:most])


def _kept(headers: Mapping[str, str], names: Collection[bytes]) -> dict[str, str]:
    return {
        name: header_text(value.encode("latin-1", "replace"))
        for name, value in headers.items() if name.encode("latin-1", "replace") in names
    }  # fmt: skip


def _header(text: str, flag: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise ConfigError(f"{flag}: must be 'name: value', not {text!r}")
    return name.strip().lower(), value.strip()


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(f"{path}: larger than {_LARGEST >> 20} MiB, not one body")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
