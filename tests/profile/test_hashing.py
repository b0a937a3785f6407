"""Salted hashing: a profile without the words, which traffic is held against all the same."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from profile_tables import write_csv
from support import command

from exporter.errors import ConfigError, DataError
from exporter.profile import salts
from exporter.profile.build import Plan, build, build_like
from exporter.profile.document import load

SECRET = "correct horse battery staple"  # noqa: S105 (a test's)


@pytest.fixture
def salt_file(tmp_path: Path) -> Path:
    (tmp_path / "salt").write_text(SECRET + "\n")
    return tmp_path / "salt"


def table(count: int = 400) -> dict[str, Any]:
    source = random.Random(4)
    mails = [f"person{place}@example.org" for place in range(8)]
    return {
        "who": [*(source.choice(mails) for _ in range(count - 3)), "rare@example.org", None, "lone"],
        "code": [source.choice([17, 23]) for _ in range(count)],
        "p": [source.random() for _ in range(count)],
    }


def test_hashes_stand_where_words_would_and_rare_ones_stand_nowhere(tmp_path: Path, salt_file: Path) -> None:
    salt = salts.load(str(salt_file), "salt_file")
    given = table()
    source = write_csv(tmp_path / "t.csv", given)
    profile, notes = build(Plan(source, ["p"], hashed=["who", "code"], salt=salt))
    who, code = profile.features
    assert who.salt == code.salt == salt.fingerprint
    assert (who.kind, code.kind) == ("categorical", "categorical")
    counts = dict(zip(who.categories, who.counts, strict=False))
    assert counts == {
        salt.name(f"person{n}@example.org"): given["who"].count(f"person{n}@example.org") for n in range(8)
    }
    assert who.counts[-3:] == (0, 2, 1)
    assert set(code.categories) == {salt.name("17"), salt.name("23")}
    assert any("2 rows are expected as unseen" in note for note in notes)
    assert build_like(Plan(source, salt=salt), profile).features == profile.features


def test_the_command_writes_no_word_and_no_salt(tmp_path: Path, salt_file: Path) -> None:
    source = write_csv(tmp_path / "t.csv", table())
    made = command("profile", "build", source, "--prediction", "p", "--hash", "who", "--salt-file", str(salt_file),
                   "--output", str(tmp_path / "p.json"))  # fmt: skip
    assert made.returncode == 0, made.stderr
    written = (tmp_path / "p.json").read_text()
    for word in ("person", "example", "lone", *SECRET.split()):
        assert word not in written
    for word in ("person", "example", *SECRET.split()):
        assert word not in made.stdout + made.stderr
    assert load(str(tmp_path / "p.json")).features[0].salt
    same = command("profile", "check", str(tmp_path / "p.json"), "--against", source, "--salt-file", str(salt_file))
    assert same.returncode == 0, same.stderr
    without = command("profile", "check", str(tmp_path / "p.json"), "--against", source)
    assert without.returncode == 64
    assert "--salt-file: is needed: the profile has hashes of the categories of 'who'" in without.stderr


def test_what_serve_would_lack_is_said_by_check(tmp_path: Path, salt_file: Path) -> None:
    source = write_csv(tmp_path / "t.csv", table())
    command("profile", "build", source, "--prediction", "p", "--hash", "who", "--salt-file", str(salt_file),
            "--output", str(tmp_path / "p.json"))  # fmt: skip
    (tmp_path / "other").write_text("another secret of some length")
    (tmp_path / "short").write_text("short")
    words = {
        (): "salt_file: is needed: profile has hashes of the categories of 'who'",
        ("--salt-file", str(tmp_path / "other")): "salt_file: is of another salt",
        ("--salt-file", str(tmp_path / "short")): "must hold 16 to 4096 bytes",
        ("--salt-file", str(tmp_path / "none")): "salt_file: cannot read",
    }
    for flags, expected in words.items():
        found = command("check", "--profile", str(tmp_path / "p.json"), *flags)
        assert found.returncode == 64
        assert expected in found.stderr
    fine = command("check", "--profile", str(tmp_path / "p.json"), "--salt-file", str(salt_file))
    assert fine.returncode == 0, fine.stderr
    shown = command("check", "--json", "--profile", str(tmp_path / "p.json"), "--salt-file", str(salt_file))
    assert SECRET not in shown.stdout + fine.stdout
    assert json.loads(shown.stdout)["salt_file"] == str(salt_file)


def test_a_plan_that_cannot_be_hashed_is_refused(tmp_path: Path, salt_file: Path) -> None:
    source = write_csv(tmp_path / "t.csv", table() | {"id": [f"id{place}" for place in range(400)]})
    salt = salts.load(str(salt_file), "salt_file")
    with pytest.raises(ConfigError, match="--hash: needs a salt"):
        build(Plan(source, ["p"], hashed=["who"]))
    with pytest.raises(ConfigError, match="only categories are hashed, and it is declared numeric"):
        build(Plan(source, ["p"], hashed=["code"], salt=salt, kinds={"code": "numeric"}))
    with pytest.raises(ConfigError, match=r"--hash nobody: .* has no such column"):
        build(Plan(source, ["p"], hashed=["nobody"], salt=salt))
    wide = write_csv(tmp_path / "w.csv", {"id": [f"id{place}" for place in range(10_500)], "p": [0.5] * 10_500})
    with pytest.raises(DataError, match="'id' is to be hashed but has over 10000 distinct values"):
        build(Plan(wide, ["p"], hashed=["id"], salt=salt))
