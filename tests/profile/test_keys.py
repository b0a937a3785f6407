"""The keys of a run of rows: any rows of it can be asked for, and none is kept more than once."""

import tracemalloc

import numpy as np
import pytest

from exporter.profile.keys import Keys

PIECE = 1 << 14


@pytest.mark.parametrize("sizes", [[10], [1, 2, 3, 4], [4, 0, 6], [5, 5]])
def test_answers_of_any_rows_are_those_that_came(sizes: list[int]) -> None:
    words = np.arange(10.0)
    words[3] = np.nan
    keys = Keys(None, 1)
    for end, size in zip(np.cumsum(sizes).tolist(), sizes, strict=True):
        keys.add_answers(0, words[end - size : end])
    for start in range(10):
        for end in range(start, 11):
            (found,) = keys.slice(start, end - start).answers
            expected = words[start:end]
            assert found.words.tolist() == expected[~np.isnan(expected)].tolist()


def test_rows_that_are_asked_for_as_they_come_are_kept_once() -> None:
    keys = Keys(None, 1)
    tracemalloc.start()
    for place in range(64):
        keys.add_answers(0, np.zeros(PIECE))
        keys.slice(place * PIECE, PIECE)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2 * 64 * PIECE * 8
