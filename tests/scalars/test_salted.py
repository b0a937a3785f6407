"""Hashed categories."""

import hashlib
import hmac

import pytest

from exporter.scalars import salted
from exporter.scalars.salted import Salt

SECRET = b"0123456789abcdef0123456789abcdef"


def test_a_name_is_the_beginning_of_its_hmac() -> None:
    expected = hmac.new(SECRET, "größe".encode(), hashlib.sha256).hexdigest()[:16]
    assert Salt(SECRET).name("größe") == expected == Salt(SECRET + b"\n").name("größe")
    assert Salt(SECRET[:-1] + b"x").name("größe") != expected


def test_a_fingerprint_tells_salts_apart_and_does_not_tell_them() -> None:
    one, other = Salt(SECRET), Salt(SECRET[::-1])
    assert one.fingerprint != other.fingerprint
    assert SECRET.decode()[:4] not in repr(one) + one.fingerprint


@pytest.mark.parametrize("content", [b"", b"short", b" " * 64, b"x" * 5000])
def test_what_keeps_no_secret_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="must hold 16 to 4096 bytes"):
        Salt(content)


def test_what_is_remembered_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salted, "_MOST", 10)
    salt = Salt(SECRET)
    first = [salt.name(str(number)) for number in range(100)]
    assert len(salt._hashes) <= 10
    assert [salt.name(str(number)) for number in range(100)] == first
    salt.name("x" * 10_000)
    assert all(len(name) < 300 for name in salt._hashes)
    assert len(salt.name("\ud800")) == 16
