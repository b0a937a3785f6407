"""A directory of profiles: which file is whose, what changes, what cannot be used, and what never leads outside."""

import dataclasses
import os
import shutil
import time
from pathlib import Path

import pytest
from monitor_scenes import make_profile
from support import eventually

from exporter.profile import directory, document
from exporter.profile.directory import OneProfile, in_directory
from exporter.reference import Profile


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "_LOOK_S", 0.02)
    monkeypatch.setattr(directory, "_PATIENCE_S", 30.0)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def put(profile: Profile, path: Path, rows: int) -> Path:
    """The profile in a file of its own, told from others by its rows; there at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    document.save(dataclasses.replace(profile, rows=rows), str(half))
    half.rename(path)
    return path


def rows(found: Profile | None) -> int | None:
    return found.rows if found else None


def test_the_path_says_whose_a_profile_is_the_most_particular_first(profile: Profile, tmp_path: Path) -> None:
    put(profile, tmp_path / "churn.json", 1)
    put(profile, tmp_path / "churn" / "7.json", 2)
    put(profile, tmp_path / "fraud" / "default.json", 3)
    put(profile, tmp_path / "fraud.json", 4)
    put(profile, tmp_path / "日本 v.json", 5)
    shelf = in_directory(str(tmp_path))
    asked = (("churn", "7"), ("churn", "8"), ("fraud", "1"), ("日本 v", "1"), ("other", "1"))
    assert [rows(shelf.of(*names)) for names in asked] == [2, 1, 3, 5, None]
    assert shelf.errors == 0
    assert shelf.version_of("churn") == "unknown", "a file is not to change what a version is called"


def test_profiles_are_picked_up_when_they_appear_change_or_a_better_one_comes(profile: Profile, tmp_path: Path) -> None:
    shelf = in_directory(str(tmp_path / "later"))
    assert shelf.of("m", "1") is None
    general = put(profile, tmp_path / "later" / "m.json", 1)
    eventually(lambda: rows(shelf.of("m", "1")) == 1, what="the profile that came")
    put(profile, general, 2)
    eventually(lambda: rows(shelf.of("m", "1")) == 2, what="the profile that changed")
    particular = put(profile, tmp_path / "later" / "m" / "1.json", 3)
    eventually(lambda: rows(shelf.of("m", "1")) == 3, what="the better one")
    assert shelf.changes == 3
    particular.unlink()
    eventually(lambda: rows(shelf.of("m", "1")) == 2, what="the one that is left")
    shutil.rmtree(tmp_path / "later")
    time.sleep(0.2)
    assert rows(shelf.of("m", "1")) == 2, "what vanishes stays in force"
    assert (shelf.changes, shelf.errors) == (4, 0)


def test_a_file_that_cannot_be_used_is_said_and_counted_once_until_it_changes(
    profile: Profile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = put(profile, tmp_path / "m.json", 1)
    shelf = in_directory(str(tmp_path))
    assert rows(shelf.of("m", "1")) == 1
    for number, bad in enumerate((b"{", b'{"format": "other"}'), 1):
        (tmp_path / "new").write_bytes(bad)
        (tmp_path / "new").replace(path)  # whole: half a file would be another bad one
        eventually(lambda number=number: shelf.errors == number, what="a bad file")
        time.sleep(0.1)
        assert (shelf.errors, rows(shelf.of("m", "1"))) == (number, 1)
    assert caplog.text.count(f"{path}: ") == 2
    assert caplog.text.count("the profile before it stays in force") == 2
    put(profile, path, 2)
    eventually(lambda: rows(shelf.of("m", "1")) == 2, what="a good one")
    put(profile, tmp_path / "n.json", 1).write_text("")
    assert shelf.of("n", "1") is None
    assert "there is none before it" in caplog.text


def test_the_same_profile_written_anew_changes_nothing(profile: Profile, tmp_path: Path) -> None:
    path = put(profile, tmp_path / "m.json", 1)
    shelf = in_directory(str(tmp_path))
    before = shelf.of("m", "1")
    for _ in range(3):
        put(profile, path, 1)
        time.sleep(0.1)
    assert shelf.of("m", "1") is before
    assert shelf.changes == 1


@pytest.mark.parametrize("name", [
    "..", "../outside", "/outside", "x/../../outside", "a/b", "\0", "outside\0", ".hidden", "", "n" * 129, "a\nb",
    "\ud800", ".",
])  # fmt: skip
def test_names_from_traffic_lead_nowhere_but_into_the_directory(profile: Profile, tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    for path in (tmp_path / "outside.json", tmp_path / "1.json", tmp_path / ".json", inside / ".hidden.json",
                 inside / "a" / "b.json", inside / ".json", inside / "1.json"):  # fmt: skip
        put(profile, path, 1)
    shelf = in_directory(str(inside))
    assert shelf.of(name, "1") is None
    assert shelf.of("m", name) is None
    if name:
        assert shelf.of(name, name) is None
    assert shelf._found == {}


def test_names_too_long_for_the_file_system_and_other_kinds_of_files_are_no_profiles(
    profile: Profile, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    put(profile, tmp_path / "file", 1)
    shelf = in_directory(str(tmp_path))
    for name in ("語" * 128, "pipe", "folder", "file"):
        assert shelf.of(name, "1") is None
    assert shelf.errors == 0


def test_a_directory_that_is_slow_is_waited_for_once(
    profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_PATIENCE_S", 0.05)
    for name in ("a", "b", "c"):
        put(profile, tmp_path / f"{name}.json", 1)
    hanging = True
    load = document.load

    def slow(path: str) -> Profile:
        while hanging:
            time.sleep(0.01)
        return load(path)

    monkeypatch.setattr(directory.document, "load", slow)
    shelf = in_directory(str(tmp_path))
    assert shelf.of("a", "1") is None
    assert shelf._is_slow
    assert shelf.of("b", "1") is None
    hanging = False
    eventually(lambda: rows(shelf.of("b", "1")) == 1, what="what was slow")
    monkeypatch.setattr(directory, "_PATIENCE_S", 30.0)
    eventually(lambda: not shelf._is_slow)
    assert rows(shelf.of("c", "1")) == 1


def test_one_profile_is_for_the_model_it_names_the_one_the_operator_names_or_any_where_it_names_none(
    profile: Profile,
) -> None:
    churn = dataclasses.replace(profile, model="churn", version="7")
    assert OneProfile(None).of("m") is None
    assert OneProfile(profile).of("m", "3") is profile
    assert [OneProfile(churn, "x").of(name) is churn for name in ("churn", "x", "default", "m")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert OneProfile(churn).version_of("churn") == "7"
    assert OneProfile(churn).version_of("m") == "unknown"
