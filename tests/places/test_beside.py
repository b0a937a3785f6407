"""What lies beside the profile: memory that analysers are given stays as long as they are."""

from pathlib import Path

import pytest

from exporter.errors import ConfigError
from exporter.handoff import memory
from exporter.places import beside
from exporter.places.beside import Beside


def contents(overrides: bytes = b"", salt: bytes = b"") -> beside.Contents:
    return {"overrides": overrides, "salt_file": salt}


def test_what_has_not_changed_stays_where_an_analyser_was_told_to_find_it() -> None:
    held = Beside(contents(b"features: {}", b"s" * 16))
    before = dict(held.fds)
    assert held.put_in_force(contents(b"features: {}", b"t" * 16)) == {"salt_file"}
    held.forget()
    assert held.fds["overrides"] == before["overrides"]
    assert [memory.kept(fd) for fd in held.fds.values() if fd is not None] == [b"features: {}", b"t" * 16]
    assert held.put_in_force(contents(b"", b"t" * 16)) == {"overrides"}
    held.forget()
    assert held.fds["overrides"] is None


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b"x" * (2 << 20)), Path.exists])
def test_what_cannot_be_read_is_an_error_of_the_setting(tmp_path: Path, make: object) -> None:
    path = tmp_path / "overrides.yml"
    make(path)  # type: ignore[operator]
    with pytest.raises(ConfigError, match="overrides: cannot read"):
        beside.read({"overrides": str(path), "salt_file": None})
