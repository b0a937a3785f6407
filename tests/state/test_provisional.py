"""Provisional references on a real disk: never replaced, taken up when somebody edits them, gone when deleted."""

import errno
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from profile_tables import profile_of
from support import eventually

from exporter.handoff import board
from exporter.handoff.board import Seat
from exporter.profile import document, whole_file
from exporter.records import STATE_ERRORS, Label
from exporter.reference import Profile
from exporter.state import provisional
from exporter.state.provisional import ProvisionalFiles, file_name

LABEL = Label("m/1", "7")


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    made, _ = profile_of(
        tmp_path / "t.csv", {"a": [row / 7 for row in range(100)]}, model=LABEL.model, version=LABEL.version
    )
    return document.parse(document.describe(made))


class Memory:
    """Who has the references in memory, and the files of these."""

    def __init__(self, state: Path) -> None:
        self.seats = board.attach(board.create())
        self.there: dict[Label, Profile] = {}
        self.files = ProvisionalFiles(str(state), self.seats, self)

    def put(self, label: Label, profile: Profile) -> None:
        self.there[label] = profile

    def drop(self, label: Label) -> None:
        del self.there[label]

    def keep(self, profile: Profile) -> None:
        label = Label(profile.model, profile.version)
        self.there[label] = profile
        self.files.keep(label, profile)

    def digest(self) -> str:
        """Of what is there, once the files have had their say."""
        self.files.take()
        return self.there[LABEL].digest if LABEL in self.there else ""

    def errors(self, why: str) -> int:
        return self.seats[Seat.STATE_ERRORS + STATE_ERRORS.index(why)]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(provisional, "_LOOK_S", 0.05)
    return tmp_path / "state"


def path_of(state: Path) -> Path:
    return state / "provisional" / file_name(LABEL)


def edited(profile: Profile, rows: int) -> str:
    return json.dumps(document.describe(profile) | {"rows": rows})


def in_place(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def test_what_is_kept_is_a_profile_that_the_next_run_finds(
    state: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisional, "_LOOK_S", 3600.0)  # or it would claim the directory again
    first = Memory(state)
    first.keep(profile)
    eventually(path_of(state).exists, what="the file")
    assert document.load(str(path_of(state))) == profile
    assert (state / "provisional").stat().st_mode & 0o77 == 0
    eventually(lambda: not first.files._look_now.is_set() and not first.files._unwritten, what="the end of the look")
    first.files._claim.let_go()  # as a process does at its end
    second = Memory(state)
    assert second.files.resume()
    assert second.there == {LABEL: profile}


def test_one_that_is_there_is_true_and_is_not_replaced_by_what_was_made_without_it(
    state: Path, profile: Profile
) -> None:
    path_of(state).parent.mkdir(parents=True)
    path_of(state).write_text(edited(profile, 99))
    memory = Memory(state)
    memory.keep(profile)
    eventually(lambda: memory.digest() not in {"", profile.digest}, what="the file's")
    assert memory.there[LABEL].rows == 99
    assert json.loads(path_of(state).read_text())["rows"] == 99


def test_edits_and_deletions_are_taken_up(state: Path, profile: Profile, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    memory = Memory(state)
    memory.keep(profile)
    eventually(path_of(state).exists, what="the file")
    in_place(path_of(state), edited(profile, 77))
    eventually(lambda: memory.digest() != profile.digest, what="the edit")
    assert memory.there[LABEL].rows == 77
    path_of(state).unlink()
    eventually(lambda: memory.digest() == "", what="the deletion")
    assert "was deleted: it begins anew" in caplog.text
    memory.keep(profile)
    eventually(path_of(state).exists, what="another one")


def test_one_that_cannot_be_used_changes_nothing_and_is_named_once(state: Path, profile: Profile, caplog: Any) -> None:
    memory = Memory(state)
    memory.keep(profile)
    eventually(path_of(state).exists, what="the file")
    in_place(path_of(state), '{"format": 3}')
    eventually(lambda: memory.errors("unreadable") == 1, what="the fault")
    in_place(path_of(state).with_name("stranger.json"), edited(profile, 1))
    eventually(lambda: memory.errors("unreadable") == 2, what="the other fault")
    assert memory.digest() == profile.digest
    assert f"which is called {file_name(LABEL)}" in caplog.text
    assert path_of(state).read_text() == '{"format": 3}'


def test_one_that_cannot_be_used_and_is_deleted_begins_anew(state: Path, profile: Profile) -> None:
    memory = Memory(state)
    memory.keep(profile)
    eventually(path_of(state).exists, what="the file")
    in_place(path_of(state), "{}")
    eventually(lambda: memory.errors("unreadable") == 1, what="the fault")
    path_of(state).unlink()
    eventually(lambda: memory.digest() == "", what="the deletion")


def test_a_directory_that_is_shut_is_not_taken_for_an_empty_one(
    state: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(state)
    memory.keep(profile)
    eventually(path_of(state).exists, what="the file")
    shut = state / "provisional"
    opened = os.listdir, os.scandir

    def refuse(number: int) -> Any:
        def listing(path: Any = ".") -> Any:
            if os.fspath(path) == str(shut):
                raise PermissionError(errno.EACCES, "Permission denied")
            return opened[number](path)

        return listing

    monkeypatch.setattr(os, "listdir", refuse(0))  # root is let in everywhere
    monkeypatch.setattr(os, "scandir", refuse(1))
    eventually(lambda: memory.errors("read_only") > 1, what="the fault")
    assert memory.digest() == profile.digest


def test_a_file_that_a_disk_does_not_give_is_asked_for_again(
    state: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    path_of(state).parent.mkdir(parents=True)
    path_of(state).write_text(edited(profile, 99))
    read = whole_file.read

    def broken(*_: Any) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(whole_file, "read", broken)
    memory = Memory(state)
    memory.keep(profile)
    eventually(lambda: memory.errors("unreadable") == 1, what="the fault")
    assert memory.digest() == profile.digest
    monkeypatch.setattr(whole_file, "read", read)
    eventually(lambda: memory.digest() != profile.digest, what="what is in the file")
    assert memory.there[LABEL].rows == 99
    assert memory.errors("unreadable") == 1


def test_a_directory_that_vanishes_is_written_again(state: Path, profile: Profile) -> None:
    memory = Memory(state)
    memory.keep(profile)
    eventually(path_of(state).exists, what="the file")
    (state / "provisional").rename(state / "elsewhere")
    eventually(path_of(state).exists, what="the file again")
    assert memory.digest() == profile.digest


def test_where_nothing_can_be_written_that_is_counted_and_tried_again(state: Path, profile: Profile) -> None:
    state.write_text("a file where a directory should be")
    memory = Memory(state)
    memory.keep(profile)
    eventually(lambda: memory.errors("other") > 0, what="the fault")
    assert memory.digest() == profile.digest
    state.unlink()
    eventually(path_of(state).exists, what="the file after all")


def test_a_second_exporter_is_refused_the_directory(state: Path, profile: Profile, caplog: Any) -> None:
    first = Memory(state)
    first.keep(profile)
    eventually(path_of(state).exists, what="the file")
    second = Memory(state)
    eventually(lambda: second.errors("in_use") > 0, what="the refusal")
    assert "another exporter has it" in caplog.text
    assert second.digest() == ""


def test_the_number_of_files_is_bounded_and_those_in_use_stay(
    state: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(provisional, "_MOST_FILES", 3)
    memory = Memory(state)
    memory.keep(profile)
    eventually(path_of(state).exists, what="the file")
    os.utime(path_of(state), (1, 1))
    path_of(state).with_name("x0.json").write_text("{}")
    eventually(lambda: "x0.json: format" in caplog.text, what="one that was seen and is of no use")
    for number in range(1, 4):
        path_of(state).with_name(f"x{number}.json").write_text("{}")
    eventually(lambda: len(list((state / "provisional").glob("*.json"))) <= 4, what="the oldest are gone")
    assert not path_of(state).with_name("x0.json").exists()
    assert path_of(state).exists()


def test_names_of_files_are_harmless_and_different_for_every_model() -> None:
    labels = [Label("a/../b", "1"), Label("a", "b-1"), Label("a-b", "1"), Label("..", ""), Label("東京", "x" * 500)]
    names = [file_name(label) for label in labels]
    assert len(set(names)) == len(labels)
    assert all("/" not in name and not name.startswith(".") and len(name) < 100 for name in names)
