"""Rows that belong together count once, whatever says that they do and however they come."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange
from numpy.typing import NDArray
from profile_tables import profile_of

from exporter.decode import Decoder
from exporter.guarantees import Evidence
from exporter.monitor import Monitor
from exporter.monitor.gathering import WATCHING, Watching
from exporter.monitor.grouping import GENERATION_S, MOST_GROUPS, Groups
from exporter.monitor.said import NOTHING_SAID
from exporter.records import Exchange
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.segmentations import Segmentation, grouped_by

WINDOWS = Windows(pane=60.0, lengths=(600.0,))
HEADER, FIELD = grouped_by({"header": "X-Session"}), grouped_by("session")
HOUR = 2 * GENERATION_S
SIDES = ("features", "outputs")
Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    numbers = [float(at % 100) for at in range(1000)]
    table = {"x": numbers, "word": ["ab"[at % 2] for at in range(1000)], "p": numbers}
    return profile_of(tmp_path_factory.mktemp("grouping") / "t.csv", table)[0]


def by(key: Segmentation) -> Watching:
    return Watching(Evidence(group_key=key))


def rows(sessions: int, each: int = 5, seed: int = 1) -> list[Row]:
    """Of sessions that are under way together; rows of one are alike but for their number."""
    random = np.random.default_rng(seed)
    of = [
        {"x": float(random.integers(100)), "word": str(random.choice(["a", "b"])), "session": f"s{at}"}
        for at in range(sessions)
    ]
    return [of[at] for at in random.permutation(np.repeat(np.arange(sessions), each))]


def answers(given: Sequence[Row]) -> list[float]:
    return [row["x"] for row in given]


def firsts(given: Sequence[Row]) -> list[Row]:
    seen = set[str]()
    return [row for row in given if not (row["session"] in seen or seen.add(row["session"]))]


def in_bodies(given: Sequence[Row], size: int, at: float = 1.0, **more: Any) -> Iterator[Exchange]:
    for start in range(0, len(given), size):
        part = given[start : start + size]
        yield exchange(part, answers(part), at, **more)


def under_header(given: Sequence[Row], at: float = 1.0) -> Iterator[Exchange]:
    """A request each, which says the session in a header and nowhere else."""
    for row in given:
        body = [{name: cell for name, cell in row.items() if name != "session"}]
        yield exchange(body, answers([row]), at, request_headers={"x-session": row["session"]})


def watched(profile: Profile, watching: Watching, exchanges: Any, flush_every: int = 10**9) -> Monitor:
    monitor = Monitor(profile, WINDOWS, (), NOTHING_SAID, watching)
    for number, one in enumerate(exchanges, 1):
        monitor.observe(one, Decoder().decode(one))
        if number % flush_every == 0:
            monitor.flush()
    monitor.flush()
    return monitor


def kept(monitor: Monitor, last: str) -> NDArray[np.int64]:
    (found,) = (array for name, array in monitor.arrays().items() if ".grouping." in name and name.endswith(last))
    return found


def totals(monitor: Monitor, side: str) -> NDArray[np.int64]:
    (found,) = (array for name, array in monitor.arrays().items() if name.endswith(f".{side}.totals"))
    return found


def grouped(monitor: Monitor) -> list[list[list[int]]]:
    """What counts, by side, column and bin."""
    return [kept(monitor, f".{side}").tolist() for side in SIDES]


def alone(given: Sequence[Row], profile: Profile) -> list[list[list[int]]]:
    """What some rows give where nothing groups them, likewise."""
    plain = watched(profile, WATCHING, in_bodies(given, 100))
    return [totals(plain, side).tolist() for side in SIDES]


@pytest.mark.parametrize("flush_every", [1, 7, 1000])
def test_of_sessions_that_a_header_names_the_first_request_counts(profile: Profile, flush_every: int) -> None:
    given = rows(60)
    monitor = watched(profile, by(HEADER), under_header(given), flush_every)
    assert grouped(monitor) == alone(firsts(given), profile)
    assert kept(monitor, ".rows").tolist() == [60, 240, 0]
    assert totals(monitor, "features")[0].sum() == 300  # all else counts every row


@pytest.mark.parametrize(("size", "flush_every"), [(1, 1), (1, 50), (3, 2), (100, 1), (300, 1)])
def test_of_sessions_that_a_field_names_the_first_row_counts_however_rows_come(
    profile: Profile, size: int, flush_every: int
) -> None:
    given = rows(60)
    monitor = watched(profile, by(FIELD), in_bodies(given, size), flush_every)
    assert grouped(monitor) == alone(firsts(given), profile)
    assert kept(monitor, ".rows").tolist() == [60, 240, 0]


def test_in_another_order_as_many_rows_count_of_the_same_groups(profile: Profile) -> None:
    given = rows(60)
    one, other = (watched(profile, by(FIELD), in_bodies(part, 20)) for part in (given, given[::-1]))
    for side in (".features", ".outputs", ".rows"):  # rows of one session are alike here
        assert kept(one, side).tolist() == kept(other, side).tolist()


def test_a_payload_larger_than_what_is_counted_at_once_is_grouped_as_a_small_one(profile: Profile) -> None:
    given = rows(2000)
    monitor = watched(profile, by(FIELD), in_bodies(given, 10_000))
    assert grouped(monitor) == alone(firsts(given), profile)


def test_a_feature_can_be_the_key(profile: Profile) -> None:
    given = rows(60)
    monitor = watched(profile, by(grouped_by("word")), in_bodies(given, 10))
    assert kept(monitor, ".rows").tolist() == [2, 298, 0]
    numbers = watched(profile, by(grouped_by("x")), in_bodies(given, 10))
    assert kept(numbers, ".rows")[0] == len({row["x"] for row in given})


@pytest.mark.parametrize("key", [HEADER, FIELD])
def test_rows_without_the_key_are_groups_of_their_own(profile: Profile, key: Any) -> None:
    given = [{"x": 1.0, "word": "a"}, {"x": 1.0, "word": "a", "session": None}] * 20
    monitor = watched(profile, by(key), in_bodies(given, 10))
    assert grouped(monitor) == alone(given, profile)
    assert kept(monitor, ".rows").tolist() == [40, 0, 0]


def test_all_rows_of_a_request_have_its_header(profile: Profile) -> None:
    given = rows(30)
    exchanges = (
        exchange(given[at : at + 10], answers(given[at : at + 10]), 1.0, request_headers={"x-session": f"{at % 50}"})
        for at in range(0, 150, 10)
    )
    monitor = watched(profile, by(HEADER), exchanges)
    assert grouped(monitor) == alone(given[:50:10], profile)
    assert kept(monitor, ".rows").tolist() == [5, 145, 0]


def test_an_answer_whose_request_is_not_known_is_of_its_header_and_counts_for_no_field(profile: Profile) -> None:
    given = rows(20)
    unread = [exchange(b"{", [row["x"], row["x"]], 1.0, request_headers={"x-session": row["session"]}) for row in given]
    by_header = watched(profile, by(HEADER), unread)
    plain = watched(profile, WATCHING, in_bodies(firsts(given), 1))
    assert kept(by_header, ".outputs").tolist() == totals(plain, "outputs").tolist()
    assert kept(by_header, ".rows").tolist() == [20, 180, 0]
    by_field = watched(profile, by(FIELD), unread)
    assert kept(by_field, ".outputs").sum() == 0
    assert kept(by_field, ".rows").tolist() == [0, 0, 200]


def test_answers_with_and_without_their_requests_can_be_in_one_batch(profile: Profile) -> None:
    given = rows(8)
    unread = [exchange(b"{", [50.0] * 3, 1.0), exchange(b"{", [60.0], 1.0)]
    exchanges = [*in_bodies(given[:10], 5), unread[0], *in_bodies(given[10:], 7), unread[1]]
    monitor = watched(profile, by(FIELD), exchanges)
    assert grouped(monitor) == alone(firsts(given), profile)
    assert kept(monitor, ".rows").tolist() == [8, 32, 4]


def test_a_group_counts_once_within_the_hour_and_once_in_a_while_where_it_never_rests(profile: Profile) -> None:
    (row,) = rows(1, each=1)
    every_20_minutes = [at * 1200.0 for at in range(30)]
    going_on = (next(under_header([row], at)) for at in every_20_minutes)
    assert kept(watched(profile, by(HEADER), going_on), ".rows").tolist() == [10, 20, 0]
    resting = (next(under_header([row], at)) for at in (0.0, GENERATION_S * 0.9, GENERATION_S * 2.1, HOUR * 3))
    assert kept(watched(profile, by(HEADER), resting), ".rows").tolist() == [3, 1, 0]


def test_counts_go_on_where_they_were_and_no_key_is_kept_with_them(profile: Profile) -> None:
    given = rows(20)
    monitor = watched(profile, by(HEADER), under_header(given))
    arrays = {name: array for name, array in monitor.arrays().items() if ".grouping." in name}
    assert {array.shape for array in arrays.values()} == {(3,), kept(monitor, ".features").shape, (1, 16)}
    heir = Monitor(profile, WINDOWS, (), NOTHING_SAID, by(HEADER))
    for name, array in arrays.items():
        heir.arrays()[name][...] = array
    for one in under_header(rows(20, seed=2)):
        heir.observe(one, Decoder().decode(one))
    heir.flush()
    assert kept(heir, ".rows").tolist() == [40, 160, 0]  # who was known is forgotten


def test_counts_by_another_key_have_another_name(profile: Profile) -> None:
    keys = (HEADER, FIELD, grouped_by("word"))
    names = [set(Monitor(profile, WINDOWS, (), NOTHING_SAID, by(key)).arrays()) for key in keys]
    grouped = [{name for name in one if ".grouping." in name} for one in names]
    assert all(grouped)
    assert not grouped[0] & grouped[1] | grouped[1] & grouped[2]
    assert not any(".grouping." in name for name in Monitor(profile, WINDOWS, (), NOTHING_SAID, WATCHING).arrays())


# --- which groups are known


def by_hand(hashes: Sequence[int], generations: Sequence[int], room: int) -> list[tuple[bool, bool]]:
    """Whether each was not known, and whether there was no room; one by one, from the words of the documentation."""
    last, now, found = dict[int, int](), 0, []
    for one, generation in zip(hashes, generations, strict=True):
        now = max(now, generation)
        last = {group: began for group, began in last.items() if began >= now - 1}
        is_new, is_full = one not in last, len(last) >= room
        found.append((is_new and not is_full, is_new and is_full))
        if is_new and not is_full:
            last[one] = now
    return found


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_told_as_one_by_one_however_they_come_together(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.monitor.grouping.MOST_GROUPS", 12)
    random = np.random.default_rng(seed)
    hashes = random.integers(3, 25, 400).astype(np.uint64)
    generations = np.cumsum(random.random(400) < 0.03) * random.integers(1, 3) - (random.random(400) < 0.05)
    cuts = [0, *sorted(random.integers(0, 400, 9).tolist()), 400]
    groups = Groups()
    parts = [groups.meet(hashes[a:b], generations[a:b].astype(np.int64)) for a, b in pairwise(cuts)]
    first, beyond = (np.concatenate([part[which] for part in parts]).tolist() for which in (0, 1))
    expected = by_hand(hashes.tolist(), generations.tolist(), 12)
    assert list(zip(first, beyond, strict=True)) == expected
    assert any(beyond)
    assert any(first)


def test_no_more_groups_are_remembered_than_there_is_room_for() -> None:
    groups, now = Groups(), np.zeros(100_000, np.int64)
    crowd = np.random.default_rng(1).integers(3, 2**63, 100_000).astype(np.uint64)
    first, beyond = groups.meet(crowd, now)
    assert first[:MOST_GROUPS].all()
    assert beyond[MOST_GROUPS:].all()
    assert first.sum() + beyond.sum() == 100_000
    again, still = groups.meet(crowd, now + 1)  # those that are known go on, the others still find no room
    assert not again.any()
    assert still.tolist() == beyond.tolist()
    assert groups.meet(crowd, now + 3)[0].sum() == MOST_GROUPS
    assert groups.nbytes <= 2 * 8 * MOST_GROUPS
