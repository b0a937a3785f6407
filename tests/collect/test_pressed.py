"""What is kept of a page is its text, whatever pieces it came in."""

import gzip

from hypothesis import given
from hypothesis import strategies as st

from exporter.collect.pressed import Press, pressed

TEXTS = st.lists(st.binary(max_size=50).map(lambda text: text * 500))


@given(TEXTS)
def test_pieces_are_the_whole(texts: list[bytes]) -> None:
    found = pressed(*texts)
    text = b"".join(texts)
    assert gzip.decompress(found.content) == text
    assert b"".join(found.pieces()) == text
    assert found.size == len(text)
    assert found == pressed(*texts), "the same text is the same bytes, at any time"


@given(TEXTS, TEXTS, TEXTS)
def test_what_came_since_a_mark_is_forgotten(before: list[bytes], since: list[bytes], after: list[bytes]) -> None:
    press = Press()
    for text in before:
        press.add(text)
    mark = press.mark()
    for text in since:
        press.add(text)
    press.back_to(mark)
    for text in after:
        press.add(text)
    found = press.end()
    assert b"".join(found.pieces()) == b"".join((*before, *after))
    assert found.size == sum(map(len, (*before, *after)))


def test_the_text_is_never_in_memory_as_a_whole() -> None:
    found = pressed(*(b'model_x{feature="f%d"} 0.%d\n' % (at, at) for at in range(200_000)))
    assert max(map(len, found.pieces())) < found.size / 20
