"""What was joined is read ahead of the loop: in order, once, within bounds, and anew where the loop asks anew."""

from feedback.spoken import NOW_MS, ONE

from exporter.feedback.ahead import Ahead, Wish
from exporter.truths import Joined

woken: list[None] = []


def ahead() -> Ahead:
    woken.clear()
    return Ahead(lambda: woken.append(None))


def rows(*numbers: int) -> list[Joined]:
    return [Joined(number, ONE, NOW_MS, NOW_MS, b"", b"", b"") for number in numbers]


def test_nothing_is_read_before_the_loop_has_asked() -> None:
    one = ahead()
    one.tell()
    assert one.wish() is None
    assert not one.is_behind
    assert one.take(7) == []
    assert woken
    assert one.wish() == Wish(7, 5000)
    assert one.is_behind


def test_what_was_read_is_handed_over_once_and_the_next_is_read_from_there() -> None:
    one = ahead()
    one.take(0)
    one.add(Wish(0, 5000), rows(3, 8))
    assert one.wish() is None  # that was all there is
    assert one.take(0) == rows(3, 8)
    assert one.take(8) == []
    one.tell()
    assert one.wish() == Wish(8, 5000)


def test_no_more_is_read_than_there_is_room_for() -> None:
    one = ahead()
    one.take(0)
    one.add(Wish(0, 2), rows(1, 2))
    assert one.wish() == Wish(2, 4998)
    one.add(Wish(2, 4998), rows(*range(3, 5001)))
    assert one.wish() is None
    assert one.is_behind
    assert len(one.take(0)) == 5000
    assert one.wish() == Wish(5000, 5000)


def test_what_was_read_for_another_wish_is_let_go() -> None:
    one = ahead()
    one.take(0)
    wish = one.wish()
    assert wish == Wish(0, 5000)
    one.take(50)
    one.add(wish, rows(1, 2, 60))
    assert one.take(50) == []
    assert one.wish() == Wish(50, 5000)
