"""Passwords: right ones pass at any time, and wrong ones cost a bounded share of a processor."""

import base64
import threading
import time

import bcrypt
import pytest

from exporter.web import passwords
from exporter.web.passwords import Passwords, Verdict

RIGHT, WRONG, PUT_OFF = Verdict.RIGHT, Verdict.WRONG, Verdict.PUT_OFF
USERS = {name: bcrypt.hashpw(f"{name}'s".encode(), bcrypt.gensalt(4)).decode() for name in ("ann", "bob")}


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Clock:
    """A second each time it is told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords were held against, each at the price of a tenth of a second."""
    seen: list[str] = []
    matches, spent = passwords._matches, iter(range(1_000_000))

    def counted(password: bytes, hashed: str) -> bool:
        seen.append(hashed)
        return matches(password, hashed)

    monkeypatch.setattr(passwords, "_matches", counted)
    monkeypatch.setattr(time, "thread_time", lambda: next(spent) / 10)
    return seen


def test_who_knows_a_password_passes_and_nobody_else() -> None:
    desk = Passwords()
    assert desk.judge(basic("ann", "ann's"), USERS) is RIGHT
    assert desk.judge(basic("bob", "bob's"), USERS) is RIGHT
    for name, password in (("ann", "bob's"), ("ann", ""), ("eve", "ann's"), ("", ""), ("ann", "ann's ")):
        assert desk.judge(basic(name, password), USERS) is WRONG


@pytest.mark.parametrize("header", [
    "", "Basic", "Basic ", "Basic !!!!", "Bearer abc", "Basic " + base64.b64encode(b"no colon").decode(),
    "Basic " + base64.b64encode(b"\xff\xfe:x").decode(), "Basic " + "A" * 100_000, "Basic \xe9\xe9\xe9\xe9",
])  # fmt: skip
def test_what_is_no_password_costs_no_check(checks: list[str], header: str) -> None:
    assert Passwords().judge(header, USERS) is WRONG
    assert not checks


def test_long_passwords_and_strange_bytes_are_only_wrong_or_right() -> None:
    long = "x" * 100
    users = {"ann": bcrypt.hashpw(long[:72].encode(), bcrypt.gensalt(4)).decode()}
    desk = Passwords()
    assert desk.judge(basic("ann", long), users) is RIGHT
    assert desk.judge(basic("ann", "a\0b"), users) is WRONG


def test_a_right_password_is_checked_once_and_again_when_its_hash_changes(checks: list[str]) -> None:
    desk = Passwords()
    for _ in range(5):
        assert desk.judge(basic("ann", "ann's"), USERS) is RIGHT
    assert len(checks) == 1
    other = USERS | {"ann": bcrypt.hashpw(b"new", bcrypt.gensalt(4)).decode()}
    assert desk.judge(basic("ann", "ann's"), other) is WRONG
    assert desk.judge(basic("ann", "new"), other) is RIGHT
    assert desk.judge(basic("ann", "new"), {"bob": USERS["bob"]}) is WRONG


def test_a_name_that_nobody_has_costs_a_check_too_against_always_the_same_hash(checks: list[str]) -> None:
    desk = Passwords()
    for _ in range(3):
        desk.judge(basic("eve", "guess"), USERS)
    assert len(checks) == 3
    assert len(set(checks)) == 1
    assert checks[0] in USERS.values()


def test_a_flood_is_put_off_and_who_is_known_passes_all_the_same(checks: list[str]) -> None:
    clock = Clock()
    desk = Passwords(clock)
    assert desk.judge(basic("ann", "ann's"), USERS, "10.0.0.1") is RIGHT
    found = [desk.judge(basic("ann", f"guess {number}"), USERS, "10.0.0.9") for number in range(1000)]
    assert PUT_OFF in found
    assert found.count(WRONG) == 11  # one while it was a stranger, then a second's worth
    assert desk.judge(basic("ann", "ann's"), USERS, "10.0.0.9") is RIGHT
    assert desk.judge(basic("bob", "bob's"), USERS, "10.0.0.9") is PUT_OFF
    assert desk.judge(basic("bob", "bob's"), USERS, "10.0.0.2") is RIGHT, "others are not kept out"
    checks.clear()
    for second in range(1, 201):
        clock.now_s = float(second)
        for number in range(20):
            desk.judge(basic("ann", f"guess {number}"), USERS, "10.0.0.9")
    assert len(checks) == 100  # a tenth of a second each: a twentieth of the time


def test_a_flood_from_everywhere_costs_no_more_than_both_shares(checks: list[str]) -> None:
    clock = Clock()
    desk = Passwords(clock)
    for number in range(5000):
        clock.now_s += 0.01
        desk.judge(basic("ann", "guess"), USERS, f"10.{number // 250}.{number % 250}.1")
    assert len(checks) <= 2 * (10 + 50 * 0.05 / 0.1) + 2


def test_a_network_of_ipv6_is_one_place(checks: list[str]) -> None:
    desk = Passwords(Clock())
    found = [desk.judge(basic("ann", "guess"), USERS, f"2001:db8::{number:x}") for number in range(1, 100)]
    assert found.count(WRONG) == 11
    assert len(checks) == 11


def test_many_at_once_are_checked_one_by_one_and_those_beyond_are_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, gate = [0], [0], threading.Event()

    def slow(password: bytes, _: str) -> bool:
        running[0] += 1
        most[0] = max(most[0], running[0])
        gate.wait(30)
        running[0] -= 1
        return password == b"right"

    monkeypatch.setattr(passwords, "_matches", slow)
    monkeypatch.setattr(passwords, "_PATIENCE_S", 30.0)
    desk, found = Passwords(), list[Verdict]()
    crowd = [threading.Thread(target=lambda: found.append(desk.judge(basic("ann", "right"), USERS))) for _ in range(20)]
    for one in crowd:
        one.start()
    while len(found) < 15:
        time.sleep(0.01)
    assert set(found) == {PUT_OFF}
    gate.set()
    for one in crowd:
        one.join(30)
    assert (found.count(RIGHT), most[0]) == (5, 1)
