"""What is kept of a page, and what scrapers get of it."""

import gzip
import threading

import pytest

from exporter.collect.exposition import Block
from exporter.collect.rendered import DRAFT_OPEN_METRICS, OPEN_METRICS, TEXT, Rendered


def _block(name: str, lines: int) -> Block:
    return Block(name, f"# {name}\n".encode(), f"# open {name}\n".encode(), f"{name} 1\n".encode() * lines, lines)


PAGE = Rendered([_block("a", 3), _block("b_total", 100_000), _block("c", 0), _block("d_seconds", 50)])


@pytest.mark.parametrize("media", [TEXT, OPEN_METRICS, DRAFT_OPEN_METRICS])
def test_pieces_packed_text_and_size_are_of_the_same_text(media: str) -> None:
    text = b"".join(PAGE.pieces(media))
    assert gzip.decompress(PAGE.compressed(media)) == text
    assert PAGE.size(media) == len(text)
    assert (b"# open a\n" in text) == (media != TEXT) == text.endswith(b"# EOF\n")
    assert text.count(b"\n") == 4 + 100_053 + (media != TEXT)


def test_large_families_are_not_copied_for_a_scrape() -> None:
    large = _block("large", 1_000_000)
    page = Rendered([*(_block(f"small{at}", 1) for at in range(500)), large])
    pieces = list(page.pieces(TEXT))
    assert len(pieces) < 5
    assert sum(map(len, pieces[:-1])) + len(pieces[-1]) == page.size(TEXT)


def test_it_is_compressed_once_however_many_ask_at_once() -> None:
    page, found = Rendered([_block("a", 100_000)]), list[bytes]()
    threads = [threading.Thread(target=lambda: found.append(page.compressed(TEXT))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(one is found[0] for one in found)


def test_families_are_found_by_the_names_of_their_series_as_well() -> None:
    for names, expected in (
        (["a"], ["a"]), (["b_total"], ["b_total"]), (["b"], ["b_total"]), (["d_seconds_bucket"], ["d_seconds"]),
        (["d_seconds_sum", "d_seconds_count", "a", "nothing"], ["a", "d_seconds"]), (["nothing"], []), ([""], []),
        (["a_info"], ["a"]), (["a_created"], ["a"]), (["d_seconds_gsum"], ["d_seconds"]),
    ):  # fmt: skip
        assert [block.name for block in PAGE.only(names).blocks] == expected
