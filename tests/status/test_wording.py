"""Numbers and moments in sentences: few digits, and never more than is so."""

import pytest

from exporter.status import wording

DAY_S = 86400.0


@pytest.mark.parametrize(("value", "expected"), [
    (0.0, "0 %"), (0.00012, "0.012 %"), (0.0042, "0.42 %"), (0.5, "50 %"), (0.9951, "99.5 %"), (0.99999, "99.9 %"),
    (1.0, "100 %"),
])  # fmt: skip
def test_a_share_is_never_nothing_or_all_of_what_is_not(value: float, expected: str) -> None:
    assert wording.share(value) == expected


@pytest.mark.parametrize(("at", "expected"), [
    (1_700_000_000.0, "22:13 UTC"), (1_700_000_000.0 - DAY_S, "2023-11-13 22:13 UTC"),
    (1e30, "a day that no calendar has"),
])  # fmt: skip
def test_a_moment_has_its_day_where_it_is_another_one(at: float, expected: str) -> None:
    assert wording.clock(at, 1_700_000_000.0) == expected


@pytest.mark.parametrize(("seconds", "expected"), [
    (1.2, "1 second"), (90.0, "90 seconds"), (5400.0, "90 minutes"), (DAY_S, "24 hours"), (3 * DAY_S, "3 days"),
])  # fmt: skip
def test_a_span_is_told_in_the_largest_unit_that_fits_twice(seconds: float, expected: str) -> None:
    assert wording.span(seconds) == expected


def test_names_are_told_three_at_most_and_how_many_more_there_are() -> None:
    assert wording.listed(["a", "b", "c"]) == "a, b, c"
    assert wording.listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert wording.listed(["a" * 64, "b" * 65]) == f"{'a' * 64}, {'b' * 63}…"
    assert (wording.plural(1, "row"), wording.plural(1200, "row")) == ("1 row", "1,200 rows")
