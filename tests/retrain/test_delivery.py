"""Events on their way to real receivers, kept in a real directory first."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest
from retrain.receivers import Answer, receiver
from support import eventually, free_port

from exporter.handoff import board
from exporter.retrain import keeping, signature
from exporter.retrain.delivery import Delivery, Report
from exporter.retrain.event import Event
from exporter.retrain.keeping import NOTHING, Files, Kept
from exporter.retrain.posting import Outcome, Sender, check
from exporter.retraining import Retrain

EVENT = Event("e1", "m", 0.0, '{"specversion":"1.0"}')


def event(number: int = 1, model: str = "m") -> Event:
    return Event(f"e{number}", model, time.time(), '{"specversion":"1.0"}')


def said(url: str, **more: object) -> Retrain:
    return replace(Retrain(url=url, backoff=0.02, max_backoff=0.05, timeout=2.0), **more)


class Ends:
    """Reports, as the loop takes them."""

    def __init__(self, delivery: Delivery) -> None:
        self.all: list[Report] = []
        self._delivery = delivery

    def wait(self, count: int = 1) -> list[str]:
        def ended() -> list[str] | None:
            self.all += self._delivery.reports()
            found = [one.ending for one in self.all if one.ending]
            return found if len(found) >= count else None

        found: list[str] = eventually(ended, what="events ended")
        return found

    @property
    def failures(self) -> list[str]:
        return [one.failure for one in self.all if one.failure]


@contextmanager
def delivering(settings: Retrain, files: Files | None = None) -> Iterator[Delivery]:
    found = Delivery(settings, Sender(settings).post, files)
    try:
        yield found
    finally:
        found.finish(5.0)


def test_an_event_arrives_signed_and_as_a_cloud_event(tmp_path: Path) -> None:
    key = base64.b64encode(b"k" * 32).decode()
    for name, text in (("secret", f"whsec_{key}\n"), ("token", "s3cret-token\n"), ("extra", "abc")):
        (tmp_path / name).write_text(text)
    more = {
        "secret_file": str(tmp_path / "secret"), "bearer_token_file": str(tmp_path / "token"),
        "header_files": (("x-api-key", str(tmp_path / "extra")),),
    }  # fmt: skip
    with receiver() as at, delivering(said(at.url, **more)) as delivery:
        one = event()
        delivery.hand_over(b"x", {"m": one})
        assert Ends(delivery).wait() == ["sent"]
        (got,) = at.received
    assert got.body == one.body.encode()
    assert got.headers["content-type"] == "application/cloudevents+json"
    assert (got.headers["authorization"], got.headers["x-api-key"]) == ("Bearer s3cret-token", "abc")
    expected = signature.headers("e1", int(got.headers["webhook-timestamp"]), got.body, [b"k" * 32])
    assert {name: got.headers[name] for name in expected} == expected


def test_a_netrc_of_the_machine_does_not_take_the_place_of_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (tmp_path / "netrc").chmod(0o600)
    (tmp_path / "token").write_text("s3cret-token")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with receiver() as at:
        assert Sender(said(at.url, bearer_token_file=str(tmp_path / "token"))).post(EVENT).failure == ""
        assert Sender(said(at.url)).post(EVENT).failure == ""
    assert [got.headers.get("authorization") for got in at.received] == ["Bearer s3cret-token", None]


def test_it_is_posted_again_until_it_arrives_and_once_after_that() -> None:
    with receiver(lambda number: Answer(500 if number < 4 else 202)) as at, delivering(said(at.url)) as delivery:
        ends, one = Ends(delivery), event()
        delivery.hand_over(b"x", {"m": one})
        assert ends.wait() == ["sent"]
        delivery.hand_over(b"y", {"m": one})  # the loop has not heard of it yet
        delivery.hand_over(b"z", {"n": event(2, "n")})
        assert ends.wait(2) == ["sent", "sent"]
        assert [got.id for got in at.received] == ["e1"] * 4 + ["e2"]
        assert ends.failures == ["status"] * 3
        assert sum(one.is_retry for one in ends.all) == 3


@pytest.mark.parametrize("status", [400, 410, 422])
def test_what_will_never_be_taken_is_given_up_at_once(status: int) -> None:
    with receiver(lambda _: Answer(status)) as at, delivering(said(at.url)) as delivery:
        delivery.hand_over(b"x", {"m": event()})
        assert Ends(delivery).wait() == ["undelivered"]
        assert len(at.received) == 1


def test_it_is_given_up_after_so_many_attempts_and_the_log_has_it(caplog: pytest.LogCaptureFixture) -> None:
    with receiver(lambda _: Answer(503)) as at, delivering(said(at.url, attempts=3)) as delivery:
        delivery.hand_over(b"x", {"m": event()})
        assert Ends(delivery).wait() == ["undelivered"]
        assert len(at.received) == 3
    assert EVENT.body in caplog.text


def test_one_that_is_too_old_is_tried_once_more() -> None:
    with receiver(lambda _: Answer(404)) as at, delivering(said(at.url, give_up=60.0)) as delivery:
        delivery.hand_over(b"x", {"m": EVENT})
        assert Ends(delivery).wait() == ["undelivered"]
        assert len(at.received) == 1


def test_a_redirect_is_not_followed_with_the_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-token")
    with receiver() as other:
        moved = Answer(307, {"location": other.url})
        settings = said("", attempts=1, bearer_token_file=str(tmp_path / "token"))
        with receiver(lambda _: moved) as at, delivering(replace(settings, url=at.url)) as delivery:
            delivery.hand_over(b"x", {"m": event()})
            assert Ends(delivery).wait() == ["undelivered"]
        assert not other.received


def test_nobody_there_and_files_that_are_gone_are_told_apart(tmp_path: Path) -> None:
    nobody = said(f"http://127.0.0.1:{free_port()}/", attempts=1)
    assert Sender(nobody).post(EVENT).failure == "unreachable"
    gone = replace(nobody, secret_file=str(tmp_path / "gone"))
    assert Sender(gone).post(EVENT).failure == "local"
    with pytest.raises(OSError, match="gone"):
        check(gone)
    with receiver() as at:
        assert Sender(said(at.url.replace("http:", "https:"))).post(EVENT).failure == "tls"
        assert Sender(said(at.url, ca_file=str(tmp_path / "gone"))).post(EVENT).failure in {"", "local"}


def test_retry_after_is_waited_for_up_to_a_bound() -> None:
    for text, low, high in (
        ("7", 7, 7), (formatdate(time.time() + 60, usegmt=True), 50, 61), ("soon", 0, 0), ("-3", 0, 0),
    ):  # fmt: skip
        with receiver(lambda _, text=text: Answer(429, {"retry-after": text})) as at:
            outcome = Sender(said(at.url)).post(EVENT)
        assert (outcome.failure, outcome.is_final) == ("status", False)
        assert low <= outcome.pause_s <= high
    delivery = Delivery(said("http://x/"), lambda _: Outcome(""), None)
    assert delivery._backoff(1, 3600.0) == 0.05
    assert 0.01 <= delivery._backoff(1, 0.0) <= 0.03
    assert 0.025 <= delivery._backoff(50, 0.0) <= 0.075
    delivery.finish(5.0)


def test_whatever_goes_wrong_with_a_post_another_event_is_delivered() -> None:
    def post(one: Event) -> Outcome:
        if one.model == "m":
            raise RuntimeError("nobody thought of this")
        return Outcome("")

    delivery = Delivery(said("http://x/", attempts=2), post, None)
    ends = Ends(delivery)
    delivery.hand_over(b"x", {"m": event(1), "n": event(2, "n")})
    assert sorted(ends.wait(2)) == ["sent", "undelivered"]
    assert ends.failures == ["local", "local"]
    delivery.finish(5.0)


def test_another_event_takes_the_place_of_one_that_waits() -> None:
    with receiver(lambda number: Answer(503 if number == 1 else 200)) as at:
        with delivering(said(at.url, backoff=60.0, max_backoff=60.0)) as delivery:
            delivery.hand_over(b"x", {"m": event(1)})
            eventually(lambda: at.received, what="the first post")
            delivery.hand_over(b"y", {"m": event(2)})
            assert Ends(delivery).wait() == ["sent"]
        assert [got.id for got in at.received] == ["e1", "e2"]


def test_an_event_is_on_disk_before_it_is_sent(tmp_path: Path) -> None:
    content = keeping.packed(Kept({}, {"m": event()}, {}))
    at_receipt = list[bytes]()

    def answers(_: int) -> Answer:
        (file,) = (tmp_path / "retrain").glob("*.ixstate")
        at_receipt.append(file.read_bytes())
        return Answer()

    files = Files(str(tmp_path), board.attach(board.create()))
    with receiver(answers) as at, delivering(said(at.url), files) as delivery:
        delivery.hand_over(content, {"m": event()})
        assert Ends(delivery).wait() == ["sent"]
    assert at_receipt == [content]
    again = Files(str(tmp_path), board.attach(board.create()))
    assert keeping.unpacked(again.read()).events["m"].id == "e1"


def test_a_directory_that_is_a_file_holds_up_no_event(tmp_path: Path) -> None:
    (tmp_path / "retrain").write_text("in the way")
    seats = board.attach(board.create())
    with receiver() as at, delivering(said(at.url), Files(str(tmp_path), seats)) as delivery:
        eventually(lambda: delivery.found() == b"", what="nothing read")
        delivery.hand_over(keeping.packed(NOTHING), {"m": event()})
        assert Ends(delivery).wait() == ["sent"]
    assert sum(seats) > 0


def test_what_another_exporter_has_is_waited_for(tmp_path: Path) -> None:
    """Of two pods with one volume, as while one takes the other's place."""
    content = keeping.packed(Kept({}, {"m": event()}, {}))
    before, seats = Files(str(tmp_path), board.attach(board.create())), board.attach(board.create())
    assert before.read() == b""
    after = Delivery(said("http://127.0.0.1:1/"), lambda _: Outcome(""), Files(str(tmp_path), seats))
    eventually(lambda: sum(seats) == 1, what="it is in use, and counted once")
    assert after.found() is None
    assert before.keep(content)
    before.let_go()
    assert eventually(after.found, what="what was kept") == content
    after.finish(5.0)


def test_a_ledger_that_has_told_does_not_wait_for_a_directory_that_another_has(tmp_path: Path) -> None:
    other = Files(str(tmp_path), board.attach(board.create()))
    assert other.read() == b""
    with receiver() as at:
        delivery = Delivery(said(at.url), Sender(said(at.url)).post, Files(str(tmp_path), board.attach(board.create())))
        delivery.hand_over(keeping.packed(NOTHING), {"m": event()})
        assert Ends(delivery).wait() == ["sent"]
        delivery.finish(5.0)
    other.let_go()


def test_what_cannot_be_read_is_set_aside_and_counted(tmp_path: Path) -> None:
    seats = board.attach(board.create())
    files = Files(str(tmp_path), seats)
    assert files.keep(keeping.packed(NOTHING))
    (file,) = (tmp_path / "retrain").glob("*.ixstate")
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert files.read() == b""
    assert not file.exists()
    assert len(list((tmp_path / "retrain").glob("*.unreadable-*"))) == 1
    assert sum(seats) == 1


def test_bytes_go_into_the_ledgers_room_and_come_out_again() -> None:
    room = keeping.room()
    assert keeping.taken(room) == b""
    assert keeping.put(b"abc", room)
    assert keeping.taken(room) == b"abc"
    assert not keeping.put(b"x" * room.size, room)
    assert keeping.taken(room) == b""
