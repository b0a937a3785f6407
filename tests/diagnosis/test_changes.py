"""What was changed about the time at which a fault began."""

import pytest

from exporter.diagnosis.changes import MOST, NEAR_S, Changes

ONSET = 1_000_000.0


@pytest.mark.parametrize(("gaps", "told"), [
    ((120.0,), "2 min after version 0 came"),
    ((3.0,), "as version 0 came"),
    ((-120.0,), "2 min before version 0 came"),
    ((NEAR_S + 1,), ""),
    ((-NEAR_S - 1,), ""),
    ((600.0, 240.0, 1200.0), "4 min after version 1 came"),
    ((600.0, -240.0), "4 min before version 1 came"),
    ((400.0, -240.0), "7 min after version 0 came"),
    ((), ""),
])  # fmt: skip
def test_the_nearest_change_is_told_and_one_before_the_beginning_rather_than_one_after(
    gaps: tuple[float, ...], told: str
) -> None:
    changes = Changes()
    for at, gap in enumerate(gaps):
        changes.note(ONSET - gap, f"version {at} came")
    assert changes.told(ONSET) == told


def test_a_change_that_is_told_again_is_one_and_only_the_newest_are_kept() -> None:
    changes = Changes()
    for _ in range(3):
        changes.note(ONSET, "the model server started")
        changes.note(ONSET + 0.4, "the model server started")
    assert len(list(changes)) == 1
    for at in range(2 * MOST):
        changes.note(ONSET + at, f"version {at} came")
    assert len(list(changes)) == MOST
    assert min(one.wall_s for one in changes) == ONSET + MOST
