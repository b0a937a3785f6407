"""Files that a command makes: written whole or not at all, left alone where they are as they should be, compared."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from exporter.errors import ConfigError

DIFFERS: Final = 1
"""The exit code where files are not as they should be."""


def write(directory: str, documents: Mapping[str, str], kept: Mapping[str, str] | None = None) -> None:
    """Each of the documents by its name, those to be kept only where there is none. ConfigError where none can be."""
    if not directory:  # such as that of a variable that nobody has set: it would be the one we are in
        raise ConfigError("--output: a directory is needed, not ''")
    try:
        for name, text in documents.items():
            _put(Path(directory) / name, text)
        for name, text in (kept or {}).items():
            path = Path(directory) / name
            if path.exists():
                print(f"{path} is yours")
            else:
                _put(path, text)
    except OSError as error:
        raise ConfigError(f"--output: cannot write {error.filename or directory}: {error.strerror}") from None


def check(directory: str, documents: Mapping[str, str], leftovers: Iterable[Path]) -> int:
    """Say which are others than they should be, missing, or left over; the exit code. ConfigError: no directory."""
    if not directory or not Path(directory).is_dir():
        raise ConfigError(f"--check: no directory: {directory or repr(directory)}")
    try:
        faults = [
            f"{path} {'is another' if path.exists() else 'is missing'}"
            for name, text in documents.items() if not _holds(path := Path(directory) / name, text)
        ]  # fmt: skip
        faults += [f"{path} is made no more" for path in leftovers]
    except OSError as error:
        raise ConfigError(f"--check: cannot read {error.filename or directory}: {error.strerror}") from None
    for fault in faults:
        print(fault)
    return DIFFERS if faults else 0


def _put(path: Path, text: str) -> None:
    if _holds(path, text):
        print(f"{path} is as it should be")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise
    print(path)


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() == text.encode()
