"""What was joined is added once, whoever dies, and to whom it belongs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hindsight_scenes import KINDS, answered, profile_of

from exporter import config
from exporter.decode import Decoder
from exporter.handoff import memory
from exporter.handoff.ledger import Ledger
from exporter.monitor.late import Late
from exporter.monitor.models import Models
from exporter.performance.extra import Extra, pack
from exporter.profile.directory import OneProfile
from exporter.reference import Profile
from exporter.truths import Joined, Owner, Prediction

DECODER = Decoder()
NOW = 1000.0


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return profile_of(KINDS["binary"], tmp_path_factory.mktemp("profile"))


class Run:
    """Models, and what comes late, of one process."""

    def __init__(self, profile: Profile, fd: int, **given: Any) -> None:
        said = {"profile": "p.json", "feedback.enable": True, "windows.pane": "1s", "windows.lengths": "60s"}
        settings = config.resolve(("test", said | {key.replace("__", "."): value for key, value in given.items()}))
        self.models = Models(settings, OneProfile(profile, settings.model.name))
        self.late = Late(self.models)
        self._ledger = Ledger(fd)
        kept = self._ledger.chapters()
        for name, array in self.late.own.items():
            array[...] = kept.get("own", {}).get(name, array)
        self.models.restore({title: arrays for title, arrays in kept.items() if title != "own"})

    def see(self, answers: Sequence[float], request_id: str, version: str = "") -> None:
        one = answered(
            answers,
            NOW,
            request_id,
            path="/v1/models/m:predict" if not version else f"/v1/models/m/versions/{version}:predict",
        )
        self.models.observe(one, DECODER.decode(one))

    def opened(self) -> list[Prediction]:
        self.models.flush()
        found, dropped = self.late.opened()
        assert not dropped
        return found

    def commit(self) -> None:
        self.models.flush()
        self._ledger.commit({"own": self.late.own, **self.models.chapters()})

    def counted(self) -> dict[str, int]:
        """Joined predictions since start, by version."""
        shown = self.models.shown(NOW)
        return {
            one.label.version: one.snapshot.performed.counted.joined
            for one in shown if one.snapshot.performed and one.snapshot.performed.counted.joined
        }  # fmt: skip

    def samples(self) -> int:
        """In the windows of all."""
        of = (one.snapshot.performed for one in self.models.shown(NOW) if one.snapshot.performed)
        return sum(judged.samples for one in of for judged in one.judged if judged[:2] == ("arrival", "30d"))


@pytest.fixture
def fd() -> int:
    return memory.create("ledger", 4096)


def joined(predictions: Sequence[Prediction], first: int) -> list[Joined]:
    return [
        Joined(number, one.owner, one.at_ms, round(NOW * 1000), one.content, b"1", pack(Extra(value=2.5)))
        for number, one in enumerate(predictions, first)
    ]


def test_what_was_committed_is_not_added_again_and_what_was_not_is(profile: Profile, fd: int) -> None:
    run = Run(profile, fd)
    run.see([0.1, 0.9, 0.4], "r")
    rows = joined(run.opened(), 101)
    run.late.begin(100, "sqlite:a")
    run.late.join(rows[:1], NOW)
    run.commit()
    run.late.join(rows[1:2], NOW)  # and it dies
    again = Run(profile, fd)
    again.late.begin(101, "sqlite:a")
    assert again.late.applied == 101
    again.late.join(rows, NOW)
    again.late.join(rows[1:], NOW)
    assert (again.counted(), again.samples()) == ({"unknown": 3}, 3)
    again.commit()
    assert Run(profile, fd).counted() == {"unknown": 3}


def test_what_earlier_runs_had_joined_is_in_windows_alone_even_if_it_dies_on_the_way(profile: Profile, fd: int) -> None:
    source = Run(profile, memory.create("other", 4096))
    source.see([0.1] * 10, "r")
    rows = joined(source.opened(), 101)
    run = Run(profile, fd)
    run.late.begin(106, "sqlite:a")
    run.late.join(rows[:3], NOW)
    run.commit()
    run = Run(profile, fd)
    run.late.begin(110, "sqlite:a")
    run.late.join(rows[3:], NOW)
    assert run.samples() == 10
    assert run.counted() == {"unknown": 4}


def test_a_store_that_was_begun_anew_with_lower_numbers_has_nothing_old(profile: Profile, fd: int) -> None:
    run = Run(profile, fd)
    run.see([0.1, 0.9], "r")
    rows = run.opened()
    run.late.begin(1000, "sqlite:a")
    run.late.join(joined(rows, 1001), NOW)
    run.commit()
    run = Run(profile, fd)
    run.late.begin(0, "sqlite:a")
    run.late.join(joined(rows, 1), NOW)
    assert run.counted() == {"unknown": 4}


def test_whoever_goes_back_to_a_store_adds_only_what_is_new_in_it(profile: Profile, fd: int) -> None:
    values = [{"name": "revenue", "feedback": True}]
    run = Run(profile, fd, values=values)
    run.see([0.1, 0.9, 0.4, 0.6], "r")
    rows = joined(run.opened(), 101)
    run.late.begin(0, "sqlite:a")
    run.late.join(rows[:2], NOW)
    run.commit()
    run = Run(profile, fd, values=values)
    run.late.begin(0, "memory:")
    run.late.join([rows[2]._replace(number=900)], NOW)
    run.commit()
    for last_number in (102, 103):  # the other store's are higher
        run = Run(profile, fd, values=values)
        run.late.begin(last_number, "sqlite:a")
        run.late.join([*rows[:2], rows[3]._replace(number=103)], NOW)
        run.commit()
        assert (run.counted(), run.samples()) == ({"unknown": 4}, 4)
        assert {one.rows for shown in run.models.shown(NOW) for one in shown.snapshot.valued} == {4}


def test_a_store_that_has_lost_its_last_ones_adds_those_that_follow(profile: Profile, fd: int) -> None:
    run = Run(profile, fd)
    run.see([0.1, 0.9, 0.4], "r")
    rows = joined(run.opened(), 101)
    run.late.begin(0, "redis://a")
    run.late.join(rows, NOW)
    run.commit()
    run = Run(profile, fd)
    run.late.begin(101, "redis://a")  # as a backup has it
    run.late.join([rows[0], *rows[1:2]], NOW)
    assert run.counted() == {"unknown": 4}


def test_stores_are_not_remembered_without_end(profile: Profile, fd: int) -> None:
    run = Run(profile, fd)
    run.see([0.1], "r")
    rows = joined(run.opened(), 101)
    for number in range(20):
        run.late.begin(0, f"sqlite:{number}")
    run.late.join(rows, NOW)
    assert run.late.own["late"].shape == (8, 3)
    assert run.counted() == {"unknown": 1}


def test_a_version_comes_back_with_its_truth_and_there_is_room_for_new_ones(profile: Profile, fd: int) -> None:
    earlier = Run(profile, memory.create("other", 4096))
    for version in range(1, 7):
        earlier.see([0.5], f"r{version}", str(version))
    rows = joined(earlier.opened(), 1)
    assert {one.owner.version for one in rows} == {*"123456"}
    run = Run(profile, fd, models__limit=6)
    run.late.begin(0, "sqlite:a")
    run.late.join(rows, NOW)
    assert run.counted() == dict.fromkeys("123", 1)
    assert run.late.strangers == 3
    for version in (7, 8, 9):
        run.see([0.5], f"r{version}", str(version))
    assert {one.owner.version for one in run.opened()} == {*"789"}


def test_what_is_of_another_model_is_counted_and_nothing_else(profile: Profile, fd: int) -> None:
    run = Run(profile, fd, model__name="m")
    run.late.begin(0, "sqlite:a")
    run.late.join([Joined(1, Owner("another", "1", "x"), 0, 0, b"", b"{", b"")], NOW)
    assert (run.counted(), run.late.strangers, run.late.applied) == ({}, 1, 1)


def test_what_waits_when_another_profile_comes_is_not_forgotten(profile: Profile, fd: int) -> None:
    run = Run(profile, fd)
    run.see([0.1, 0.9], "r")
    for watched in run.models:
        watched.refer(profile)
    assert len(run.opened()) == 2


def test_another_profile_of_the_same_task_goes_on_and_one_of_another_task_begins_anew_and_says_so(
    profile: Profile, fd: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(profile, fd)
    run.see([0.1, 0.9], "r")
    run.late.begin(0, "sqlite:a")
    run.late.join(joined(run.opened(), 1), NOW)
    for watched in run.models:
        watched.refer(replace(profile, digest="ab" * 32))
    assert (run.counted(), run.samples()) == ({"unknown": 2}, 2)
    assert "begins anew" not in caplog.text
    for watched in run.models:
        watched.refer(profile_of(KINDS["regression"], tmp_path))
    assert (run.counted(), run.samples()) == ({}, 0)
    assert "predicts otherwise than before: regression, predicted by price; its performance begins anew" in caplog.text


def test_tasks_are_known_by_model_and_the_only_one_under_no_name(profile: Profile, fd: int) -> None:
    run = Run(profile, fd)
    run.see([0.1], "r", "1")
    run.see([0.1], "s", "2")
    tasks = run.late.tasks()
    assert {*tasks} == {"m", ""}
    assert tasks["m"].kind == "binary"


def test_values_of_truths_are_counted_with_them(profile: Profile, fd: int) -> None:
    run = Run(profile, fd, values=[{"name": "revenue", "feedback": True}])
    run.see([0.1, 0.9], "r")
    rows = joined(run.opened(), 1)
    run.late.begin(1, "sqlite:a")
    run.late.join(rows, NOW)
    found = {(one.window, one.total) for shown in run.models.shown(NOW) for one in shown.snapshot.valued}
    assert ("1h", 5.0) in found


def test_any_order_of_dying_and_committing_gives_the_same_sums(profile: Profile) -> None:
    source = Run(profile, memory.create("other", 4096))
    source.see([0.3, 0.6] * 20, "r")
    rows = joined(source.opened(), 1)
    for seed in range(5):
        random, fd = np.random.default_rng(seed), memory.create("ledger", 4096)
        run = Run(profile, fd)
        run.late.begin(0, "sqlite:a")
        run.commit()
        while run.late.applied < len(rows):
            stop = run.late.applied + int(random.integers(1, 8))
            run.late.join(rows[run.late.applied : stop], NOW)
            if random.random() < 0.5:
                run.commit()
            else:
                run = Run(profile, fd)
                run.late.begin(len(rows), "sqlite:a")
        assert run.counted() == {"unknown": len(rows)}
        assert run.samples() == len(rows)
