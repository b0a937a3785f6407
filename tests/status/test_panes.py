"""What panes held, as web threads ask for it and the analyser's loop answers."""

import dataclasses
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from monitor_scenes import DECODER, FEATURES, answers, bin_of, exchange, live_rows, make_profile

from exporter import config
from exporter.monitor.models import Models
from exporter.monitor.said import NOTHING_SAID, Said
from exporter.override import Override
from exporter.profile.directory import OneProfile
from exporter.profile.overrides import Overrides
from exporter.records import Owner
from exporter.reference import Profile
from exporter.status import panes
from exporter.status.facts import Moment, Trails
from exporter.status.panes import Desk

PANE_S = 300.0
"""Of the window of 24h, which has most."""
NOW = 100_000.0
AHEAD_S = 1e9
"""Of Unix time, to the clock of exchanges."""
WHOSE = ("churn", "7")


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    made = make_profile(tmp_path_factory.mktemp("profile"))
    return dataclasses.replace(made, model=WHOSE[0], version=WHOSE[1])


def models(profile: Profile, said: Said = NOTHING_SAID) -> Models:
    return Models(config.resolve(("test", {"profile": "profile.json"})), OneProfile(profile, "default"), said)


def see(watched: Models, rows: Any, at: float) -> None:
    seen = exchange(rows, answers(rows, 1), at)
    watched.observe(seen, replace(DECODER.decode(seen), model=WHOSE[0], version=WHOSE[1]))
    watched.flush()


def desk(ahead_s: float = AHEAD_S, now: float = NOW) -> Desk:
    return Desk(lambda at: at + ahead_s, lambda: now)


def told(one: Desk, watched: Models, ask: Callable[[], Any]) -> Any:
    """What a thread hears while the loop goes round."""
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask)
        while not asking.done():
            one.answer(watched)
            time.sleep(0.001)
        return asking.result()


def trails(watched: Models, *names: str, of: Desk | None = None, side: str = "feature") -> Trails | None:
    one = of or desk()
    return told(one, watched, lambda: one.trails(*WHOSE, side, names))


def moment(watched: Models, at: float, *names: str, of: Desk | None = None, side: str = "feature") -> Moment | None:
    one = of or desk()
    return told(one, watched, lambda: one.moment(*WHOSE, side, names, at))


def test_a_trail_has_all_panes_of_a_day_and_the_one_that_is_not_over(profile: Profile) -> None:
    watched = models(profile)
    see(watched, live_rows(30, 1), NOW - 86_000)
    see(watched, live_rows(20, 2), NOW - 700)
    see(watched, live_rows(10, 3), NOW)
    found = trails(watched, "amount", "city")
    assert found is not None
    assert (found.width_seconds, len(found.starts)) == (PANE_S, 288)
    assert found.starts[-1] == NOW // PANE_S * PANE_S + AHEAD_S
    assert np.diff(found.starts).tolist() == [PANE_S] * 287
    assert [one.name for one in found.columns] == ["amount", "city"]
    for one in found.columns:
        at = {place: count for place, count in enumerate(one.samples) if count}
        assert list(at.values()) == [30, 20, 10]
        assert list(at) == [0, 285, 287]
        assert [place for place, moved in enumerate(one.total_variation) if moved is not None] == list(at)
    assert orjson.loads(orjson.dumps(found))["columns"][1]["samples"][-1] == 10


def test_total_variation_and_bins_of_a_pane_are_those_of_its_rows(profile: Profile) -> None:
    watched = models(profile)
    rows = live_rows(60, 5)
    see(watched, live_rows(40, 4), NOW - 900)
    see(watched, rows, NOW - 400)
    went, was = trails(watched, *FEATURES), moment(watched, NOW - 400 + AHEAD_S, *FEATURES)
    assert went is not None
    assert was is not None
    place = went.starts.index(was.start)
    assert was.start <= NOW - 400 + AHEAD_S < was.end == was.start + PANE_S
    for column, then, trail in zip(profile.features, was.columns, went.columns, strict=True):
        binned = np.bincount([bin_of(column, row.get(column.name)) for row in rows], minlength=len(column.counts))
        live, reference = binned / 60, np.array(column.counts) / sum(column.counts)
        assert [one.bin for one in then.bins] == [f"{place:02d}" for place, _ in column.bins()]
        assert [one.text for one in then.bins] == [text for _, text in column.bins()]
        assert [one.live for one in then.bins] == pytest.approx([live[at] for at, _ in column.bins()])
        assert [one.reference for one in then.bins] == pytest.approx([reference[at] for at, _ in column.bins()])
        assert then.total_variation == trail.total_variation[place] == pytest.approx(abs(live - reference).sum() / 2)
        assert then.samples == trail.samples[place] == 60


def test_panes_add_up_to_what_the_window_of_metrics_has(profile: Profile) -> None:
    watched = models(profile)
    for ago in range(0, 90_000, 4_000):
        see(watched, live_rows(7, ago), NOW - ago)
    (shown, *_) = watched.shown(NOW)
    assert shown.snapshot.features is not None
    (day,) = (one for one in shown.snapshot.features.scores if one.window == "24h")
    found = trails(watched, *FEATURES)
    assert found is not None
    assert [sum(one.samples) for one in found.columns] == day.samples.tolist()


def test_outputs_have_panes_too_and_an_empty_moment_has_no_shares(profile: Profile) -> None:
    watched = models(profile)
    see(watched, live_rows(5, 1), NOW)
    found = trails(watched, "score", side="output")
    assert found is not None
    assert found.columns[0].samples[-1] == 5
    before = moment(watched, NOW - 5_000 + AHEAD_S, "score", side="output")
    assert before is not None
    (column,) = before.columns
    assert (column.samples, column.total_variation) == (0, None)
    assert {one.live for one in column.bins} == {None}
    assert sum(one.reference for one in column.bins) == pytest.approx(1)


def test_each_beginning_of_a_trail_is_a_moment_of_that_pane_though_clocks_are_slewed(profile: Profile) -> None:
    watched = models(profile)
    see(watched, live_rows(5, 1), NOW)
    found = trails(watched, "amount", of=desk(AHEAD_S + 0.1234567))
    assert found is not None
    for start in found.starts[::41]:
        for slewed in (-0.004, 0, 0.7):
            then = moment(watched, start, "amount", of=desk(AHEAD_S + 0.1234567 + slewed))
            assert then is not None
            assert then.start == pytest.approx(start + slewed, abs=1e-3)


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, -1e300, 1e300, 0.0, NOW + AHEAD_S + 300,
                                NOW + AHEAD_S - 86_401])  # fmt: skip
def test_a_moment_that_no_pane_has_is_none(profile: Profile, at: float) -> None:
    watched = models(profile)
    see(watched, live_rows(5, 1), NOW)
    assert moment(watched, at, "amount") is None


def test_a_clock_that_was_set_back_moves_the_panes_and_breaks_nothing(profile: Profile) -> None:
    watched = models(profile)
    see(watched, live_rows(5, 1), NOW)
    found = trails(watched, "amount", of=desk(AHEAD_S - 7200))
    assert found is not None
    assert found.columns[0].samples[-1] == 5
    assert moment(watched, NOW + AHEAD_S, "amount", of=desk(AHEAD_S - 7200)) is None
    earlier = trails(watched, "amount", of=desk(now=NOW - 3600))  # even that of exchanges, which nobody can set
    assert earlier is not None
    assert sum(earlier.columns[0].samples) == 0


def test_what_is_unknown_or_ignored_is_left_out_and_none_where_nothing_remains(profile: Profile) -> None:
    ignoring = Overrides(features={"age": Override(ignore=True)})
    watched = models(profile, NOTHING_SAID._replace(overrides=ignoring))
    see(watched, live_rows(5, 1), NOW)
    found = trails(watched, "age", "no such", "city", "city", "amount")
    assert found is not None
    assert [one.name for one in found.columns] == ["city", "amount"]
    assert trails(watched, "age") is None
    assert trails(watched, "no such") is None
    assert trails(watched) is None
    assert trails(watched, "amount", side="output") is None
    assert trails(watched, "amount", side="features") is None
    one = desk()
    for whose in (("churn", "8"), ("other", "7"), ("_other", "unknown")):
        assert told(one, watched, partial(one.trails, *whose, "feature", ["amount"])) is None


def test_after_a_change_of_the_profile_panes_have_its_bins_and_none_of_the_former(
    profile: Profile, tmp_path: Path
) -> None:
    small = make_profile(tmp_path, {"amount": [1.0, 2.0, 3.0] * 50, "code": [1, 2, 3] * 50, "score": [0.5, 0.25] * 75})
    other = dataclasses.replace(small, model=WHOSE[0], version=WHOSE[1])
    references = _Changing(profile)
    watched = Models(config.resolve(("test", {"profile": "profile.json"})), references)
    see(watched, live_rows(50, 1), NOW)
    references.now = other
    watched.refer()
    found, then = trails(watched, "amount", "city"), moment(watched, NOW + AHEAD_S, "amount")
    assert found is not None
    assert then is not None
    assert [one.name for one in found.columns] == ["amount"]
    assert sum(found.columns[0].samples) == 0
    assert [one.text for one in then.columns[0].bins] == [text for _, text in other.features[0].bins()]


def test_windows_that_were_put_back_are_seen_in_their_panes(profile: Profile) -> None:
    before, after = models(profile), models(profile)
    see(before, live_rows(30, 1), NOW - 3000)
    owner = Owner(*WHOSE, profile.digest)
    assert after.put_back(owner, dict(before.held(owner, NOW)), 0.0, NOW + 600)
    see(after, live_rows(4, 2), NOW + 600)
    found = trails(after, "amount", of=desk(now=NOW + 600))
    assert found is not None
    assert [count for count in found.columns[0].samples if count] == [30, 4]
    assert found.columns[0].samples[287 - 12] == 30


def test_who_is_not_answered_in_time_is_told_and_leaves_room_for_others(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panes, "_LONGEST_WAIT_S", 0.05)
    one, watched = desk(), models(profile)
    with pytest.raises(TimeoutError):
        one.trails(*WHOSE, "feature", ["amount"])
    assert not one._waiting
    monkeypatch.setattr(panes, "_LONGEST_WAIT_S", 20.0)
    with ThreadPoolExecutor(9) as threads:
        asking = [threads.submit(one.trails, *WHOSE, "feature", ["amount"]) for _ in range(9)]
        (refused,) = _done(asking)
        with pytest.raises(TimeoutError, match="too many"):
            refused.result()
        assert len(one._waiting) == 8
        one.answer(watched)
        assert all(each.result() for each in asking if each is not refused)


def test_no_more_columns_than_a_page_has_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="at most 50"):
        desk().trails(*WHOSE, "feature", [f"f{n}" for n in range(51)])


def _done(asking: list[Any]) -> list[Any]:
    while not (done := [one for one in asking if one.done()]):
        time.sleep(0.001)
    return done


class _Changing(OneProfile):
    """A reference that becomes another."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile, "default")
        self.now = profile

    def of(self, model: str, version: str = "") -> Profile | None:
        return self.now if (model, version) == WHOSE else None
