"""JSON cells become numbers, lengths or names; what does not fit is counted, never guessed."""

import json
from typing import Any

import numpy as np
import pytest

from exporter.monitor import cells

HUGE = 10**400


def check(found: Any, values: Any, missing: Any, errors: int) -> None:
    numbers, wrong = np.frombuffer(found[0]), list(found[1])
    assert np.isnan(numbers).tolist() == missing
    assert np.array_equal(numbers[~np.array(missing, bool)], np.array(values)[~np.array(missing, bool)])
    assert len(wrong) == errors
    assert np.isinf(numbers[wrong]).all()


@pytest.mark.parametrize(("given", "values", "missing", "errors"), [
    ([1, 2.5, -3], [1, 2.5, -3], [False] * 3, 0),
    ([1.5, None], [1.5, 0], [False, True], 0),
    ([], [], [], 0),
    ([None, None], [0, 0], [True, True], 0),
    ([True, False, 2], [1, 0, 2], [False] * 3, 0),
    (["3", 3], [np.inf, 3], [False] * 2, 1),
    ([[1], {}, 1], [np.inf, np.inf, 1], [False] * 3, 2),
    ([HUGE, -HUGE, 1], [np.inf, -np.inf, 1], [False] * 3, 0),
    ([HUGE, None], [np.inf, 0], [False, True], 0),
    ([float("nan"), float("inf")], [0, np.inf], [True, False], 0),
    ([float("nan"), "3"], [0, np.inf], [True, False], 1),
    ([2**63, 2**64], [2.0**63, 2.0**64], [False] * 2, 0),
])  # fmt: skip
def test_numbers(given: Any, values: Any, missing: Any, errors: int) -> None:
    check(cells.numbers(given), np.array(values, np.float64), missing, errors)


def test_text_is_read_as_its_length() -> None:
    check(
        cells.measured(["", "ab", "ünï", None, 3, ["x"]], ""),
        [0.0, 2, 3, 0, np.inf, np.inf],
        [False] * 3 + [True, False, False],
        2,
    )


def test_words_of_texts_are_called_by_their_type_where_there_is_no_text() -> None:
    names, wrong = cells.words(["abc", "да", None, 3, ["x"], float("nan"), ""], "charset")
    assert names == ["latin", "cyrillic", None, "<int>", "<list>", None, "empty"]
    assert wrong == 2


def test_names_of_categories() -> None:
    names, errors = cells.categories(["a", 1, 1.0, None, True, [1], float("nan")], "categorical")
    assert names == ["a", "1", "1", None, "true", "<list>", None]
    assert errors == 1


def test_names_of_truth_values() -> None:
    names, errors = cells.categories([True, 0, 1.0, "TRUE", "False", "maybe", None, {}], "boolean")
    assert names == ["true", "false", "true", "true", "false", "maybe", None, "<dict>"]
    assert errors == 1


def test_any_json_is_survived() -> None:
    given = json.loads('[1, 1e999, -0.0, "", "\\ud800", null, true, [[]], {"a": {}}, ' + "9" * 300 + "]")
    for read in (cells.numbers, lambda texts: cells.measured(texts, "tokens")):
        values, wrong = read(given)
        assert len(values) == 8 * len(given)
        assert set(wrong) <= set(range(len(given)))
    assert len(cells.categories(given, "boolean")[0]) == len(given)
